"""The best rows of those lists whose centres are nearest to a query."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.data.neighbors import Neighbors
from vfsearch.devices import threads
from vfsearch.kernels.rescore import best_of_lists
from vfsearch.kernels.threads import shared

if TYPE_CHECKING:
    from vfsearch.kernels.cpu.alone import Alone
    from vfsearch.kernels.cpu.packing import Panels, Probes
    from vfsearch.kernels.cpu.probing import Asking

QUERIES_AT_ONCE = 2**12
BYTES_AT_ONCE = 2**26
"""Of candidates, a thread."""
FEW = 8
"""So many queries are begun without a first threshold: finding it takes longer than what it spares them."""
NEAR = 4
"""Lists that give a query its first threshold. With fewer, more is kept and dropped; more cost more than they spare."""
CROWDED_AT_ONCE = 64
ROWS_OF_TILE = 6
TILES_WORTH_A_THREAD = 2**10
"""Products of a tile with a panel; starting a thread takes as long as some hundreds."""
LEAST_SHARING = 8
"""Queries a list; with fewer, threads share out the lists, not the queries, so that tiles are filled better."""


class ListGallery:
    """Rows of a gallery by list, as operands; made once, then searched again and again.

    Args:
        vectors: (n, d) float32 unit rows, in memory or mapped; they must not change.
        centres: (lists, d) float32 rows no longer than 1.
        lists: (n,) int32 the list of each row.
        read: (first, last) -> rows of `vectors`, to be packed; None: from `vectors`. A map's pages stay with the
            process once they were touched, reading a file leaves none.
    Raises:
        VectorError: a row is not finite, or longer than 1.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        centres: np.ndarray,
        lists: np.ndarray,
        read: Callable[[int, int], np.ndarray] | None = None,
    ) -> None:
        from vfsearch.kernels.cpu.lists import kind_for, pack_lists

        self.vectors, self.centres = vectors, packed_centres(centres)
        dimension = vectors.shape[1]
        read = read or (lambda first, last: np.ascontiguousarray(vectors[first:last], np.float32))
        self.panels = pack_lists(kind_for(dimension), read, lists, len(centres), dimension)
        self._memory: list[np.ndarray] = []
        self._alone: dict[tuple[int, int], Alone] = {}
        self._lock = Lock()

    @property
    def nbytes(self) -> int:
        """Bytes in memory beside the rows themselves."""
        return self.panels.nbytes + self.centres.words.nbytes

    def allowed(self, rows: np.ndarray) -> np.ndarray:
        """(places,) uint8, which places hold one of some rows; an argument of `search_lists`."""
        # The last entry is for places without a row.
        wanted = np.zeros(len(self.vectors) + 1, dtype=np.uint8)
        wanted[rows] = 1
        return wanted[self.panels.items]

    def room(self, queries: int, k: int) -> np.ndarray:
        """Memory for candidates; give it back with `keep`, for memory that was written before costs less than new."""
        from vfsearch.kernels.cpu.probing import room_of

        shape = (queries, room_of(k), 4)
        with self._lock:
            for place, each in enumerate(self._memory):
                if each.shape[1:] == shape[1:] and len(each) >= queries:
                    return self._memory.pop(place)
        return np.empty(shape, dtype=np.int32)

    def keep(self, memory: np.ndarray) -> None:
        """Take back what `room` gave."""
        whole = memory if memory.base is None else memory.base
        with self._lock:
            self._memory = [*self._memory, whole][-threads() :]

    def alone(self, k: int, nprobe: int) -> "Alone":
        """Memory for a query that comes alone, of the caller's own until it gives it back with `keep_alone`."""
        from vfsearch.kernels.cpu.alone import Alone

        with self._lock:
            kept = self._alone.pop((k, nprobe), None)
        return kept or Alone(self.panels, self.centres, self.vectors.shape[1], k, nprobe)

    def keep_alone(self, k: int, nprobe: int, memory: "Alone") -> None:
        """Take back what `alone` gave; that for other numbers goes."""
        with self._lock:
            self._alone = {(k, nprobe): memory}


def packed_centres(centres: np.ndarray) -> "Panels":
    """Centres as operands."""
    from vfsearch.kernels.cpu.lists import kind_for
    from vfsearch.kernels.cpu.packing import pack_rows

    kind = kind_for(centres.shape[1])
    return pack_rows(kind, lambda first, last: centres[first:last], 0, len(centres), centres.shape[1], False, np.inf)


def nearest_lists(queries: np.ndarray, centres: "Panels", nprobe: int) -> np.ndarray:
    """(q, nprobe) int32 the lists whose centres are nearest to each query, by products of short numbers.

    Args:
        queries: (q, d) float32.
        centres: from `packed_centres`.
        nprobe: how many; at most as many as there are.
    """
    return _chosen(queries, centres, nprobe, 0)[1]


def best_of_chosen(
    queries: np.ndarray, vectors: np.ndarray, chosen: np.ndarray, rows_of: Callable[[np.ndarray], np.ndarray], k: int
) -> Neighbors:
    """The k best rows of chosen lists by the exact score of every row: for few queries, and for rows nearly the same.

    Args:
        queries: (q, d) float32 unit rows.
        vectors: (n, d) float32 unit rows.
        chosen: (q, nprobe) lists.
        rows_of: (m,) lists -> their rows.
        k: how many.
    """
    rows = [rows_of(lists) for lists in chosen]
    offsets = np.cumsum([0, *map(len, rows)])
    return best_of_lists(queries, vectors, offsets, np.concatenate(rows), k)


def search_lists(
    queries: np.ndarray, gallery: ListGallery, k: int, nprobe: int, rows: np.ndarray | None = None
) -> Neighbors:
    """The k best rows of the nearest lists of each query, by exact scores.

    Candidates are found as `vfsearch.kernels.topk` finds them: within a list nothing is lost. With all lists the answer
    is that of an exact search.

    Args:
        queries: (q, d) float32 unit rows.
        gallery: the rows.
        k: how many, at least 1.
        nprobe: lists a query, at most as many as there are.
        rows: (m,) the only rows that may be found; None: all.
    Returns:
        Neighbors, best first, equal scores in the order of their rows; padded where those lists hold fewer rows.
    """
    search = _Search(gallery, k, nprobe, rows)
    if len(queries) == 1:
        return search.of_one(queries)
    found = search.candidates(queries)
    best = best_of_lists(queries, gallery.vectors, *_joined(found), k)
    crowded = np.concatenate([part.crowded for part in found])
    chosen = np.concatenate([part.chosen for part in found])
    for first in range(0, len(chosen), CROWDED_AT_ONCE):
        some = slice(first, first + CROWDED_AT_ONCE)
        exact = best_of_chosen(queries[crowded][some], gallery.vectors, chosen[some], search.rows_of, k)
        places = np.flatnonzero(crowded)[some]
        best.rows[places], best.scores[places] = exact.rows, exact.scores
    return best


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """Candidates of some queries.

    Args:
        offsets: (q + 1,) where the rows of each query begin.
        rows: (c,) gallery rows.
        crowded: (q,) bool, queries with more candidates than there was room for; they have none here.
        chosen: (crowded, nprobe) the lists of those.
    """

    offsets: np.ndarray
    rows: np.ndarray
    crowded: np.ndarray
    chosen: np.ndarray


class _Search:
    """What all queries of a search share; see `search_lists`."""

    def __init__(self, gallery: ListGallery, k: int, nprobe: int, rows: np.ndarray | None) -> None:
        self.gallery, self.panels, self.k, self.nprobe = gallery, gallery.panels, k, nprobe
        self.lists = gallery.centres.rows
        self.allowed = np.empty(0, dtype=np.uint8) if rows is None else gallery.allowed(rows)
        self.rows = rows
        # A threshold must be reached by rows that may be found.
        self.near = min(NEAR, nprobe) if rows is None else 0

    def rows_of(self, lists: np.ndarray) -> np.ndarray:
        """The rows of some lists that may be found."""
        found = self.panels.rows_of(lists)
        return found if self.rows is None else np.intersect1d(found, self.rows, assume_unique=True)

    def of_one(self, query: np.ndarray) -> Neighbors:
        """The best rows of a query that comes alone."""
        memory = self.gallery.alone(self.k, self.nprobe)
        try:
            rows = memory.candidates(query, self.allowed, self.near)
            if rows is None:
                return best_of_chosen(query, self.gallery.vectors, memory.chosen[:, :-1], self.rows_of, self.k)
            return best_of_lists(query, self.gallery.vectors, np.array([0, len(rows)]), rows, self.k)
        finally:
            self.gallery.keep_alone(self.k, self.nprobe, memory)

    def candidates(self, queries: np.ndarray) -> list[_Found]:
        """The candidates of all queries, part by part, on as many threads as are worth it."""
        sharing = len(queries) * self.nprobe / self.lists
        panels = self.nprobe * len(self.panels.words) / self.lists
        tiles = len(queries) * panels * max(1 / ROWS_OF_TILE, min(1.0, 1 / max(sharing, 1e-9)))
        workers = max(1, min(threads(), int(tiles) // TILES_WORTH_A_THREAD))
        if workers > 1 and sharing < LEAST_SHARING * workers:
            most = max(1, self._most() // workers)
            return [self._of_lists(queries[first : first + most], workers) for first in range(0, len(queries), most)]
        step = max(1, min(self._most(), -(-len(queries) // workers)))
        return shared(lambda first: self._of_queries(queries[first : first + step]), range(0, len(queries), step))

    def _most(self) -> int:
        from vfsearch.kernels.cpu.probing import BYTES_OF_CANDIDATE, room_of

        return max(ROWS_OF_TILE, min(QUERIES_AT_ONCE, BYTES_AT_ONCE // (room_of(self.k) * BYTES_OF_CANDIDATE)))

    def _of_queries(self, queries: np.ndarray) -> _Found:
        """The candidates of some queries, on one thread."""
        from vfsearch.kernels.cpu.choosing import by_list
        from vfsearch.kernels.cpu.probing import scan_lists, survivors

        asked, chosen = self._begun(queries)
        scan_lists(asked, self.panels, self.allowed, (0, self.lists), *by_list(chosen, self.lists), self.k)
        offsets, rows = survivors(asked, self.panels, self.k)
        self.gallery.keep(asked.found)
        return _Found(offsets=offsets, rows=rows, crowded=asked.crowded, chosen=chosen[asked.crowded])

    def _of_lists(self, queries: np.ndarray, workers: int) -> _Found:
        """The candidates of some queries; each thread takes a stretch of the lists."""
        from vfsearch.kernels.cpu.choosing import by_list
        from vfsearch.kernels.cpu.probing import again, raise_thresholds, scan_lists, survivors

        first, chosen = self._begun(queries)
        parts = [first, *(again(first, self.gallery.room(len(queries), self.k)) for _ in range(workers - 1))]
        starts, members = by_list(chosen, self.lists)
        work = np.cumsum(-(-np.diff(starts) // ROWS_OF_TILE) * np.diff(self.panels.first))
        edges = [0, *np.searchsorted(work, work[-1] * np.arange(1, workers) / workers).tolist(), self.lists]

        def scan(part: int) -> None:
            span = (edges[part], edges[part + 1])
            scan_lists(parts[part], self.panels, self.allowed, span, starts, members, self.k)

        shared(scan, range(workers))
        crowded = np.logical_or.reduce([part.crowded for part in parts])
        raise_thresholds(parts)
        offsets, rows = _merged([survivors(part, self.panels, self.k) for part in parts])
        for part in parts:
            self.gallery.keep(part.found)
        return _Found(offsets=offsets, rows=rows, crowded=crowded, chosen=chosen[crowded])

    def _begun(self, queries: np.ndarray) -> tuple["Asking", np.ndarray]:
        """Queries with their first thresholds, and the lists of each."""
        from vfsearch.kernels.cpu.choosing import by_list
        from vfsearch.kernels.cpu.probing import asking, seed

        near = self.near if len(queries) > FEW else 0
        probes, chosen = _chosen(queries, self.gallery.centres, self.nprobe, near)
        dimension = self.gallery.vectors.shape[1]
        asked = asking(probes, len(queries), dimension, self.k, self.gallery.room(len(queries), self.k))
        if near:
            seed(asked, self.panels, near, *by_list(chosen[:, :near], self.lists), self.k)
        return asked, chosen


def _chosen(queries: np.ndarray, centres: "Panels", nprobe: int, near: int) -> tuple["Probes", np.ndarray]:
    """Queries as operands, and the lists that each looks at."""
    from vfsearch.kernels.cpu.choosing import choose
    from vfsearch.kernels.cpu.packing import pack_queries

    probes = pack_queries(centres.kind, queries, False)
    return probes, choose(probes, len(queries), centres, nprobe, near)


def _joined(found: list[_Found]) -> tuple[np.ndarray, np.ndarray]:
    """The candidates of the queries of several parts, one after another."""
    if len(found) == 1:
        return found[0].offsets, found[0].rows
    begin = np.cumsum([0, *(len(part.rows) for part in found)])
    offsets = [part.offsets[:-1] + start for part, start in zip(found, begin, strict=False)]
    return np.concatenate([*offsets, begin[-1:]]), np.concatenate([part.rows for part in found])


def _merged(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """The candidates of the same queries from several parts of the lists."""
    counts = [np.diff(offsets) for offsets, _ in parts]
    queries = np.concatenate([np.repeat(np.arange(len(each)), each) for each in counts])
    rows = np.concatenate([rows for _, rows in parts])[np.argsort(queries, kind="stable")]
    return np.concatenate([[0], np.cumsum(np.sum(counts, axis=0))]), rows
