"""`vfsearch compare`."""

import math
from dataclasses import asdict
from pathlib import Path

import click
from vfsearch_cli.options import PATH, WORDS, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch compare runs/first runs/second
  vfsearch compare ours.tsv theirs.tsv --identities vox1_test.csv --measures AUC,EER,TAR@FAR=0.01
  vfsearch compare runs/first runs/second --common --json
"""
COLUMNS = ("list", ">trials", "measure", ">A", ">B", ">A - B", ">95 % interval", ">p")


@click.command(epilog=EPILOG)
@click.argument("left", type=PATH, metavar="RUN_A")
@click.argument("right", type=PATH, metavar="RUN_B")
@option("--measures", type=WORDS, default=None, help="For example AUC,EER,mAP.  [default: those that both have]")
@option("--common", "only_common", is_flag=True, help="Where the trials differ, compare those that both have.")
@option("--identities", type=PATH, multiple=True, help="Tables of whose the items are, for files of scores.  "
        "[default: the runs, the files, else their labels]")  # fmt: skip
@option("--format", "format_", default=None, help="Of files of scores.  [default: recognised]")
@option("--seed", type=int, default=1, show_default=True, help="Of the intervals.")
@common
def compare(terminal, workspace: Path, left: Path, right: Path, measures, only_common, identities, format_, seed):
    """Say by how much run A exceeds run B, with interval and p-value.

    Both are measured anew on the same trials and in the same resamples of their identities, so that what makes a list
    hard for both does not count. A run is a folder under runs/, or a file of verification or matching scores.
    """
    from vfsearch.data.outcome import nulls
    from vfsearch.pipeline.compare_runs import CompareSettings, compare_runs, require_two

    require_two(left, right)
    settings = CompareSettings(measures=measures or (), common=only_common, format=format_, seed=seed)
    report = compare_runs(left, right, settings, identities)
    for note in report.notes:
        terminal.warn(note)
    rows = [_row(figure) for figure in report.figures]
    document = {"left": str(left), "right": str(right), "figures": nulls([asdict(each) for each in report.figures]),
                "notes": list(report.notes)}  # fmt: skip
    caption = "95 % intervals and two-sided p-values, paired by resampled identity"
    terminal.result(document, f"A: {left}\nB: {right}", table(COLUMNS, rows), caption)


def _row(figure) -> tuple:
    from vfsearch.measure.catalog import parse_measure

    scale, unit = (100.0, " %") if parse_measure(figure.measure).kind.percent else (1.0, "")
    shown = [_text(scale * value, sign) for value, sign in (
        (figure.left.value, ""), (figure.right.value, ""), (figure.difference.value, "+"), (figure.difference.low, "+"),
        (figure.difference.high, "+"),
    )]  # fmt: skip
    left, right, value, low, high = shown
    p = figure.difference.p
    return (figure.list, figure.trials, figure.measure, left + unit, right + unit, value, f"{low} to {high}",
            "-" if math.isnan(p) else f"{p:.3f}")  # fmt: skip


def _text(value: float, sign: str) -> str:
    return (
        "-" if math.isnan(value) else f"{value:{sign}.2f}" if abs(value) >= 0.1 or not value else f"{value:{sign}.3g}"
    )
