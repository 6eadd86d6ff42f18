"""`vfsearch trials formats`."""

from pathlib import Path

import click
from vfsearch_cli.options import common
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch trials formats
  vfsearch trials formats --json
"""


@click.command(epilog=EPILOG)
@common
def formats(terminal, workspace: Path):
    """List the file formats of trials and scores, with what they hold.

    A format of your own needs no registration: name it as module:Class. A package can register formats in the
    entry-point group "vfsearch.trial_formats".
    """
    from vfsearch.pipeline.trial_files import format_facts

    found = format_facts()
    rows = [
        (each["name"], ", ".join(each["kinds"]), _use(each), each["scores"] or "-", each["summary"], each["source"])
        for each in found
    ]
    terminal.result({"formats": found}, table(["name", "kinds", "", "scores", "what a line says", "source"], rows))


def _use(each: dict) -> str:
    return "read, write" if each["written"] else "read"
