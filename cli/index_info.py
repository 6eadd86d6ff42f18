"""`vfsearch index info` and `vfsearch index verify`."""

from pathlib import Path

import click
from vfsearch_cli.cluster import partitions_on_cluster
from vfsearch_cli.options import PATH, PLACE, common, computing, option
from vfsearch_cli.outcome import tuned_text
from vfsearch_cli.terminal import size, table

INFO_EPILOG = """\b
Examples:
  vfsearch index info
  vfsearch index info face-svs --json
  vfsearch index info face-sharded --on ray
"""
VERIFY_EPILOG = """\b
Examples:
  vfsearch index verify
  vfsearch index verify face --absent p17
"""


@click.command(epilog=INFO_EPILOG)
@click.argument("indices", nargs=-1, metavar="[INDEX]...")
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@computing(beside_decoders=False)
@partitions_on_cluster
@common
def info(terminal, workspace: Path, indices, store, out, device, on):
    """What indices hold, how they were built, tuned and changed.

    INDEX is the name of an index or its folder; without one, all are shown. With --on ray: also where the partitions
    of sharded ones would be, on the cluster as it is now.
    """
    from vfsearch.pipeline.index_info import index_infos
    from vfsearch.pipeline.workspace import Workspace

    found = index_infos(Workspace(folder=workspace, embeddings=store, index=out), indices, device)
    columns = ["index", "preset", "back end", "modality", ">rows", ">dimension", ">size", "of"]
    placed = [on.placement(each.folder) for each in found]
    lines = [line for each, told in zip(found, placed, strict=True) for line in [*_lines(each), *told.lines]]
    document = {"indices": [each.to_json() | told.document for each, told in zip(found, placed, strict=True)]}
    terminal.result(document, table(columns, [_row(each) for each in found]), *lines)


def _row(each) -> tuple:
    about = each.about
    split = f", split {about['split']}" if about.get("split") else ""
    dimension = about["space"]["dimension"]
    return (each.folder, ", ".join(each.presets) or "-", about["backend"], about["modality"], about["rows"], dimension,
            size(each.size_bytes), each.state + split)  # fmt: skip


def _lines(each) -> list[str]:
    """What does not go into a table."""
    about, space = each.about, each.about["space"]
    files = ", ".join(f"{name} {size(count)}" for name, count in each.files.items() if not each.partitions)
    held = [f"  part    {part.folder.name}: {part.rows} rows from row {part.first} on, {size(part.size_bytes)}"
            for part in each.partitions] or [f"  files   {files}"]  # fmt: skip
    lines = [f"{each.folder}", f"  space   {space['name']}:{space['fingerprint'][:12]}, store {about['store'][:12]}",
             f"  built   {_values(about['settings']['parameters']) or 'no setting'}, seed {about['settings']['seed']}",
             *held]  # fmt: skip
    if each.problem:
        return [*lines, f"  cannot be opened: {each.problem}"]
    lines.append(f"  search  {_values(each.search) or 'no setting: every row is compared'}")
    lines += [f"          {knob.name} {knob.low} to {knob.high}: {knob.help}" for knob in each.knobs]
    return lines + _history(about)


def _history(about: dict) -> list[str]:
    """How an index was tuned and changed."""
    from vfsearch.data.pooling import Pooling

    tuned, changes = about["tuned"], about.get("changes", [])
    lines = [f"  pooled  by {Pooling.from_json(about['pooling'])}"] if about.get("pooling") else []
    lines += [f"  tuned   {tuned_text(tuned).removeprefix('tuned ')}{_promised(tuned)}"] if tuned else []
    counts = [f"+{change['added']} -{change['removed']} rows ({change['how']})" for change in changes]
    return lines + [f"  changed {text}" for text in counts]


def _promised(tuned: dict) -> str:
    """What the setting gave on probes that it was not chosen with, and what is to be done where that is over."""
    shares = tuned.get("chosen", {}).get("shares", {})
    given = "".join(f"; {name} {share['value']:.4f}" for name, share in shares.items())
    return given + ("; tune it again" if tuned.get("stale") else "")


def _values(settings: dict) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items() if value is not None)


@click.command(epilog=VERIFY_EPILOG)
@click.argument("indices", nargs=-1, metavar="[INDEX]...")
@option("--absent", "identities", multiple=True, metavar="IDENTITY",
        help="Look whether anything of this person is left; may be given more than once.")  # fmt: skip
@option("--absent-id", "ids", multiple=True, metavar="ID",
        help="Look whether anything of the row of this id is left; may be given more than once.")  # fmt: skip
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--out", type=PATH, default=None, help="Folder of the indices.  [default: index]")
@computing(beside_decoders=False)
@common
def verify(terminal, workspace: Path, indices, identities, ids, store, out, device):
    """Read every byte of indices and check it.

    INDEX is the name of an index or its folder; without one, all are read. Exit code 3: something is damaged, in the
    way, or left of somebody of whom nothing may be left. Ids and rows of --absent are taken from the store, as long as
    it has them.
    """
    from vfsearch.pipeline.index_info import verify_indices
    from vfsearch.pipeline.workspace import Workspace

    places = Workspace(folder=workspace, embeddings=store, index=out)
    found = verify_indices(places, indices, identities, ids, device, terminal.progress)
    document = {"indices": [each.to_json() for each in found]}
    terminal.result(document, *(line for each in found for line in _findings(each)))
    return 3 if any(each.faults for each in found) else 0


def _findings(each) -> list[str]:
    state = f"{len(each.faults)} faults" if each.faults else "whole"
    return [
        f"{each.folder}: {state}; {each.rows} rows, {each.files} files, {size(each.size_bytes)}",
        *(f"  fault: {text}" for text in each.faults),
        *(f"  proved: {text}" for text in each.proved),
        *(f"  not proved: {text}" for text in each.unproved),
    ]
