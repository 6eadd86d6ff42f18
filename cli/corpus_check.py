"""`vfsearch corpus check`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, common, decoding, option
from vfsearch_cli.terminal import duration, size, table

SHOWN = 20
EPILOG = """\b
Examples:
  vfsearch corpus check
  vfsearch corpus check --deep --report broken.csv
"""


@click.command(epilog=EPILOG)
@option("--manifest", type=PATH, default=None, help="List of media files.  [default: manifest.csv or .jsonl]")
@option("--deep", is_flag=True, help="Decode everything; else headers, truncation, and a moment of each clip.")
@option("--report", type=PATH, default=None, help="Write the items that would fail to this CSV file.")
@decoding
@common
def check(terminal, workspace: Path, manifest: Path | None, deep, report, decoding):
    """Say what would fail, before hours are spent on it.

    The exit code is 0 when nothing would, else 4.
    """
    from vfsearch.pipeline.check_corpus import check_corpus
    from vfsearch.pipeline.workspace import Workspace

    place = Workspace(folder=workspace, manifest=manifest)
    found = check_corpus(place, deep, decoding, report, terminal.progress)
    terminal.result(found.to_json(), _table(found), *_reasons(found), *_remarks(found))
    return 4 if found.failed else 0


def _table(found):
    failed = {modality: sum(item.modality == modality for item in found.failed) for modality in found.items}
    more = {"voice": f"{duration(found.audio_seconds)} of sound",
            "face": "{:,} to {:,} pixels".format(*found.pixels)}  # fmt: skip
    rows = [
        (modality, f"{count:,}", f"{failed[modality]:,}", size(found.media_bytes[modality]), more[modality])
        for modality, count in found.items.items()
    ]
    return table(["modality", ">items", ">would fail", ">media", ""], rows)


def _reasons(found) -> list:
    every = found.reasons()
    if not every:
        return []
    rows = [(modality, f"{count:,}", reason, path) for modality, reason, count, path in every[:SHOWN]]
    left = f"{len(every) - SHOWN} more reasons: see --report or --json" if len(every) > SHOWN else ""
    return [table(["modality", ">items", "reason", "for example"], rows, caption=left)]


def _remarks(found) -> list[str]:
    return [f"note: {what}: {count:,}" for what, count in found.remarks.items()]
