"""`vfsearch index`."""

from dataclasses import asdict
from pathlib import Path

import click
from vfsearch_cli.options import PATH, common, option
from vfsearch_cli.terminal import size, table

EPILOG = """\b
Examples:
  vfsearch index build
  vfsearch index build --modality face --overwrite
"""


@click.group()
def index() -> None:
    """Indices: what queries search."""


@index.command(epilog=EPILOG)
@option("--store", type=PATH, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@option("--modality", "modalities", type=click.Choice(["voice", "face"]), multiple=True,
        help="Which to index; may be given twice.  [default: those that the store has]")  # fmt: skip
@option("--backend", default="exact", show_default=True, help="Kind of index.")
@option("--overwrite", is_flag=True, help="Build anew also what is up to date.")
@common
def build(terminal, workspace: Path, store, out, modalities, backend, overwrite):
    """Build one index a modality: store to index.

    An index that was built from this very store and is undamaged is kept; any other is replaced.
    """
    from vfsearch.pipeline.index import build_indices
    from vfsearch.pipeline.workspace import Workspace

    built = build_indices(
        Workspace(folder=workspace, embeddings=store, index=out), modalities, backend, overwrite, terminal.progress
    )
    rows = [
        (each.folder, each.backend, each.rows, each.dimension, size(each.size_bytes), _done(each.built_now))
        for each in built
    ]
    document = {"indices": [{**asdict(each), "folder": str(each.folder)} for each in built]}
    terminal.result(document, table(["index", "back end", ">rows", ">dimension", ">size", ""], rows))


def _done(built_now: bool) -> str:
    return "built" if built_now else "kept"
