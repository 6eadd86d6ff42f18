"""`vfsearch store export`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, PLACE, common, option
from vfsearch_cli.terminal import size

EPILOG = """\b
Examples:
  vfsearch store export --format npy --modality face
  vfsearch store export --format ann-benchmarks --modality face --probe voice --split test
"""


@click.command(epilog=EPILOG)
@option("--store", "place", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--format", type=click.Choice(["npy", "fvecs", "parquet", "ann-benchmarks"]), required=True)
@option("--modality", type=click.Choice(["voice", "face"]), required=True, help="Whose rows; those searched.")
@option("--split", default=None, help="Rows of this split alone.")
@option("--probe", type=click.Choice(["voice", "face"]), default="voice", show_default=True,
        help="Whose rows are the probes of ann-benchmarks.")  # fmt: skip
@option("--k", type=click.IntRange(min=1), default=100, show_default=True, help="Exact neighbours of each probe.")
@option("--out", type=PATH, default=None, help="Folder to write to.  [default: export]")
@option("--overwrite", is_flag=True, help="Replace files that are there.")
@common
def export(terminal, workspace: Path, place, out, overwrite, **asked):
    """Write the rows of a store in the files of other programs.

    npy and fvecs have a table of ids, identities and columns beside them; parquet has all in one file; ann-benchmarks
    has rows, probes and the exact neighbours.
    """
    from vfsearch.store.exporting import Export, export_store
    from vfsearch.store.store import open_store

    store = open_store(place or workspace / "embeddings")
    written = export_store(store, Export(**asked), out or workspace / "export", overwrite, terminal.progress)
    terminal.result({"files": written}, *(f"{path}: {size(count)}" for path, count in written.items()))
