"""`vfsearch score`."""

from pathlib import Path

import click
from vfsearch_cli.measures import named_measures, unused_measures
from vfsearch_cli.options import PATH, WORDS, common, option
from vfsearch_cli.outcome import outcome_table, outcome_warnings

EPILOG = """\b
Examples:
  vfsearch score scores.tsv
  vfsearch score scores.txt --trials trials.txt --measures 'AUC,EER,TAR@FAR=0.01,minDCF(0.05)'
  vfsearch score run.trec --qrels qrels.txt --measures mAP,nDCG@10 --compat trec_eval
  vfsearch score ours.txt theirs.txt --trials veri_test.txt --points det.csv
  vfsearch score scores.tsv --identities vox1_test.csv --by gender,nationality
  vfsearch score submission.zip --trials English_key.txt --trials Urdu_key.txt
"""


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, type=PATH)
@option("--trials", type=PATH, multiple=True, help="Lists that say what is mated, where the files do not.")
@option("--qrels", type=PATH, default=None, help="What is relevant to each probe, for ranked lists.")
@option("--identities", type=PATH, multiple=True, help="Tables of whose the items are, for the intervals.  [default: "
        "the files, else their labels]")  # fmt: skip
@option("--format", "format_", default=None, help="Of the files.  [default: recognised]")
@option("--measures", type=WORDS, default=None, help="For example AUC,EER,TAR@FAR=0.01; see `vfsearch measures`; all: "
        "every one that has no number.  [default: the usual ones]")  # fmt: skip
@option("--compat", default=None, help="Show a peer's arithmetic beside ours; see `vfsearch measures --compat`.")
@option("--points", type=PATH, default=None, help="Write the ROC and DET curves here, as CSV.")
@option("--by", type=WORDS, default=None, help="Figures by group of people too: columns of the table of identities, "
        "for example gender.")  # fmt: skip
@option("--seed", type=int, default=1, show_default=True, help="Of the intervals.")
@common
def score(terminal, workspace: Path, files, trials, qrels, identities, format_, measures, compat, points, by, seed):
    """Measure files of scores: verification, 1:N matching or ranked lists, of any origin and format.

    No model and no vectors are needed. Labels come from the files or from the lists named by --trials and --qrels.
    """
    from vfsearch.pipeline.score_files import ScoreSettings, score_files

    settings = ScoreSettings(
        measures=named_measures(measures or ()), format=format_, compat=compat, by=by or (), seed=seed
    )
    outcome = score_files(files, settings, trials, qrels, identities, points, terminal.progress)
    for warning in [*outcome_warnings(outcome), *unused_measures(measures or (), outcome)]:
        terminal.warn(warning)
    terminal.result(outcome.to_json(), *outcome_table(outcome, terminal.out.width), *_overall(outcome))


def _overall(outcome) -> list[str]:
    """The figure of a whole submission to the FAME challenge."""
    rates = [each.values["EER"].value for each in outcome.measurements if "/" in each.list and "EER" in each.values]
    return [f"mean EER of the {len(rates)} parts: {100 * sum(rates) / len(rates):.2f} %"] if len(rates) > 1 else []
