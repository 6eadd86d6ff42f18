"""Exact top-k on a CPU: candidates by products of short numbers, then exact scores of the few that are left."""

from collections.abc import Iterator

import numpy as np

from vfsearch.devices import threads
from vfsearch.kernels.cpu.candidates import BYTES_OF_CANDIDATE, Store, empty, new_store, room_of, scan
from vfsearch.kernels.cpu.decision import exact_distances, exact_products, ordered
from vfsearch.kernels.cpu.packing import (
    MOST_INT8_DIMENSIONS,
    Panels,
    Probes,
    bytes_of_panels,
    pack_queries,
    pack_rows,
)
from vfsearch.kernels.cpu.rowwise import FEW, scan_rows
from vfsearch.kernels.cpu.survivors import survivors
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS, Kind
from vfsearch.kernels.cpu.whole import whole
from vfsearch.kernels.rows import LONGEST, Rows, too_long
from vfsearch.kernels.search_gallery import SearchGallery
from vfsearch.kernels.threads import shared

STREAMED_ROWS = 2**16
TILES_AT_ONCE = 64
STORE_BYTES = 2**24
BYTES_WORTH_A_THREAD = 2**24
"""Starting a thread takes as long as reading so much."""
DECIDED_AT_ONCE = 256
MOST_INT8_K = 64
"""Above, the candidates that 8-bit numbers let through, four to five times k, cost more than their product saves."""
FIRST_QUERIES = 32 * ROWS
"""Whether a kind of numbers tells the best rows apart is tried on so many queries."""


def search(
    queries: np.ndarray, gallery: SearchGallery, k: int, exclude: np.ndarray, keeps: bool, memory: int
) -> tuple[np.ndarray, np.ndarray]:
    """The k best rows of each query.

    Args:
        queries: (q, d) float32, finite, in the order of C.
        gallery: n rows.
        k: at least 1.
        exclude: (q,) int64 one row each query must not get; -1 for none.
        keeps: the gallery will be searched again.
        memory: bytes to use.
    Returns:
        (q, k) int64 rows, -1 where there is none, and (q, k) float64 scores.
    Raises:
        VectorError: a row of the gallery is not finite or too long.
    """
    rows, distances = gallery.rows(), gallery.metric == "l2"
    padded = np.full((len(queries), k), -1, dtype=np.int64), np.full((len(queries), k), -np.inf)
    k = min(k, len(rows))
    best = padded[0][:, :k], padded[1][:, :k]
    asked = np.arange(len(queries))
    if len(rows) > 2 * room_of(k):
        kinds = _kinds(rows.shape[1], k, distances)
        # What is packed anew each time takes longer than to read the rows as they are.
        few = len(queries) <= FEW and not (keeps and gallery.has_room(kinds[0]))
        for kind in [FLOAT32] if few else kinds:
            if not len(asked):
                break
            asked = _Search(queries, gallery, k, exclude, kind, few, keeps, memory).fill(asked, *best)
    else:
        gallery.require_good()
    if len(asked):
        best[0][asked], best[1][asked] = whole(queries[asked], rows, k, exclude[asked], distances)
    return padded


def packed(rows: Rows, kind: Kind, first: int, last: int, metric: str) -> Panels:
    """Some rows as panels.

    Raises:
        VectorError: a row is not finite or too long.
    """
    panels = pack_rows(kind, rows.read, first, last, rows.shape[1], metric == "l2", LONGEST[metric])
    _refuse(panels.bad, metric)
    return panels


def _refuse(bad: int, metric: str) -> None:
    if bad >= 0:
        raise too_long(bad, metric)


def _kinds(dimension: int, k: int, distances: bool) -> list[Kind]:
    """The kinds of numbers to try, the quickest first; float32 can always be had."""
    int8 = INT8.here and not distances and dimension <= MOST_INT8_DIMENSIONS and k <= MOST_INT8_K
    return [*([INT8] if int8 else []), *([BF16] if BF16.here else []), FLOAT32]


class _Search:
    """One gallery asked with one kind of numbers."""

    def __init__(
        self, queries: np.ndarray, gallery: SearchGallery, k: int, exclude: np.ndarray, kind: Kind, few: bool,
        keeps: bool, memory: int,
    ) -> None:  # fmt: skip
        self.queries, self.gallery, self.k, self.exclude, self.kind = queries, gallery, k, exclude, kind
        self.few, self.keeps, self.memory = few, keeps, memory
        self.rows, self.distances = gallery.rows(), gallery.metric == "l2"

    def fill(self, asked: np.ndarray, best_rows: np.ndarray, best_scores: np.ndarray) -> np.ndarray:
        """Fill in the best rows of the queries asked; those that this kind of numbers cannot decide."""
        self.best = best_rows, best_scores
        size = bytes_of_panels(self.kind, *self.rows.shape)
        whole = not self.few and (self.keeps or size <= self.memory // 4)
        panels = self.gallery.panels(self.kind) if whole else None
        undecided: list[np.ndarray] = []
        for part in self._batches(asked):
            if len(undecided) == 1 and len(undecided[0]) > FIRST_QUERIES // 2:
                # Most of the first ones could not be told apart: neither will the others.
                undecided.append(part)
            elif panels is not None and len(part) >= 2 * threads() * ROWS:
                undecided.extend(self._by_queries(part, panels))
            else:
                undecided.append(self._by_stretches(part, panels))
        return np.concatenate(undecided) if undecided else asked

    def _batches(self, asked: np.ndarray) -> Iterator[np.ndarray]:
        """Stretches of queries whose candidates fit the memory."""
        most = max(FIRST_QUERIES, self.memory // 4 // (room_of(self.k) * BYTES_OF_CANDIDATE) // ROWS * ROWS)
        if self.kind is not FLOAT32 and len(asked) > 4 * FIRST_QUERIES:
            yield asked[:FIRST_QUERIES]
            asked = asked[FIRST_QUERIES:]
        for first in range(0, len(asked), most):
            yield asked[first : first + most]

    def _by_queries(self, asked: np.ndarray, panels: Panels) -> list[np.ndarray]:
        """Each thread takes some queries through the whole gallery."""
        tiles = -(-len(asked) // ROWS)
        most = STORE_BYTES // (room_of(self.k) * BYTES_OF_CANDIDATE * ROWS)
        step = ROWS * max(1, min(TILES_AT_ONCE, most, tiles // (4 * threads())))
        # Memory that was written before costs less than new memory.
        stores = [new_store(1, step, self.k) for _ in range(threads())]

        def group(first: int) -> np.ndarray:
            part = asked[first : first + step]
            probes = pack_queries(self.kind, self.queries[part], self.distances)
            store = stores.pop()
            empty(store, self.k, len(part))
            self._scan(probes, panels, store, (0, (0, len(probes.words) // ROWS), (0, len(panels.words))), part, 0)
            crowded = self._decide(part, store)
            stores.append(store)
            return part[crowded]

        return shared(group, range(0, len(asked), step))

    def _by_stretches(self, asked: np.ndarray, panels: Panels | None) -> np.ndarray:
        """All threads go through the gallery together; of few queries each takes a part of the rows."""
        tiles = -(-len(asked) // ROWS)
        many = tiles >= 2 * threads() and not self.few
        parts = 1 if many else min(threads(), 1 + self._bytes_read() // BYTES_WORTH_A_THREAD)
        store = new_store(parts, tiles * ROWS, self.k)
        empty(store, self.k, len(asked))
        if self.few:
            self._read(asked, store)
        else:
            probes = pack_queries(self.kind, self.queries[asked], self.distances)
            for each, first in [(panels, 0)] if panels is not None else self._stretches():
                work = _split(parts, tiles, len(each.words))
                shared(lambda task, each=each, first=first: self._scan(
                    probes, each, store, task, asked, first
                ), work)  # fmt: skip
        return asked[self._decide(asked, store)]

    def _bytes_read(self) -> int:
        return bytes_of_panels(FLOAT32 if self.few else self.kind, *self.rows.shape)

    def _scan(
        self, probes: Probes, panels: Panels, store: Store, task: tuple, asked: np.ndarray, first: int
    ) -> None:  # fmt: skip
        exclude = self.exclude[asked]
        scan(probes, panels, store, *task, self.k, exclude, first, self.rows.shape[1], self.distances)

    def _stretches(self) -> Iterator[tuple[Panels, int]]:
        """The gallery packed a stretch at a time, and the row that each begins with."""
        size = bytes_of_panels(self.kind, *self.rows.shape)
        step = max(PANEL, min(STREAMED_ROWS, self.memory // 4 // (size // len(self.rows) + 1)) // PANEL * PANEL)
        for first in range(0, len(self.rows), step):
            last = min(first + step, len(self.rows))
            yield packed(self.rows, self.kind, first, last, self.gallery.metric), first

    def _read(self, asked: np.ndarray, store: Store) -> None:
        parts = len(store.counts)
        queries, exclude, longest = self.queries[asked], self.exclude[asked], LONGEST[self.gallery.metric]

        def part(number: int) -> int:
            for first in range(number * STREAMED_ROWS, len(self.rows), parts * STREAMED_ROWS):
                vectors = self.rows.read(first, min(first + STREAMED_ROWS, len(self.rows)))
                bad = scan_rows(queries, vectors, store, number, self.k, exclude, first, self.distances, longest)
                if bad >= 0:
                    return first + bad
            return -1

        _refuse(min((bad for bad in shared(part, range(parts)) if bad >= 0), default=-1), self.gallery.metric)

    def _decide(self, asked: np.ndarray, store: Store) -> np.ndarray:
        """Fill in the best rows of all queries but the crowded ones, which are told."""
        crowded = store.crowded[:, : len(asked)].any(axis=0)
        store.counts[:, : len(asked)][:, crowded] = 0
        for first in range(0, len(asked), DECIDED_AT_ONCE):
            part = slice(first, min(first + DECIDED_AT_ONCE, len(asked)))
            self._decide_part(asked[part], store, part)
        return crowded

    def _decide_part(self, asked: np.ndarray, store: Store, part: slice) -> None:
        offsets, rows = survivors(store, part, self.k)
        plain = self.rows.plain
        vectors = self.rows.take(rows) if plain is None else plain
        places = np.arange(len(rows)) if plain is None else rows
        scores = np.empty(len(rows))
        exact = exact_distances if self.distances else exact_products
        exact(self.queries[asked], vectors, offsets, places, scores, np.empty(self.rows.shape[1]))
        ordered(offsets, rows, scores, self.k, asked, *self.best)


def _split(parts: int, tiles: int, panels: int) -> list[tuple[int, tuple[int, int], tuple[int, int]]]:
    """Work for threads: (part of the store, tiles, panels)."""
    if parts > 1:
        edges = [panels * part // parts for part in range(parts + 1)]
        return [(part, (0, tiles), (edges[part], edges[part + 1])) for part in range(parts)]
    step = max(1, min(TILES_AT_ONCE, tiles // (4 * threads())))
    return [(0, (tile, min(tile + step, tiles)), (0, panels)) for tile in range(0, tiles, step)]
