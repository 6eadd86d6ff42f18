"""`vfsearch measures`."""

import click
from vfsearch_cli.options import common, option
from vfsearch_cli.terminal import table

FAMILIES = ("matching", "verification", "ranking", "identification")
NUMBERS = {"count": "K", "rate": "X", "score": "T", "": ""}
EPILOG = """\b
Examples:
  vfsearch measures
  vfsearch measures --family verification
  vfsearch measures --compat
"""


@click.command(epilog=EPILOG)
@option("--family", type=click.Choice(FAMILIES), default=None, help="Only those of one kind of trials.")
@option("--compat", is_flag=True, help="List instead the peers whose arithmetic can be reproduced.")
@common
def measures(terminal, family, compat, **ignored):
    """List every measure: its name, formula, direction and source; or the peers that --compat knows.

    A name with K takes a whole number (R@10), with X a fraction (TAR@FAR=0.001), with T a score.
    """
    if compat:
        return _peers(terminal)
    from vfsearch.measure.catalog import of_family

    document, rows = [], []
    for kind in of_family(family):
        name = kind.template.format(NUMBERS[kind.parameter])
        better = "higher" if kind.higher_is_better else "lower"
        document.append({"name": name, "family": kind.family, "title": kind.title, "formula": kind.formula,
                         "better": better, "source": kind.source})  # fmt: skip
        rows.append((name, kind.family, better, f"{kind.title}: {kind.formula}", kind.source))
    terminal.result({"measures": document}, table(["name", "of", "better", "what", "source"], rows))


def _peers(terminal) -> None:
    from dataclasses import asdict

    from vfsearch.measure.compat import COMPAT

    rows = [(each.name, each.peer, each.eer, each.ties, each.notes, each.source) for each in COMPAT.values()]
    document = {"compat": [asdict(each) for each in COMPAT.values()]}
    terminal.result(document, table(["name", "peer", "EER", "ties", "what differs", "source"], rows))


def named_measures(measures: tuple[str, ...]) -> tuple[str, ...]:
    """The names; "all" stands for every measure without a number, and the usual ones with one."""
    if "all" not in measures:
        return measures
    from vfsearch.measure.catalog import KINDS, USUAL

    every = [kind.template for kind in KINDS if not kind.parameter]
    return tuple(dict.fromkeys([*every, *(name for names in USUAL.values() for name in names),
                                *(name for name in measures if name != "all")]))  # fmt: skip


def unused_measures(asked: tuple[str, ...], outcome) -> list[str]:
    """A warning for each measure that was asked for and is none of what was measured.

    Args:
        asked: names as they were given.
        outcome: what was measured.
    """
    if not asked or "all" in asked:
        return []
    from vfsearch.measure.catalog import parse_measure

    asked_for = [each for each in outcome.measurements if each.protocol != "search"]
    given = {name.partition(" [")[0] for each in asked_for for name in each.values}
    names = [str(parse_measure(name)) for name in asked]
    return [
        f"{name} is a measure of other trials than these, and was passed over" for name in names if name not in given
    ]
