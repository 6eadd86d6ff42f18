"""`vfsearch encoders`."""

from pathlib import Path

import click
from vfsearch_cli.options import common
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch encoders
  vfsearch encoders --json
"""


@click.command(epilog=EPILOG)
@common
def encoders(terminal, workspace: Path):
    """List the encoders that are known by name, with what they are and whether they can be used here.

    An encoder of your own needs no registration: name it as module:Class wherever an encoder is asked for. A package
    can register its encoders in the entry-point group "vfsearch.encoders".
    """
    from vfsearch.encoders.catalog import ENCODERS

    listed = [_facts(name, entry) for name, entry in sorted(ENCODERS.entries().items())]
    rows = [
        (
            each["name"],
            each.get("modality", "?"),
            each.get("dimension", "?"),
            each.get("licence", "?"),
            "yes" if each["installed"] else f"no: {each['install_with']}",
            each.get("description", ""),
        )
        for each in listed
    ]
    columns = ["name", "modality", ">dimension", "licence", "installed", "what"]
    terminal.result({"encoders": listed}, table(columns, rows))


def _facts(name: str, entry) -> dict:
    state = {"installed": not entry.missing, "missing": list(entry.missing), "install_with": entry.pip_line}
    return {"name": name, **entry.facts, **state}
