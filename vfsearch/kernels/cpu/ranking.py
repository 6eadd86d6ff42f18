"""Counting shared among threads: over the queries, or over the gallery where the queries are few."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from vfsearch.devices import threads
from vfsearch.kernels.cpu.asked import Asked
from vfsearch.kernels.cpu.gallery import Stretch
from vfsearch.kernels.cpu.packing import aligned
from vfsearch.kernels.cpu.tiles import PANEL, ROWS
from vfsearch.kernels.rank_gallery import RankGallery
from vfsearch.kernels.rows import Rows
from vfsearch.kernels.threads import shared

QUERIES = 32 * ROWS
"""Queries in one piece of work."""
TOGETHER = 8 * ROWS
"""Queries whose scores with a panel are taken while it is in the cache."""
PANELS = 320
"""Panels in a strip; scores are numbered with 16 bits in it."""
LEAST_PANELS = 16
"""Fewer panels are not worth a thread's while."""
BYTES_A_MATE = 64
"""What is known of a mate while the gallery is counted takes at most so much."""

Counts = tuple[np.ndarray, np.ndarray]
Counting = Callable[[Asked, Stretch, tuple[int, int], np.ndarray], Counts]
Settle = Callable[[Asked], None]


class Ranking:
    """The queries of one call that have mates, in pieces of work.

    Args:
        gallery: made ready, on a CPU.
        identities: (q,) int64 of the queries.
        exclude: (q,) int64 gallery row that each is not compared with, -1 for none.
        mates: (q,) int64 how many mates each has.
        max_memory: bytes.
    """

    def __init__(
        self, gallery: RankGallery, identities: np.ndarray, exclude: np.ndarray, mates: np.ndarray, max_memory: int
    ) -> None:
        self._gallery, self._identities, self._exclude, self._mates = gallery, identities, exclude, mates
        self._max_memory = max_memory
        has = np.flatnonzero(mates)
        order = has[np.argsort(identities[has], kind="stable")]
        self._parts = parts(order, mates[order], max_memory // (16 * BYTES_A_MATE * threads()))
        self._strips = Strips(-(-len(gallery) // PANEL), max_memory // 8)

    def run(
        self,
        queries: np.ndarray,
        write: Callable[[Asked], None],
        counting: Counting | None = Asked.counted,
        split: bool = True,
        settle: Settle | None = None,
    ) -> None:
        """Rank the queries.

        Args:
            queries: (q, d) rows.
            write: takes queries that are done, from any thread.
            counting: counts the scores of queries with some panels; None: mates are scored, and that is all.
            split: whether several threads may count for the same queries.
            settle: gives queries the scores of their mates; None: those of the gallery's own mates, in order.
        """
        rows = Rows(queries)
        together = partial(self._together, rows, write, counting, split, settle)
        if self._gallery.kept is not None and len(self._parts) > threads():
            # Each piece goes its way alone: threads need not wait for one another.
            shared(together, [[part] for part in self._parts])
            return
        for group in self._groups(rows.shape[1]):
            together(group)

    def _groups(self, dimension: int) -> Iterator[list[np.ndarray]]:
        """Pieces that fit in memory together while the gallery goes by."""
        group, used = [], 0
        for part in self._parts:
            size = BYTES_A_MATE * int(self._mates[part].sum()) + 12 * dimension * len(part)
            if group and used + size > self._max_memory // 4:
                yield group
                group, used = [], 0
            group.append(part)
            used += size
        if group:
            yield group

    def _together(
        self,
        rows: Rows,
        write: Callable[[Asked], None],
        counting: Counting | None,
        split: bool,
        settle: Settle | None,
        group: list[np.ndarray],
    ) -> None:
        """The scores of the mates first, then what is counted between them."""
        asked = shared(partial(self._ask, rows), group)
        if settle is None:
            for stretch in self._gallery.stretches(False, self._max_memory):
                shared(partial(Asked.add_mates, part=stretch), asked)
        if counting is None:
            shared(write, asked)
            return
        shared(settle or Asked.settle, asked)
        for stretch in self._gallery.stretches(True, self._max_memory):
            pieces = spans(len(stretch.panels), len(self._parts) if split else threads())
            work = [(each, span) for each in asked for span in pieces]
            # Several threads may count for the same queries: what they found is added up by one.
            for (each, _), counts in zip(work, shared(partial(self._count, counting, stretch), work), strict=True):
                each.add(counts)
        shared(write, asked)

    def _ask(self, rows: Rows, part: np.ndarray) -> Asked:
        return Asked(part, rows.take(part), self._identities[part], self._exclude[part], self._mates[part])

    def _count(self, counting: Counting, stretch: Stretch, work: tuple[Asked, tuple[int, int]]) -> Counts:
        asked, span = work
        return counting(asked, stretch, span, self._strips.mine(len(asked.numbers)))


def parts(order: np.ndarray, mates: np.ndarray, most_mates: int) -> list[np.ndarray]:
    """Pieces of work: consecutive queries, as many as give every thread several pieces, with not too many mates.

    Args:
        order: (s,) queries, those of an identity side by side.
        mates: (s,) of these.
        most_mates: in one piece, unless a single query has more.
    """
    size = -(-len(order) // (8 * threads()))
    size = min(QUERIES, max(ROWS, -(-size // ROWS) * ROWS))
    ends, found, start = np.cumsum(mates), [], 0
    while start < len(order):
        before = ends[start - 1] if start else 0
        fitting = int(np.searchsorted(ends, before + most_mates, side="right"))
        stop = max(start + 1, min(start + size, fitting))
        found.append(order[start:stop])
        start = stop
    return found


class Strips:
    """Memory for the scores that a thread is looking at: one piece a thread, used again and again."""

    def __init__(self, panels: int, most_bytes: int) -> None:
        panels = max(1, min(PANELS, panels, most_bytes // (threads() * ROWS * PANEL * 4)))
        # Rows whose distance is a multiple of 4096 bytes would share few places of the cache.
        self._panels = panels - 1 | 1
        together = most_bytes // (threads() * self._panels * PANEL * 4)
        self._together = min(TOGETHER, max(1, together // ROWS) * ROWS)
        self._local = threading.local()

    def mine(self, queries: int) -> np.ndarray:
        """(s, w) float32 for the thread that asks, with no more rows than the queries need."""
        if not hasattr(self._local, "strip"):
            self._local.strip = aligned((self._together, self._panels * PANEL), np.float32)
        return self._local.strip[: -(-queries // ROWS) * ROWS]


def spans(panels: int, pieces: int) -> list[tuple[int, int]]:
    """The panels whole, or in parts where there are fewer pieces of work than threads."""
    wanted = -(-2 * threads() // pieces) if 1 < threads() > pieces else 1
    count = min(wanted, panels // LEAST_PANELS)
    edges = np.linspace(0, panels, max(1, count) + 1).astype(int).tolist()
    return list(pairwise(edges))
