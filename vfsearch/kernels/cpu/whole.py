"""Top-k by exact scores of every row: for queries whose best rows no bound tells apart, and for many rows each."""

import numpy as np

from vfsearch.kernels.cpu.decision import exact_distances, exact_products
from vfsearch.kernels.rows import Rows
from vfsearch.kernels.threads import shared

ROWS_AT_ONCE = 2**15


def whole(
    queries: np.ndarray, rows: Rows, k: int, exclude: np.ndarray, distances: bool
) -> tuple[np.ndarray, np.ndarray]:
    """The k best rows of each query, (score, row) decided among all of them.

    Args:
        queries: (q, d) float32.
        rows: the gallery.
        k: how many.
        exclude: (q,) one row each query must not get; -1 for none.
        distances: rank by minus the squared distance, not by the product.
    Returns:
        (q, k) rows, -1 where there is none, and (q, k) float64 scores.
    """
    best_rows = np.full((len(queries), k), -1, dtype=np.int64)
    best_scores = np.full((len(queries), k), -np.inf)
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = rows.read(first, min(first + ROWS_AT_ONCE, len(rows)))

        def one(query: int, part: np.ndarray = part, first: int = first) -> None:
            scores = _scores(queries[query : query + 1], part, distances)
            _merge(best_rows[query], best_scores[query], scores, first, exclude[query])

        shared(one, range(len(queries)))
    return best_rows, best_scores


def _scores(query: np.ndarray, part: np.ndarray, distances: bool) -> np.ndarray:
    scores = np.empty(len(part))
    exact = exact_distances if distances else exact_products
    exact(query, part, np.array([0, len(part)]), np.arange(len(part)), scores, np.empty(part.shape[1]))
    return scores


def _merge(rows: np.ndarray, scores: np.ndarray, found: np.ndarray, first: int, excluded: int) -> None:
    """Put a part's scores among the best so far; parts come in the order of their rows, so earlier ones win ties."""
    if first <= excluded < first + len(found):
        found[excluded - first] = -np.inf
    better = np.flatnonzero(found > scores[-1])
    if len(better) > len(scores):
        # No row below the k-th greatest score of the part alone can be among the k best.
        least = np.partition(found, len(found) - len(scores))[len(found) - len(scores)]
        better = better[found[better] >= least]
    all_rows = np.concatenate([rows, first + better])
    all_scores = np.concatenate([scores, found[better]])
    order = np.argsort(-all_scores, kind="stable")[: len(scores)]
    rows[:], scores[:] = all_rows[order], all_scores[order]
