"""`vfsearch store`."""

from pathlib import Path

import click
from vfsearch_cli.options import PLACE, common, option
from vfsearch_cli.store_export import export
from vfsearch_cli.store_import import import_
from vfsearch_cli.store_merge import merge
from vfsearch_cli.store_stats import stats
from vfsearch_cli.terminal import size, table

INFO_EPILOG = """\b
Example:
  vfsearch store info
"""
VERIFY_EPILOG = """\b
Examples:
  vfsearch store verify
  vfsearch store verify --store features
"""


@click.group()
def store() -> None:
    """Stores: rows, identities and failures in checksummed shards."""


@store.command(epilog=INFO_EPILOG)
@option("--store", "place", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@common
def info(terminal, workspace: Path, place):
    """Say what a store holds: spaces, rows, failures, splits, size."""
    from vfsearch.store.inspect import describe

    found = describe(place or workspace / "embeddings")
    rows = [
        (part["modality"], part["split"] or "(none)", part["rows"], part["failures"], part["space"])
        for part in found["contents"]
    ]
    state = "complete" if found["complete"] else "not finished: go on with `vfsearch embed`"
    caption = (
        f"{state}; {found['dtype']}; {found['shards']} shards, {size(found['size_bytes'])}; {found['digest'][:12]}"
    )
    terminal.result(
        found, table(["modality", "split", ">rows", ">failures", "space"], rows, found["store"], caption)
    )  # fmt: skip


@store.command(epilog=VERIFY_EPILOG)
@option("--store", "place", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@common
def verify(terminal, workspace: Path, place):
    """Read every byte of a store and name each file that is damaged, missing or not listed.

    The exit code is 0 when all is as it was written, else 3.
    """
    from vfsearch.store.inspect import verify as verify_store

    found = verify_store(place or workspace / "embeddings", terminal.progress)
    lines = [*(f"damaged: {problem}" for problem in found["problems"]),
             *(f"not listed, and so ignored: {name}" for name in found["unlisted"]),
             f"{found['store']}: {found['files']} files, {len(found['problems'])} damaged"]  # fmt: skip
    terminal.result(found, *lines)
    return 3 if found["problems"] else 0


for command in (export, import_, merge, stats):
    store.add_command(command)
