"""`vfsearch query`."""

from dataclasses import asdict
from pathlib import Path

import click
from vfsearch_cli.options import PATH, chosen_encoders, common, computing, decoding, option
from vfsearch_cli.outcome import outcome_table, outcome_warnings
from vfsearch_cli.terminal import table

from vfsearch.errors import SettingsError

EPILOG = """\b
Examples:
  vfsearch query --probe voice --gallery face
  vfsearch query --probe face --gallery face --protocol retrieval
  vfsearch query --probe voice --gallery face --n 2,5,10,50 --split all --seed 7
  vfsearch query --file clip.wav --k 10
"""
AUDIO = {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf", ".w64", ".rf64"}
SIDES = click.Choice(["voice", "face"])
PROTOCOLS = ("matching", "verification", "retrieval")


class WholeNumbers(click.ParamType):
    """2,5,10 as numbers; a settings file may give a list."""

    name = "N,N,..."

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers in a text or a list."""
        parts = value if isinstance(value, (list, tuple)) else str(value).replace(",", " ").split()
        try:
            return tuple(int(part) for part in parts)
        except (ValueError, TypeError):
            self.fail(f"{value!r} must be whole numbers with commas between, for example 2,5,10", param, ctx)


@click.command(epilog=EPILOG)
@option("--probe", type=SIDES, default=None, help="What is asked with.  [default: voice; with --file, by its name]")
@option("--gallery", type=SIDES, default=None, help="What is searched.  [default: the other one]")
@option("--protocol", "protocols", type=click.Choice(PROTOCOLS), multiple=True, help="May be given more than once.  "
        "[default: all three]")  # fmt: skip
@option("--n", type=WholeNumbers(), default="2,5,10", show_default=True, help="Candidates of 1:N matching.")
@option("--split", default=None, help="Items to ask with and to search, or all.  "
        "[default: test if there is such a split, else all; with --file: all]")  # fmt: skip
@option("--k", type=int, default=10, show_default=True, help="Neighbours to find and to save.")
@option("--seed", type=int, default=1, show_default=True, help="Of the trials and intervals.")
@option("--file", type=PATH, default=None, help="Search for this one clip or photo instead.")
@option("--store", type=PATH, default=None, help="Folder of the store.  [default: embeddings]")
@option("--index", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@option("--model", type=PATH, default=None, help="Folder of the model, for --file.  [default: model]")
@option("--out", type=PATH, default=None, help="Folder of the runs.  [default: runs]")
@option("--name", default=None, help="Of the run.  [default: from the direction and what it is made from]")
@option("--overwrite", is_flag=True, help="Measure anew a run that is there.")
@option("--frozen", "without_model", is_flag=True, help="With --file: the store was made by `embed --frozen`.")
@chosen_encoders
@decoding
@computing(beside_decoders=False)
@common
def query(terminal, workspace: Path, probe, gallery, file, store, index, model, out, **more):
    """Ask the three protocols of a store and its indices: how well and how fast.

    1:N matching, verification and full-gallery retrieval of the probe items against the gallery items of one split,
    printed as one table and saved under runs/ with the raw neighbours. With --file, the best matches of one clip or
    photo instead.
    """
    from vfsearch.pipeline.workspace import Workspace

    if file is not None:
        probe = probe or ("voice" if file.suffix.lower() in AUDIO else "face")
    probe = probe or "voice"
    gallery = gallery or {"voice": "face", "face": "voice"}[probe]
    places = Workspace(folder=workspace, embeddings=store, index=index, model=model, runs=out)
    if file is not None:
        return _look_up(terminal, places, file, probe, gallery, more)
    return _measure(terminal, places, probe, gallery, more)


def _measure(terminal, places, probe: str, gallery: str, more: dict) -> None:
    from vfsearch.pipeline.query import QuerySettings
    from vfsearch.pipeline.query import query as run_query

    if more["name"] is not None and Path(more["name"]).name != more["name"]:
        raise SettingsError(f"--name {more['name']!r} must be a plain name; --out says in which folder")
    settings = QuerySettings(
        probe=probe, gallery=gallery, protocols=more["protocols"] or PROTOCOLS, n=more["n"], split=more["split"],
        k=more["k"], seed=more["seed"],
    )  # fmt: skip
    report = run_query(places, settings, more["device"], more["name"], more["overwrite"], terminal.progress)
    for warning in outcome_warnings(report.outcome):
        terminal.warn(warning)
    if not report.measured_now:
        terminal.warn("measured before, figures of that run; --overwrite measures anew")
    if report.newer_model:
        terminal.warn(
            f"the model has been trained since the store was made (it is {report.newer_model} now): these are figures "
            "of the model before; `vfsearch embed --overwrite` and `vfsearch index build` take the new one"
        )
    document = {"run": str(report.folder), "measured_now": report.measured_now, **report.outcome.to_json()}
    terminal.result(document, *outcome_table(report.outcome, terminal.out.width), f"saved in {report.folder}")


def _look_up(terminal, places, file: Path, probe: str, gallery: str, more: dict) -> None:
    from vfsearch.pipeline.lookup import look_up

    frozen = more["encoders"] if more["without_model"] else None
    found = look_up(places, file, probe, gallery, more["k"], more["decoding"], frozen, more["device"],
                    more["split"])  # fmt: skip
    if found.note:
        terminal.remark(f"note: {file}: {found.note}")
    rows = [(match.rank, f"{match.score:.4f}", match.identity, match.path) for match in found.matches]
    document = {"file": str(file), "probe": probe, "gallery": gallery, **asdict(found)}
    title = f"{gallery} items most like {file} ({probe})"
    terminal.result(document, title, table([">rank", ">score", "identity", "path"], rows))
