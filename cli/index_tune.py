"""`vfsearch index tune`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, PLACE, SECONDS, WORDS, common, computing, option
from vfsearch_cli.tuning import best_lines, left_out_lines, presets_table, saved_lines, tried_table, tuning_lines

from vfsearch.errors import SettingsError

EPILOG = """\b
Examples:
  vfsearch index tune face --target 'R@10>=0.95'
  vfsearch index tune face-svs --target 'R@10>=0.9' --target 'mAP@10>=0.99*exact' --for single
  vfsearch index tune --modality face --presets all
  vfsearch index tune --modality face --presets svs,hnsw,ivf-pq --target 'R@10>=0.99' --max-latency 2ms
"""


@click.command(epilog=EPILOG)
@click.argument("index", required=False)
@option("--target", "targets", multiple=True, metavar="TARGET", help="What must be reached: R@K>=X, recall of the K "
        "exact neighbours; mAP@K>=X*exact or acc@K>=X*exact, mean average precision of the K neighbours and identity "
        "among them, against the exact ones. Of several, all.  [default: R@10>=0.95]")  # fmt: skip
@option("--for", "mode", type=click.Choice(["batch", "single"]), default="batch", show_default=True,
        help="What shall be fast: many probes at once, or one that comes alone.")  # fmt: skip
@option("--max-latency", type=SECONDS, default=None, help="Most time that a probe that comes alone may take, in the "
        "median, for example 2ms (us, ms or s; a number alone: ms).")  # fmt: skip
@option("--modality", type=click.Choice(["voice", "face"]), default=None, help="With --presets: the rows to index.")
@option("--presets", "--preset", "presets", type=WORDS, default=None, help="Build these kinds of index where they are "
        "not up to date, tune each, and say which is the fastest: names of `vfsearch index plan`, or all.")  # fmt: skip
@option("--probe", type=click.Choice(["voice", "face"]), default=None, help="Modality that will ask.  "
        "[default: the one that the index is not of]")  # fmt: skip
@option("--probes", type=click.IntRange(min=1), default=2000, show_default=True, help="Probes to choose with; as many "
        "others check what was chosen.")  # fmt: skip
@option("--split", default=None, help="Of the probes, or all.  [default: val, else train, never test if there is "
        "another]")  # fmt: skip
@option("--seed", type=int, default=1, show_default=True, help="Of the draw of probes.")
@option("--dry-run", is_flag=True, help="Put no setting in force, only say what would be chosen; what --presets "
        "lacks is built all the same.")  # fmt: skip
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@computing(beside_decoders=False)
@common
def tune(terminal, workspace: Path, index, targets, mode, max_latency, modality, presets, store, out, device, **more):
    """Find the fastest search setting that reaches a target.

    INDEX is the name of an index, or its folder. Settings are tried with probes of the modality that will ask, held
    out from those that queries are measured with, against exact neighbours; what was chosen is checked with other
    probes, and is what queries use from then on. Exit code 5: no setting reaches the target.
    """
    from vfsearch.index.targets import parse_target
    from vfsearch.index.tuning import Goal
    from vfsearch.pipeline.tune_index import TuneSettings
    from vfsearch.pipeline.workspace import Workspace

    _require_one(index, modality, presets)
    wanted = tuple(map(parse_target, targets or ("R@10>=0.95",)))
    goal = Goal(targets=wanted, mode=mode, max_latency_seconds=max_latency)
    save = not more.pop("dry_run")
    settings = TuneSettings(goal=goal, **more)
    places = Workspace(folder=workspace, embeddings=store, index=out)
    if index is None:
        return _presets(terminal, places, modality, presets, settings, device, save)
    return _one(terminal, places, index, settings, device, save)


def _require_one(index, modality, presets) -> None:
    if (index is None) == (modality is None or presets is None) or (index and (modality or presets)):
        raise SettingsError(
            "wanted one index to tune (`vfsearch index tune face`), or a modality with kinds of index "
            "(`vfsearch index tune --modality face --presets all`)"
        )


def _one(terminal, places, index, settings, device, save) -> None:
    from vfsearch.pipeline.tune_index import tune_index

    found = tune_index(places, index, settings, device, save, terminal.progress)
    for warning in found.warnings:
        terminal.warn(warning)
    terminal.result(found.to_json(), tried_table(found), *tuning_lines(found))


def _presets(terminal, places, modality, presets, settings, device, save) -> None:
    from vfsearch.pipeline.tune_presets import tune_presets

    found = tune_presets(places, modality, presets, settings, device, save, terminal.progress)
    for warning in found.fastest.warnings:
        terminal.warn(warning)
    lines = [*left_out_lines(found), *saved_lines(found), *best_lines(found)]
    terminal.result(found.to_json(), presets_table(found), *lines)
