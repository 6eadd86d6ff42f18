"""`vfsearch store stats`."""

from pathlib import Path

import click
from vfsearch_cli.options import PLACE, common, option
from vfsearch_cli.terminal import table

SHOWN = 5
EPILOG = """\b
Examples:
  vfsearch store stats
  vfsearch store stats --store features --split test
"""


@click.command(epilog=EPILOG)
@option("--store", "place", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--split", default=None, help="Rows of this split alone.")
@common
def stats(terminal, workspace: Path, place, split):
    """Say what the rows are like: lengths, spread, mates, duplicates, outliers; and whether they have collapsed.

    The exit code is 4 when something is wrong with them, else 0.
    """
    from vfsearch.store.statistics import store_statistics
    from vfsearch.store.store import open_store

    found = store_statistics(open_store(place or workspace / "embeddings", complete=False), split, terminal.progress)
    for alarm in found.alarms:
        terminal.warn(alarm)
    terminal.result(found.to_json(), _table(found), *_lines(found))
    return 4 if found.alarms else 0


def _table(found):
    figures = (
        ("rows", lambda each: f"{each.rows:,}"),
        ("identities", lambda each: f"{each.identities:,}, {each.single:,} of them with one row"),
        ("lengths as stored", lambda each: f"{each.norms[0]:.6f} to {each.norms[1]:.6f}"),
        ("length of the mean row", lambda each: f"{each.mean_length:.3f}"),
        ("mean cosine of mated pairs", lambda each: _number(each.cosine_mated)),
        ("mean cosine of the others", lambda each: _number(each.cosine_nonmated)),
        ("directions that count", lambda each: f"{each.effective_rank:.1f} of {each.dimension}"),
        ("variance in the first", lambda each: f"{each.top_share:.1%}"),
        ("constant columns", lambda each: f"{each.constant:,}"),
        ("rows with another's vector", lambda each: f"{each.duplicate_rows:,} in {each.duplicates:,} groups"),
    )
    rows = [(name, *(show(each) for each in found.of.values())) for name, show in figures]
    return table(["", *(f">{modality}" for modality in found.of)], rows)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _lines(found) -> list[str]:
    lines = []
    if found.mated is not None:
        lines.append(f"voices and faces: mated pairs {found.mated:.3f}, others {_number(found.nonmated)}, on average")
    for modality, each in found.of.items():
        if each.across:
            lines.append(f"{modality}: {each.across:,} groups of equal vectors have rows of several identities")
        for group in each.duplicate_ids[:SHOWN]:
            lines.append(f"{modality}, equal vectors: {', '.join(group)}")
        for id_, identity, cosine in each.outliers[:SHOWN]:
            lines.append(f"{modality}, far from the others of {identity}: {id_} ({cosine:.3f})")
    return lines
