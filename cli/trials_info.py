"""`vfsearch trials info`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, common, option
from vfsearch_cli.terminal import table

EPILOG = """\b
Examples:
  vfsearch trials info verify_v2f_test.txt
  vfsearch trials info *.txt --identities vox1_test.csv --json
"""
SHOWN = 110


@click.command(epilog=EPILOG)
@click.argument("files", type=PATH, nargs=-1, required=True)
@option("--format", default=None, help="Format of FILES.  [default: as recognised]")
@option("--identities", type=PATH, multiple=True,
        help="Table of whose items are: vox1_*.csv, a manifest, utt2spk, ...; may be given several times.")  # fmt: skip
@option("--lines", type=click.IntRange(min=0), default=3, show_default=True, help="First lines to show.")
@common
def info(terminal, workspace: Path, files, format, identities, lines):
    """Say what lists of trials are: kind, format, and how many trials, items and identities."""
    from vfsearch.pipeline.trial_files import file_info

    found = [file_info(file, format, identities, lines) for file in files]
    shown = [part for each in found for part in (_table(each), *_lines(each))]
    terminal.result({"lists": [_document(each) for each in found]}, *shown)


def _document(each) -> dict:
    return {**each.description.to_json(), "certainty": each.certainty, "first": [line[:1000] for line in each.first]}


def _lines(each) -> list[str]:
    return [f"  {line}" if len(line) <= SHOWN else f"  {line[:SHOWN]}..." for line in each.first]


def _table(each):
    from vfsearch.trials.formats.catalog import CERTAINTIES

    found = each.description
    sure = "as given" if each.certainty is None else CERTAINTIES[each.certainty]
    kind = found.kind if found.candidates is None else f"{found.kind}, 1:{found.candidates}"
    facts = [
        ("kind", kind),
        ("format", f"{found.format} ({sure})"),
        ("trials", f"{found.trials:,}"),
        ("probes, items", f"{found.probes:,} and {found.items:,} different ones; {found.names:,} names in all"),
        ("identities", _identities(found)),
        ("labels", _labels(found)),
        ("scores", _scores(found)),
        *((name, value) for name, value in found.about.items() if name != "identities"),
    ]
    return table([found.where, ""], facts)


def _identities(found) -> str:
    if found.identities is None:
        return "the list tells of none; --identities gives them"
    beside = found.about.get("identities")
    where = f", by {', '.join(map(str, beside))} beside it" if isinstance(beside, list) and beside else ""
    unknown = f"; of {found.unknown:,} names it is not known" if found.unknown else ""
    return f"{found.identities:,}{where}{unknown}"


def _labels(found) -> str:
    if found.candidates is not None:
        return "the first item is the mate"
    if found.positive_share is None:
        return "none"
    by = "" if found.labels == "list" else ", by identity"
    without = f"; {found.unlabelled:,} trials without" if found.unlabelled else ""
    return f"{found.positives:,} positive ({found.positive_share:.2%}){by}{without}"


def _scores(found) -> str:
    if not found.scored:
        return "none"
    return f"{found.unscored:,} trials lack one" if found.unscored else "of every trial"
