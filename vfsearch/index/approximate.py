"""What indices that do not look at every row have in common."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from vfsearch.data.embeddings import NORM_TOLERANCE, require_unit_rows
from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.errors import SettingsError, VectorError
from vfsearch.index.base import Index
from vfsearch.index.settings import Knob
from vfsearch.kernels.rescore import best_of

MOST_REFINE = 1000


def refine_knob(default: int) -> Knob:
    """How many candidates of each wanted neighbour are scored exactly.

    Args:
        default: 0 for back ends that keep whole rows.
    """
    return Knob(
        name="refine", default=default, low=0, high=MOST_REFINE, ladder=(1, 2, 4, 8, 16, 32, 64),
        help="candidates a wanted neighbour whose exact scores decide; 0: the index's own scores",
    )  # fmt: skip


class ApproximateIndex(Index):
    """An index whose library gives the best rows that it comes across.

    A back end gives `_nearest`; what is common is here: bad queries, the row that a query must not get, searches among
    some rows, exact scores of the best candidates.
    """

    @abstractmethod
    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """What the library finds.

        Args:
            queries: (q, d) float32, finite, contiguous.
            k: how many; at most the rows of the index.
        Returns:
            (q, k) int64 rows of the index, best first, padded with -1; (q, k) float scores (greater is better).
        """

    def _nearest_among(self, queries: np.ndarray, k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """As `_nearest`, of these ascending rows alone; None where the library cannot."""
        return None

    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        exclude: np.ndarray | None = None,
        max_memory: int | None = None,
    ) -> Neighbors:
        """See `Index.search`."""
        require_k(k)
        queries = checked_queries(queries, self.vectors.shape[1])
        spare = 0 if exclude is None else 1
        refine = self.settings.get("refine", 0)
        most = len(self) if rows is None else len(rows)
        wanted = min(most, k * max(1, refine) + spare)
        if not wanted or not len(queries):
            return padded(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0)), k)
        found, scores = self._found(queries, wanted, rows, max_memory)
        if exclude is not None:
            found, scores = without(found, scores, exclude)
        if refine:
            return best_of(queries, self.vectors, found, k)
        return padded(found[:, :k], scores[:, :k], k)

    def _found(
        self, queries: np.ndarray, k: int, rows: np.ndarray | None, max_memory: int | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Candidates, of all rows or of some."""
        if rows is None or len(rows) == len(self):
            return self._nearest(queries, k)
        found = self._nearest_among(queries, k, rows)
        return found if found is not None else nearest_by_filtering(self, queries, k, rows, max_memory)


def checked_queries(queries: np.ndarray, dimension: int) -> np.ndarray:
    """(q, d) float32 contiguous queries.

    Raises:
        VectorError: they have another dimension, or one is not finite or not of unit length.
    """
    if queries.ndim != 2 or queries.shape[1] != dimension:
        raise VectorError(f"the queries have the shape {queries.shape}, the index wants (q, {dimension})")
    queries = np.ascontiguousarray(queries, np.float32)
    if not _seem_unit(queries):
        require_unit_rows(queries, _QueryNames(len(queries)))
    return queries


def _seem_unit(queries: np.ndarray) -> bool:
    """Quick, for this is part of every search; what is not finite is not near one either."""
    if len(queries) == 1:
        # A probe that comes alone waits for each array that is made.
        return abs(float(queries[0].dot(queries[0])) - 1.0) <= NORM_TOLERANCE
    squares = np.einsum("qd,qd->q", queries, queries)
    return bool((np.abs(squares - 1.0) <= NORM_TOLERANCE).all())


class _QueryNames(Sequence[str]):
    """What queries are called in a message."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> str:
        return f"query {row}"


def require_k(k: int) -> None:
    """Refuse to look for nothing.

    Raises:
        SettingsError: k is less than 1.
    """
    if k < 1:
        raise SettingsError(f"k is {k}, it must be at least 1")


def without(found: np.ndarray, scores: np.ndarray, exclude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Candidates less one row of each query; the others move up.

    Args:
        found, scores: (q, k) rows and their scores.
        exclude: (q,) rows; -1 for none.
    """
    out = (found == exclude[:, None]) & (exclude >= 0)[:, None]
    if not out.any():
        return found, scores
    order = np.argsort(out, axis=1, kind="stable")
    moved = np.take_along_axis(np.where(out, NO_ROW, found), order, axis=1)
    return moved, np.take_along_axis(np.where(out, -np.inf, scores), order, axis=1)


def padded(found: np.ndarray, scores: np.ndarray, k: int) -> Neighbors:
    """Neighbours of k columns; what was not found is row -1 with the score -inf, behind what was."""
    scores = scores.astype(np.float64, copy=False)
    if _short(found):
        scores = np.where(found == NO_ROW, -np.inf, scores)
    short = k - found.shape[1]
    if short:
        found = np.pad(found, ((0, 0), (0, short)), constant_values=NO_ROW)
        scores = np.pad(scores, ((0, 0), (0, short)), constant_values=-np.inf)
    return Neighbors(rows=found.astype(np.int64, copy=False), scores=scores)


def _short(found: np.ndarray) -> bool:
    """Whether a query lacks a neighbour."""
    if len(found) == 1 and found.shape[1]:
        return found.item(-1) == NO_ROW
    return bool((found[:, -1:] == NO_ROW).any())


def nearest_by_filtering(
    index: ApproximateIndex, queries: np.ndarray, k: int, rows: np.ndarray, max_memory: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Neighbours among some rows from a library that knows of all rows only.

    As many more are asked for as rows are not wanted; queries that still lack some, and searches among less than a
    quarter of the rows, are answered by our exact kernel.
    """
    more = min(len(index), int(k * len(index) / len(rows) * 1.2) + 8)
    if len(rows) * 4 < len(index):
        exact = exact_among(index, queries, k, rows, max_memory)
        return exact.rows, exact.scores
    found, scores = index._nearest(queries, more)
    wanted = np.zeros(len(index) + 1, dtype=bool)
    wanted[rows] = True
    order = np.argsort(~wanted[found], axis=1, kind="stable")[:, :k]
    kept = np.take_along_axis(np.where(wanted[found], found, NO_ROW), order, axis=1)
    scores = np.take_along_axis(scores.astype(np.float64), order, axis=1)
    short = (kept == NO_ROW).any(axis=1)
    if short.any():
        exact = exact_among(index, queries[short], k, rows, max_memory)
        kept[short], scores[short] = exact.rows, exact.scores
    return kept, scores


def exact_among(index: Index, queries: np.ndarray, k: int, rows: np.ndarray, max_memory: int | None) -> Neighbors:
    """The true neighbours among some rows."""
    from vfsearch.kernels.topk import topk

    found = topk(queries, index.vectors[rows], k, max_memory=max_memory)
    return Neighbors(rows=np.append(rows, NO_ROW)[found.rows], scores=found.scores)
