"""`vfsearch store merge`."""

from pathlib import Path

import click
from vfsearch_cli.options import PLACE, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch store merge monday tuesday --out embeddings
  vfsearch store merge old new --out embeddings --on-duplicate last
"""


@click.command(epilog=EPILOG)
@click.argument("stores", nargs=-1, required=True, type=PLACE)
@option("--out", type=PLACE, required=True, help="Folder of the new store.")
@option("--on-duplicate", type=click.Choice(["refuse", "first", "last", "same"]), default="refuse", show_default=True,
        help="Of an id that several stores have; same: take one if their vectors are equal, else refuse.")  # fmt: skip
@option("--dtype", type=click.Choice(["float32", "float16"]), default=None, help="[default: that of the stores]")
@option("--overwrite", is_flag=True, help="Replace a store that is there.")
@common
def merge(terminal, workspace: Path, stores, out, on_duplicate, dtype, overwrite):
    """Make one store of several whose rows are in the same spaces.

    Failures of which another store has a row are left out. A merge that was stopped goes on where it was.
    """
    from vfsearch.store.merging import merge_stores

    report = merge_stores(stores, out, on_duplicate, dtype, overwrite, terminal.progress)
    rows = [(name, f"{count:,}", f"{report.failures[name]:,}") for name, count in report.rows.items()]
    document = {**vars(report), "folder": str(report.folder)}
    left_out = f"left out: {report.dropped:,} rows and {report.repaired:,} failures of ids that have a row elsewhere"
    terminal.result(document, table(["modality", ">rows", ">failures"], rows, str(report.folder)), left_out)
