"""Who may stand beside whom in a trial, so arranged that drawing is arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.errors import SettingsError

NO_VALUE = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Who is on either side, which is all that drawing trials needs.

    Args:
        probes: (p,) int64 identity of each probe.
        gallery: (g,) int64 identity of each gallery item.
        itself: (p,) the gallery row that is the probe's own item, -1 where there is none.
    """

    probes: np.ndarray
    gallery: np.ndarray
    itself: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """A value of each item of both sides, numbered: its group, or its source.

    Args:
        probes: (p,) int64, -1 where it is not known.
        gallery: (g,) int64, likewise.
        names: the values by number, for messages.
    """

    probes: np.ndarray
    gallery: np.ndarray
    names: Sequence[str] = ()

    def name(self, number: int) -> str:
        """The value of a number."""
        return self.names[number] if number < len(self.names) else str(number)


class Pool:
    """The gallery in an order in which each probe's group, mates and same-source mates are ranges.

    An item without a known group, or without a known source where sources count, is on neither side.

    Args:
        sides: who is there.
        groups: candidates, the mate too, are of the probe's group; None: of any.
        sources: the mate is of another source than the probe; None: of any.
    Attributes:
        rows: gallery rows, by group, identity and source.
        mates: (p,) how many mates each probe may get.
        others: (p,) how many items of other identities each probe may get.
    """

    def __init__(self, sides: Sides, groups: Labels | None = None, sources: Labels | None = None) -> None:
        self.sides = sides
        self.groups = groups if groups is not None else _all_alike(sides)
        self._excludes_sources = sources is not None
        sources = sources if sources is not None else _all_alike(sides)
        self.usable = (self.groups.probes != NO_VALUE) & (sources.probes != NO_VALUE)
        usable_rows = (self.groups.gallery != NO_VALUE) & (sources.gallery != NO_VALUE)
        cells = _pairs(self.groups, Labels(probes=sides.probes, gallery=sides.gallery))
        finest = _pairs(cells, sources)
        self.rows = np.flatnonzero(usable_rows)
        self.rows = self.rows[np.argsort(finest.gallery[self.rows], kind="stable")]
        self._group = self._range(self.groups)
        self._mates = self._range(cells)
        self._barred = self._range(finest) if self._excludes_sources else self._own_places()
        self.mates = np.where(self.usable, _size(self._mates) - _size(self._barred), 0)
        self.others = np.where(self.usable, _size(self._group) - _size(self._mates), 0)

    def _range(self, labels: Labels) -> tuple[np.ndarray, np.ndarray]:
        """Where the items with each probe's label begin and end."""
        ordered = labels.gallery[self.rows]
        return tuple(np.searchsorted(ordered, labels.probes, side=side) for side in ("left", "right"))

    def _own_places(self) -> tuple[np.ndarray, np.ndarray]:
        place = np.full(len(self.sides.gallery), NO_ROW, dtype=np.int64)
        place[self.rows] = np.arange(len(self.rows))
        itself = self.sides.itself
        own = np.where(itself == NO_ROW, NO_ROW, place[itself]) if len(place) else np.full(len(itself), NO_ROW)
        start, end = self._mates
        # An item that stands on both sides may have another label on each.
        inside = (own >= start) & (own < end)
        return np.where(inside, own, 0), np.where(inside, own + 1, 0)

    def gallery_left_out(self) -> int:
        """How many gallery items are in no trial because their group or source is not known."""
        return len(self.sides.gallery) - len(self.rows)

    def without_mate(self) -> dict[str, int]:
        """How many probes ask nothing, by the first reason that holds."""
        mates_of_group = _size(self._mates) - _size(self._own_places())
        reasons = {
            "group or source not known": ~self.usable,
            "no mate in the gallery": self._mates_of_any_group() == 0,
            "no mate of its group": mates_of_group == 0,
            "no mate of another source": self.mates == 0,
        }
        counts, left = {}, np.ones(len(self.usable), dtype=bool)
        for reason, holds in reasons.items():
            counts[reason] = int((holds & left).sum())
            left &= ~holds
        return {reason: count for reason, count in counts.items() if count}

    def _mates_of_any_group(self) -> np.ndarray:
        identities, itself = self.sides, self.sides.itself
        people = 1 + max(identities.probes.max(initial=-1), identities.gallery.max(initial=-1))
        counts = np.bincount(identities.gallery[self.rows], minlength=people)[identities.probes]
        return counts - np.isin(itself, self.rows)

    def mate_rows(self, probes: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The gallery rows of mates.

        Args:
            probes: (t,) probe rows.
            drawn: (t,) numbers below `mates` of each.
        """
        place, (start, end) = self._mates[0][probes] + drawn, self._barred
        return self.rows[place + (place >= start[probes]) * (end - start)[probes]]

    def other_rows(self, probes: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """The gallery rows of items of other identities.

        Args:
            probes: (t,) probe rows.
            drawn: (t, c) numbers below `others` of each.
        """
        place, (start, end) = self._group[0][probes, None] + drawn, self._mates
        return self.rows[place + (place >= start[probes, None]) * (end - start)[probes, None]]

    def too_small(self, others: int) -> np.ndarray:
        """(s,) probe rows that have a mate but fewer than `others` items of other identities."""
        return np.flatnonzero((self.mates > 0) & (self.others < others))

    def require(self, others: int) -> None:
        """Refuse a number of candidates that not every probe with a mate can have.

        Raises:
            SettingsError: naming the groups that are too small, and what is possible.
        """
        probes = self.too_small(others)
        if not len(probes):
            return
        most = int(self.others[probes].min())
        message = (
            f"1:{others + 1} matching needs {others} gallery items of other identities for each probe, one has {most}"
        )
        if len(self.groups.names):
            message = f"{message} in its group ({self._named(probes)})"
        possible = f"ask for a smaller N (at most {most + 1})" if most else "it cannot be told from anybody"
        raise SettingsError(f"{message}; {possible}, or leave those {len(probes)} probes out")

    def _named(self, probes: np.ndarray, most: int = 3) -> str:
        of = self.groups.probes[probes]
        numbers, counts = np.unique(of, return_counts=True)
        named = [
            f"{self.groups.name(number)}: {count} probes with {self.others[probes[of == number]].min()} others"
            for number, count in list(zip(numbers, counts, strict=True))[:most]
        ]
        return "; ".join(named) + (f"; and {len(numbers) - most} more groups" if len(numbers) > most else "")


def _size(bounds: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return bounds[1] - bounds[0]


def _all_alike(sides: Sides) -> Labels:
    return Labels(probes=np.zeros(len(sides.probes), np.int64), gallery=np.zeros(len(sides.gallery), np.int64))


def _pairs(first: Labels, second: Labels) -> Labels:
    """Numbers of pairs of labels, in the order of the first and then of the second."""
    width = 1 + max(second.probes.max(initial=0), second.gallery.max(initial=0))
    keys = np.concatenate([each * width + other for each, other in
                           ((first.probes, second.probes), (first.gallery, second.gallery))])  # fmt: skip
    numbers = np.unique(keys, return_inverse=True)[1]
    return Labels(probes=numbers[: len(first.probes)], gallery=numbers[len(first.probes) :])
