"""Ranks of mates in a gallery that lies in parts, none of which sees the others.

A rank is a count, and counts of parts add up. First each part scores the mates that it holds; with the scores of all
mates of a query known, each part counts its rows between them; the sums are those of the whole gallery, so that every
rank, and what is computed from ranks, is exact.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd
from vfsearch.kernels.cpu.asked import Asked
from vfsearch.kernels.cpu.gallery import Stretch
from vfsearch.kernels.cpu.mates import blocks, keep_distinct, sort_each
from vfsearch.kernels.cpu.ranking import Counts, Ranking
from vfsearch.kernels.cpu.unit_counting import count_units
from vfsearch.kernels.crowds import BLOCK_COUNTS, crowd_of
from vfsearch.kernels.rank_gallery import MAX_MEMORY, rank_gallery
from vfsearch.kernels.ranks import COLUMNS

MATES_AT_ONCE = 2**19
"""Of the queries that parts are asked about together: what they answer is of this size."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MateScores:
    """Exact scores of the mates of some queries.

    Args:
        mates: (q,) int64 how many mates each query has.
        scores: (t,) float64, those of each query side by side, t being the sum of `mates`.
        sizes: (q,) int64 how many different scores each has, ascending from where its own begin; None: its scores are
            all there, in no order.
    """

    mates: np.ndarray
    scores: np.ndarray
    sizes: np.ndarray | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return self.mates.nbytes + self.scores.nbytes + (0 if self.sizes is None else self.sizes.nbytes)

    @property
    def starts(self) -> np.ndarray:
        """(q + 1,) int64 where the scores of each query begin, and where the last end."""
        return np.concatenate([[0], np.cumsum(self.mates)])


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitCounts:
    """What a part counted by unit.

    Args:
        beyond, equal: (t,) int64; as `PartRanks.counts`.
        above, tied: (t, U) int64, best block of each query first: rows of each unit above it, and equal to it.
        items: (U,) int64 rows of each unit.
    """

    beyond: np.ndarray
    equal: np.ndarray
    above: np.ndarray
    tied: np.ndarray
    items: np.ndarray


class PartRanks:
    """One part of a gallery.

    Args:
        vectors: (n, d) unit rows.
        identities: (n,) int64, numbered as in the other parts.
        max_memory: bytes to use beside rows and results; None: 1 GiB.
    """

    def __init__(self, vectors: np.ndarray, identities: np.ndarray, max_memory: int | None = None) -> None:
        self._memory = max_memory or MAX_MEMORY
        self._gallery = rank_gallery(vectors, identities, max_memory=self._memory)

    def mate_scores(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray | None) -> MateScores:
        """The scores of the mates that stand here.

        Args:
            queries: (q, d) unit rows.
            identities: (q,) int64.
            exclude: (q,) one row each is not compared with; -1 for none. None: none at all.
        """
        exclude = _places(exclude, len(queries))
        mates = self._gallery.mates(identities, exclude)
        found = MateScores(mates=mates, scores=np.empty(int(mates.sum())))
        starts = found.starts

        def write(asked: Asked) -> None:
            found.scores[_slots(starts[asked.numbers], mates[asked.numbers])] = asked.thresholds

        self._ranking(identities, exclude, mates).run(queries, write, counting=None)
        return found

    def counts(
        self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray | None, mates: MateScores
    ) -> tuple[np.ndarray, np.ndarray]:
        """How many rows that are no mates stand between the scores of the mates.

        Args:
            queries, identities, exclude: as for `mate_scores`.
            mates: of all parts, with `sizes`.
        Returns:
            (t,) int64 rows above each score and not above the next one; (t,) int64 rows equal to it.
        """
        beyond, equal = np.zeros((2, len(mates.scores)), dtype=np.int64)
        self._count(queries, identities, _places(exclude, len(queries)), mates, beyond, equal)
        return beyond, equal

    def unit_counts(
        self,
        queries: np.ndarray,
        identities: np.ndarray,
        exclude: np.ndarray | None,
        mates: MateScores,
        units: np.ndarray,
        count: int,
    ) -> UnitCounts:
        """As `counts`, and by unit.

        Args:
            queries, identities, exclude, mates: as there.
            units: (I,) int64 unit of each identity number.
            count: of units.
        """
        beyond, equal = np.zeros((2, len(mates.scores)), dtype=np.int64)
        above, tied = (np.zeros((len(mates.scores), count), dtype=np.int64) for _ in range(2))
        starts, units = mates.starts, units.astype(np.int32)

        def counting(asked: Asked, part: Stretch, span: tuple[int, int], strip: np.ndarray) -> Counts:
            own = np.zeros((2, len(asked.thresholds)), dtype=np.int64)
            written = (starts[asked.numbers], above, tied, *own)
            count_units(*asked.facts(part), span, strip, units[part.identities], *written)
            return own[0], own[1]

        self._count(queries, identities, _places(exclude, len(queries)), mates, beyond, equal, counting)
        items = np.bincount(units[self._gallery.identities], minlength=count)
        return UnitCounts(beyond=beyond, equal=equal, above=above, tied=tied, items=items)

    def _count(self, queries, identities, exclude, mates: MateScores, beyond, equal, counting=None) -> None:
        starts = mates.starts

        def settle(asked: Asked) -> None:
            slots = _slots(starts[asked.numbers], mates.mates[asked.numbers])
            asked.settle_for(mates.scores[slots], mates.sizes[asked.numbers])

        def write(asked: Asked) -> None:
            slots = _slots(starts[asked.numbers], mates.mates[asked.numbers])
            beyond[slots], equal[slots] = asked.beyond, asked.equal

        own = {} if counting is None else {"counting": counting, "split": False}
        self._ranking(identities, exclude, mates.mates).run(queries, write, settle=settle, **own)

    def _ranking(self, identities: np.ndarray, exclude: np.ndarray, mates: np.ndarray) -> Ranking:
        return Ranking(self._gallery, identities, exclude, mates, self._memory)


def _places(exclude: np.ndarray | None, queries: int) -> np.ndarray:
    return np.full(queries, NO_ROW) if exclude is None else np.asarray(exclude, dtype=np.int64)


def _slots(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The places from each start on, so many each.

    Example:
        >>> _slots(np.array([7, 0]), np.array([2, 3])).tolist()
        [7, 8, 0, 1, 2]
    """
    begin = np.cumsum(sizes) - sizes
    return np.repeat(starts - begin, sizes) + np.arange(int(sizes.sum()))


def joined(parts: Sequence[MateScores]) -> tuple[MateScores, np.ndarray]:
    """The mates of all parts, their different scores ascending, and (t,) int64 how many mates have each."""
    mates = np.sum([part.mates for part in parts], axis=0)
    queries = np.concatenate([np.repeat(np.arange(len(mates)), part.mates) for part in parts])
    scores = np.concatenate([part.scores for part in parts])[np.argsort(queries, kind="stable")]
    found = MateScores(mates=mates, scores=scores, sizes=np.zeros(len(mates), dtype=np.int64))
    times = np.zeros(len(scores), dtype=np.int64)
    sort_each(found.scores, found.starts)
    keep_distinct(found.scores, found.starts, found.sizes, times)
    return found, times


Ask = Callable[[str, Mapping[int, tuple]], Mapping[int, Any]]


class PartedRanks:
    """A gallery in parts.

    Args:
        ask: (name of a method of `PartRanks`, part -> its arguments) -> part -> what it answers.
        spans: part -> from which row of the gallery to before which it holds.
    """

    def __init__(self, ask: Ask, spans: Mapping[int, tuple[int, int]]) -> None:
        self._ask, self._spans = ask, spans
        self._rows = sum(last - first for first, last in spans.values())

    def ranks(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray) -> MateRanks:
        """As `vfsearch.kernels.ranks.mate_ranks`, of all parts.

        Args:
            queries: (q, d) unit rows.
            identities: (q,) int64.
            exclude: (q,) row of the gallery that each is not compared with; -1 for none.
        """
        pieces, first = [[np.zeros(0, dtype=np.int64)] * (len(COLUMNS) + 1)], 0
        for part, mates, times in self._mated(queries, identities, exclude):
            found = self._ask("counts", self._with(queries[part], identities[part], exclude[part], mates))
            beyond, equal = (np.sum([counts[which] for counts in found.values()], axis=0) for which in range(2))
            pieces.append(_columns(mates, times, beyond, equal, first))
            first += len(mates.mates)
        columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
        compared = np.full(len(queries), self._rows, dtype=np.int64) - (exclude != NO_ROW)
        return MateRanks(**dict(zip((*COLUMNS, "mates"), columns, strict=True)), gallery=compared)

    def crowds(
        self, queries: np.ndarray, identities: np.ndarray, rows: np.ndarray, units: np.ndarray, exclude: np.ndarray
    ) -> Iterator[Crowd]:
        """As `vfsearch.kernels.crowds.crowds`, of all parts."""
        count = int(units.max(initial=-1)) + 1
        step = max(1, BLOCK_COUNTS // max(1, 8 * count))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            yield from self._crowds(queries[some], identities[some], exclude[some], some, units, count)

    def _crowds(self, queries, identities, exclude, rows, units, count: int) -> Iterator[Crowd]:
        most = max(1, BLOCK_COUNTS // count)
        for part, mates, times in self._mated(queries, identities, exclude, most):
            asked = self._with(queries[part], identities[part], exclude[part], mates, units, count)
            found = list(self._ask("unit_counts", asked).values())
            beyond, equal, above, tied, items = (
                np.sum([getattr(each, name) for each in found], axis=0)
                for name in ("beyond", "equal", "above", "tied", "items")
            )
            columns = _columns(mates, times, beyond, equal, 0)
            kept = _slots(mates.starts[:-1], mates.sizes)
            compared = np.full(len(mates.mates), self._rows, dtype=np.int64) - (exclude[part] != NO_ROW)
            ranks = MateRanks(**dict(zip((*COLUMNS, "mates"), columns, strict=True)), gallery=compared)
            yield crowd_of(ranks, above[kept], tied[kept], rows[part], units[identities[part]], items)

    def _mated(
        self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray, most: int = MATES_AT_ONCE
    ) -> Iterator[tuple[slice, MateScores, np.ndarray]]:
        """Queries in pieces that have not too many mates, with the scores of these."""
        found = self._ask("mate_scores", self._with(queries, identities, exclude))
        ends = np.cumsum(np.sum([each.mates for each in found.values()], axis=0))
        start = 0
        while start < len(queries):
            before = ends[start - 1] if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + most, side="right")))
            part = slice(start, stop)
            yield part, *joined([_piece(each, start, stop) for each in found.values()])
            start = stop

    def _with(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray, *more) -> dict[int, tuple]:
        """The arguments of each part."""
        return {part: (queries, identities, _own(exclude, *span), *more) for part, span in self._spans.items()}


def _own(exclude: np.ndarray, first: int, last: int) -> np.ndarray | None:
    here = (exclude >= first) & (exclude < last)
    return np.where(here, exclude - first, NO_ROW) if here.any() else None


def _piece(scores: MateScores, start: int, stop: int) -> MateScores:
    starts = scores.starts
    stop = min(stop, len(scores.mates))
    return MateScores(mates=scores.mates[start:stop], scores=scores.scores[starts[start] : starts[stop]])


def _columns(mates: MateScores, times: np.ndarray, beyond: np.ndarray, equal: np.ndarray, first: int) -> list:
    """The blocks of ties of some queries, best first, and how many mates each query has."""
    starts, sizes = mates.starts, mates.sizes
    ends = np.cumsum(sizes)
    columns = [np.empty(int(sizes.sum()), dtype=np.int64) for _ in COLUMNS[1:]]
    blocks(starts, sizes, beyond, equal, times, ends - sizes, *columns)
    return [first + np.repeat(np.arange(len(sizes)), sizes), *columns, mates.mates]
