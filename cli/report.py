"""`vfsearch report`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, WORDS, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch report
  vfsearch report ours=runs/first plain=runs/second --measures accuracy,AUC,mAP
  vfsearch report --parts page,figure --id voice/ann/1.flac --id voice/bob/2.flac --redact
  vfsearch report --parts tables --digits 2 --no-published
"""


@click.command(epilog=EPILOG)
@click.argument("runs", nargs=-1, metavar="[[LABEL=]RUN]...")
@option("--parts", type=WORDS, default="page,tables,curves,figure,video", show_default=True, help="What to make.")
@option("--measures", type=WORDS, default=None, help="In the tables; see `vfsearch measures`.  [default: all that were "
        "measured]")  # fmt: skip
@option("--digits", type=click.IntRange(min=0, max=6), default=1, show_default=True, help="Of figures in the tables, "
        "after the point.")  # fmt: skip
@option("--published/--no-published", default=True, show_default=True, help="Show the paper's results beside them.")
@option("--formats", type=WORDS, default="png,svg,pdf", show_default=True, help="Of diagrams.")
@option("--probes", type=click.IntRange(min=1, max=100), default=6, show_default=True, help="In the figure and the "
        "film, drawn by chance.")  # fmt: skip
@option("--id", "ids", multiple=True, help="A probe of the figure and the film; give it again for more.  [default: "
        "drawn]")  # fmt: skip
@option("--page-probes", type=click.IntRange(min=1), default=1000, show_default=True, help="Of each run, on the page, "
        "drawn by chance.")  # fmt: skip
@option("--seed", type=int, default=1, show_default=True, help="Of the draws.")
@option("--redact", is_flag=True, help="Blur faces and show no ids, for sharing; voices stay what they are.")
@option("--manifest", type=PATH, default=None, help="Where the media are.  [default: manifest.csv]")
@option("--workers", type=click.IntRange(min=0), default=2, show_default=True, help="Decoding processes.")
@option("--out", type=PATH, default=None, help="Folder for the report.  [default: report]")
@common
def report(terminal, workspace: Path, runs, manifest, out, **more):
    """Make a page to look at and listen to, and tables, diagrams, figures and films ready for a paper.

    RUN is the folder of a run, of a pooling curve or of measured indices, or the name of one under runs/; all that are
    there are taken where none is named. Runs with one LABEL (both directions of one method, say) share a row and a
    colour. No model or store is needed; page, figure and film (voices to faces alone) show the media that the manifest
    lists; the exit code is 4 where some cannot be decoded. The page is one file that needs no network; large media
    stand in a folder beside it.
    """
    from vfsearch.pipeline.reports.make import ReportSettings, make_report
    from vfsearch.pipeline.workspace import Workspace

    settings = ReportSettings(**{name: value for name, value in more.items() if value is not None})
    places = Workspace(folder=workspace, manifest=manifest)
    made = make_report(places, runs, out or workspace / "report", settings, terminal.progress)
    document = {
        "folder": str(made.folder),
        "runs": [{"name": name, "folder": str(folder)} for name, folder in made.runs],
        "files": list(map(str, made.files)),
        "unseen": made.unseen,
        "notes": list(made.table.notes) if made.table else [],
    }
    if made.unseen:
        first, reason = next(iter(made.unseen.items()))
        terminal.warn(
            f"{len(made.unseen):,} items can be neither seen nor heard: {first!r}: {reason}, for example "
            "(--json names them all)"
        )
    kinds: dict[str, list[str]] = {}
    for path in made.files:
        kinds.setdefault(str(path.with_suffix("")), []).append(path.suffix[1:] or "folder")
    rows = [(stem, ", ".join(suffixes)) for stem, suffixes in kinds.items()]
    notes = made.table.notes if made.table else ()
    terminal.result(document, f"of {', '.join(name for name, _ in made.runs)}", table(["file", "as"], rows), *notes)
    return 4 if made.failed else 0
