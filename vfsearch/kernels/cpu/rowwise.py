"""Candidates of a few queries among rows as they lie: the rows are read once and nothing is packed."""

import numpy as np

from vfsearch.kernels.cpu.candidates import Store, keep, relative_error
from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.tiles import FLOAT32

FEW = 4
"""So many queries cost no more time than reading the rows."""


def scan_rows(
    queries: np.ndarray, vectors: np.ndarray, store: Store, part: int, k: int, exclude: np.ndarray, first_row: int,
    distances: bool, longest: float,
) -> int:  # fmt: skip
    """Put candidates of some queries among some rows into a part of a store.

    Args:
        queries: (q, d) float32.
        vectors: (m, d) float32.
        store: for the queries.
        part: which part of it.
        k: how many best.
        exclude: (q,) int64 row of the gallery that each query must not get; -1 for none.
        first_row: row of the gallery that `vectors` begins with.
        distances: rank by minus the distance, not by the product.
        longest: the greatest length that a row may have.
    Returns:
        The first row that is not finite or too long; -1 for none.
    """
    dimension = queries.shape[1]
    lengths = np.linalg.norm(queries.astype(np.float64), axis=1).astype(np.float32)
    relative = relative_error(FLOAT32, dimension)
    lost = (0.0 if distances else 2.0**-26) * dimension**0.5
    return _scan_rows(
        queries, vectors, lengths, store.rows[part], store.lower[part], store.upper[part], store.counts[part],
        store.limits[part], store.threshold[part], store.crowded[part], k, exclude, first_row, distances,
        np.float32(longest), np.float32(relative), np.float32(lost), np.float32(dimension * 2.0**-50),
        np.empty(store.rows.shape[2], dtype=np.float32),
    )  # fmt: skip


@compiled(reassociate=True, borrows=True)
def _scan_rows(
    queries, vectors, lengths, rows, lower, upper, counts, limits, threshold, crowded, k, exclude, first_row,
    distances, longest, relative, lost, noise, scratch,
):  # fmt: skip
    bad = -1
    dimension = vectors.shape[1]
    for item in range(vectors.shape[0]):
        square = np.float32(0)
        for place in range(dimension):
            square += vectors[item, place] * vectors[item, place]
        length = np.sqrt(square) * np.float32(1.001) + np.float32(1e-17)
        if not length <= longest:
            return item if bad < 0 else bad
        start = np.float32(0.5) * square if distances else np.float32(0)
        for query in range(queries.shape[0]):
            score = np.float32(0)
            for place in range(dimension):
                score += queries[query, place] * vectors[item, place]
            score -= start
            error = relative * (lengths[query] * length * np.float32(1.001) + np.float32(2) * start) + lost
            if distances:
                error += noise * lengths[query] * lengths[query]
            error += np.float32(1e-34)
            if score + error >= threshold[query] and first_row + item != exclude[query] and not crowded[query]:
                keep(
                    query, first_row + item, score, error, k, rows, lower, upper, counts, limits, threshold,
                    crowded, scratch,
                )  # fmt: skip
    return bad
