"""Which columns a file of our own format has."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vfsearch.data.trial_list import MATCHING, RELEVANCE, RETRIEVAL, TrialList
from vfsearch.errors import TrialListError

PROBE, SIDE, ITEM, MATED, GRADE = "probe", "side", "item", "mated", "grade"
_RESERVED = re.compile(r"probe|mate|item|mated|grade|other_\d+|score|score_mate|score_\d+|identity|.*_identity")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a file.

    Args:
        names: of all columns, in their order.
        items: the names of those that hold items; the probe is not among them.
        label: the name of the one with the label, "" if there is none.
        identities: the names of those with identities, the probe's first; none if there are none.
        scores: the names of those with scores, one for each of `items`; none if there are none.
        extra: the names of those that mean nothing to us.
    """

    names: tuple[str, ...]
    items: tuple[str, ...]
    label: str
    identities: tuple[str, ...]
    scores: tuple[str, ...]
    extra: tuple[str, ...]

    def pick(self, cells: Sequence[list[str]], names: Sequence[str]) -> list[list[str]]:
        """The cells of some columns.

        Args:
            cells: of each column, in the order of the file.
            names: of the columns wanted.
        """
        return [cells[self.names.index(name)] for name in names]


def items_of(kind: str, candidates: int | None) -> tuple[str, ...]:
    """The names of the columns that hold items."""
    if kind != MATCHING:
        return (ITEM,)
    return ("mate", *(f"other_{number}" for number in range(1, candidates or 0)))


def _label_of(kind: str) -> str:
    return {MATCHING: "", RETRIEVAL: "", RELEVANCE: GRADE}.get(kind, MATED)


def _scores_of(kind: str, items: Sequence[str]) -> tuple[str, ...]:
    if kind != MATCHING:
        return ("score",)
    return tuple(f"score_{item.removeprefix('other_')}" for item in items)


def _identities_of(kind: str, items: Sequence[str]) -> tuple[str, ...]:
    return ("identity",) if kind == RETRIEVAL else tuple(f"{item}_identity" for item in (PROBE, *items))


def columns_for(trials: TrialList, extra: Sequence[str]) -> Columns:
    """The columns that a list is written with.

    Args:
        trials: the list.
        extra: names of its further columns.
    Raises:
        TrialListError: a further column has a name that means something to us.
    """
    for name in extra:
        if (
            _RESERVED.fullmatch(name)
            or not name
            or (name == SIDE and trials.kind == RETRIEVAL)
            or re.search(r"[\t\r\n\0]", name)
        ):
            raise TrialListError(
                f"{trials.where} cannot be written as vfsearch: its column {name!r} has a name that is taken; rename it"
            )
    items = items_of(trials.kind, trials.candidates)
    label = _label_of(trials.kind) if trials.labelled or trials.kind == RELEVANCE else ""
    identities = _identities_of(trials.kind, items) if trials.identities else ()
    scores = _scores_of(trials.kind, items) if trials.scored else ()
    leading = (SIDE,) if trials.kind == RETRIEVAL else (PROBE,)
    names = (*leading, *items, *((label,) if label else ()), *identities, *scores, *extra)
    return Columns(names=names, items=items, label=label, identities=identities, scores=scores, extra=tuple(extra))


def columns_in(kind: str, names: Sequence[str], where: str) -> Columns:
    """The columns of a file that is read.

    Args:
        kind: of the list.
        names: what its second line says.
        where: the file, for messages.
    Raises:
        TrialListError: a column is missing or there twice.
    """
    found = set(names)
    if len(found) < len(names):
        raise TrialListError(f"{where}, line 2: a column is there twice in {', '.join(names)}")
    candidates = 1 + sum(bool(re.fullmatch(r"other_\d+", name)) for name in names)
    items = items_of(kind, candidates)
    needed = (SIDE if kind == RETRIEVAL else PROBE, *items, *((GRADE,) if kind == RELEVANCE else ()))
    _require(needed, found, kind, where)
    if kind == MATCHING and candidates < 2:
        raise TrialListError(f"{where}, line 2: a list of matching needs a column other_1")
    label = _label_of(kind) if _label_of(kind) in found else ""
    identities = _all_or_none(_identities_of(kind, items), found, kind, where)
    scores = () if kind == RETRIEVAL else _all_or_none(_scores_of(kind, items), found, kind, where)
    known = {*needed, label, *identities, *scores}
    return Columns(
        names=tuple(names), items=items, label=label, identities=identities, scores=scores,
        extra=tuple(name for name in names if name not in known),
    )  # fmt: skip


def _all_or_none(names: tuple[str, ...], found: set[str], kind: str, where: str) -> tuple[str, ...]:
    if found.isdisjoint(names):
        return ()
    _require(names, found, kind, where)
    return names


def _require(names: Sequence[str], found: set[str], kind: str, where: str) -> None:
    missing = [name for name in names if name not in found]
    if missing:
        raise TrialListError(
            f"{where}, line 2: a list of {kind} needs the columns {', '.join(names[:6])}"
            f"{', ...' if len(names) > 6 else ''}; there is no {missing[0]}"
        )
