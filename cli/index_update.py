"""`vfsearch index add` and `vfsearch index remove`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, PLACE, common, computing, option
from vfsearch_cli.terminal import table

ADD_EPILOG = """\b
Examples:
  vfsearch index add
  vfsearch index add face face-svs --prune
  vfsearch index add --dry-run
"""
REMOVE_EPILOG = """\b
Examples:
  vfsearch index remove face --identity p17
  vfsearch index remove face --id photos/p17/3.jpg --id photos/p17/4.jpg
  vfsearch index verify face --absent p17
"""
COLUMNS = ["index", ">rows", ">added", ">replaced", ">removed", ">seconds", "how"]


@click.command(epilog=ADD_EPILOG)
@click.argument("indices", nargs=-1, metavar="[INDEX]...")
@option("--prune", "--sync", is_flag=True, help="Remove the rows that the store does not have.")
@option("--dry-run", is_flag=True, help="Only say what would be done.")
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@computing(beside_decoders=False)
@common
def add(terminal, workspace: Path, indices, prune, dry_run, store, out, device):
    """Add the rows of the store that indices lack.

    INDEX is the name of an index or its folder; without one, all are brought up to date. Rows that the store has
    otherwise now, because they were embedded anew, are replaced. An index of one split gets rows of that split alone.
    The old index is whole until the new one is.
    """
    from vfsearch.pipeline.update_index import add_to_index, followers
    from vfsearch.pipeline.workspace import Workspace

    places = Workspace(folder=workspace, embeddings=store, index=out)
    folders, passed_over = followers(places, indices)
    for text in passed_over:
        terminal.warn(text)
    changes = [add_to_index(places, str(each), prune, dry_run, device, terminal.progress) for each in folders]
    _show(terminal, changes, dry_run)


@click.command(epilog=REMOVE_EPILOG)
@click.argument("index")
@option("--identity", "identities", multiple=True, help="All rows of this person; may be given more than once.")
@option("--id", "ids", multiple=True, help="The row of this id; may be given more than once.")
@option("--dry-run", is_flag=True, help="Only say what would be done.")
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@computing(beside_decoders=False)
@common
def remove(terminal, workspace: Path, index, identities, ids, dry_run, store, out, device):
    """Remove rows from an index, leaving no byte of them in it.

    INDEX is the name of an index or its folder. What is named must be there, else nothing is removed. The store is not
    changed; `vfsearch index verify --absent` looks whether anything is left.
    """
    from vfsearch.pipeline.update_index import remove_from_index
    from vfsearch.pipeline.workspace import Workspace

    places = Workspace(folder=workspace, embeddings=store, index=out)
    change = remove_from_index(places, index, identities, ids, dry_run, device, terminal.progress)
    _show(terminal, [change], dry_run)


def _show(terminal, changes, dry_run: bool) -> None:
    for warning in (warning for change in changes for warning in change.warnings):
        terminal.warn(warning)
    document = {"indices": [change.to_json() for change in changes], "dry_run": dry_run}
    terminal.result(document, table(COLUMNS, [_row(change, dry_run) for change in changes]))


def _row(change, dry_run: bool) -> tuple:
    nothing = "up to date" if not change.written else "up to date; the store is another one now"
    how = "not done: --dry-run" if dry_run else change.how or nothing
    counts = (change.added, change.replaced, change.removed)
    return (change.folder, change.rows, *counts, f"{change.seconds:.1f}", how)
