"""How much of what an exact search finds another search finds."""

import numpy as np

from vfsearch.data.neighbors import NO_ROW, Neighbors


def recalls(found: Neighbors, truth: Neighbors, queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """R@k of each query: the share of its k true neighbours that were found.

    A row counts if its exact score is at least that of the k-th true neighbour: among equal scores none is the truer
    one, and scores of the search itself, which may be rounded, decide nothing.

    Args:
        found: (q, k) what the search gave.
        truth: (q, k) what the exact search gives, padded where there are fewer rows.
        queries: (q, d) float32 unit rows.
        vectors: (n, d) float32 unit rows.
    Returns:
        (q,) float64 of 0 to 1; 1 where nothing is to be found.

    Example:
        >>> rows = np.eye(3, dtype=np.float32)
        >>> truth = Neighbors(rows=np.array([[0, 1]]), scores=np.array([[1.0, 0.0]]))
        >>> recalls(Neighbors(rows=np.array([[0, 2]]), scores=np.array([[1.0, 0.0]])), truth, rows[:1], rows).tolist()
        [1.0]
    """
    from vfsearch.kernels.pairs import pair_scores

    there = found.rows != NO_ROW
    wanted = (truth.rows != NO_ROW).sum(axis=1)
    least = np.where(truth.rows != NO_ROW, truth.scores, np.inf).min(axis=1, initial=np.inf)
    query_rows = np.broadcast_to(np.arange(len(queries))[:, None], found.rows.shape)
    scores = np.full(found.rows.shape, -np.inf)
    scores[there] = pair_scores(queries, vectors, query_rows[there], found.rows[there])
    hits = (scores >= least[:, None]).sum(axis=1)
    return np.where(wanted > 0, np.minimum(hits, wanted) / np.maximum(wanted, 1), 1.0)
