"""Scores of listed pairs: gathered products for trial lists of any length."""

import numpy as np
import torch

from vfsearch.data.parted_vectors import PartedVectors
from vfsearch.devices import one_device
from vfsearch.errors import SettingsError
from vfsearch.kernels.rows import Rows


def pair_scores(
    queries: np.ndarray | torch.Tensor,
    vectors: np.ndarray | torch.Tensor | PartedVectors,
    query_rows: np.ndarray,
    rows: np.ndarray,
    device: str = "cpu",
) -> np.ndarray:
    """The exact scores of listed pairs (see `vfsearch.kernels.exact`), in no memory beside the result.

    Args:
        queries: (q, d) unit rows of float32, float16, bfloat16 or float64 (rounded to float32), in memory or mapped.
        vectors: (n, d) unit rows likewise, of the same type or another.
        query_rows: (t,) rows of `queries`.
        rows: (t,) rows of `vectors`.
        device: where to compute.
    Returns:
        (t,) float64, equal to the entries of `vfsearch.kernels.exact.score_block`.
    Raises:
        SettingsError: the dimensions or the lengths differ, or a pair names a row that is not there.

    Example:
        >>> rows = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
        >>> pair_scores(rows, rows, np.array([0, 1]), np.array([1, 1])).round(6).tolist()
        [0.6, 1.0]
    """
    query_rows, rows = np.asarray(query_rows), np.asarray(rows)
    _require_fitting(queries, vectors, query_rows, rows)
    if isinstance(vectors, PartedVectors):
        return _of_parts(queries, vectors, query_rows, rows, device)
    if device == "cpu":
        return _on_cpu(queries, vectors, query_rows, rows)
    for numbers, side in ((query_rows, queries), (rows, vectors)):
        if numbers.min(initial=0) < 0 or numbers.max(initial=-1) >= len(side):
            bad = int(np.flatnonzero((numbers < 0) | (numbers >= len(side)))[0])
            raise _no_such_row(bad, query_rows, rows, len(queries), len(vectors))
    from vfsearch.kernels.cuda.pairs import pair_scores_cuda

    return pair_scores_cuda(queries, vectors, query_rows, rows, one_device(device))


PAIRS_OF_PARTS = 2**20
"""Pairs whose rows are gathered at a time from a gallery in parts."""


def _of_parts(queries, vectors: PartedVectors, query_rows: np.ndarray, rows: np.ndarray, device: str) -> np.ndarray:
    """The scores of pairs, each of whose gallery rows is read once a piece."""
    scores = np.empty(len(rows))
    for start in range(0, len(rows), PAIRS_OF_PARTS):
        piece = slice(start, start + PAIRS_OF_PARTS)
        wanted, places = np.unique(rows[piece], return_inverse=True)
        if len(wanted) and not 0 <= wanted[0] <= wanted[-1] < len(vectors):
            bad = start + int(np.flatnonzero((rows[piece] < 0) | (rows[piece] >= len(vectors)))[0])
            raise _no_such_row(bad, query_rows, rows, len(queries), len(vectors))
        scores[piece] = pair_scores(queries, vectors[wanted], query_rows[piece], places, device)
    return scores


def _on_cpu(queries, vectors, query_rows: np.ndarray, rows: np.ndarray) -> np.ndarray:
    from vfsearch.kernels.cpu.pairs import scores_of_pairs

    scores = np.empty(len(rows))
    bad = scores_of_pairs(Rows(queries), Rows(vectors), query_rows, rows, scores)
    if bad is not None:
        raise _no_such_row(bad, query_rows, rows, len(queries), len(vectors))
    return scores


def _require_fitting(queries, vectors, query_rows: np.ndarray, rows: np.ndarray) -> None:
    if queries.ndim != 2 or vectors.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise SettingsError(
            f"the queries have the shape {tuple(queries.shape)}, the gallery {tuple(vectors.shape)}: wanted (q, d) and "
            "(n, d)"
        )
    if query_rows.ndim != 1 or query_rows.shape != rows.shape:
        raise SettingsError(
            f"the pairs are {query_rows.shape} rows of the queries and {rows.shape} of the gallery: wanted one of each"
        )
    for numbers in (query_rows, rows):
        if numbers.dtype.kind not in "iu":
            raise SettingsError(f"row numbers are {numbers.dtype}, wanted whole numbers")


def _no_such_row(pair: int, query_rows: np.ndarray, rows: np.ndarray, queries: int, vectors: int) -> SettingsError:
    return SettingsError(
        f"pair {pair} is row {query_rows[pair]} of {queries} queries and row {rows[pair]} of {vectors} in the gallery: "
        "there is no such row"
    )
