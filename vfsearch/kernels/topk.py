"""Exact top-k: the k best rows of each query, in a fixed order."""

import numpy as np
import torch

from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.errors import SettingsError
from vfsearch.kernels.exact import grid, score_block

BLOCK_SCORES = 2**22
SLACK = 16


def topk(
    queries: np.ndarray,
    vectors: np.ndarray,
    k: int,
    exclude: np.ndarray | None = None,
    device: str = "cpu",
) -> Neighbors:
    """The k best rows of each query by inner product, equal scores in the order of their rows.

    Candidates are found with float32 products; every row that could be among the k best within the error bound of
    such a product is scored again exactly (see `vfsearch.kernels.exact`), so the answer is that of the exact scores,
    whatever the block size, batch or device.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows, in memory or mapped.
        k: how many, at least 1; above n the rest is padding.
        exclude: (q,) one row each query must not get, for example itself; -1 for none.
        device: where to compute.
    Returns:
        Neighbors, best first.
    Raises:
        SettingsError: k < 1, or the dimensions differ.
    """
    if k < 1:
        raise SettingsError(f"k is {k}, it must be at least 1")
    if queries.shape[1] != vectors.shape[1]:
        raise SettingsError(f"queries have {queries.shape[1]} columns, the gallery has {vectors.shape[1]}")
    count, n = len(queries), len(vectors)
    rows = np.full((count, k), NO_ROW, dtype=np.int64)
    scores = np.full((count, k), -np.inf)
    if n == 0:
        return Neighbors(rows=rows, scores=scores)
    exclude = np.full(count, NO_ROW) if exclude is None else exclude
    gallery = torch.as_tensor(np.ascontiguousarray(vectors, dtype=np.float32)).to(device)
    step = max(1, BLOCK_SCORES // n)
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        rows[part], scores[part] = _block(queries[part], gallery, k, exclude[part])
    return Neighbors(rows=rows, scores=scores)


def _block(queries: np.ndarray, gallery: torch.Tensor, k: int, exclude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Top-k of a few queries: float32 candidates, exact decision."""
    device = gallery.device
    left = torch.as_tensor(np.ascontiguousarray(queries, dtype=np.float32)).to(device)
    approximate = left @ gallery.T
    skip = torch.as_tensor(exclude).to(device)
    has = torch.nonzero(skip >= 0)[:, 0]
    approximate[has, skip[has]] = -torch.inf
    n = gallery.shape[0]
    kept = min(k + SLACK, n)
    best = torch.topk(approximate, kept, dim=1)
    candidates = best.indices
    if kept < n and bool((best.values[:, -1] >= best.values[:, min(k, kept) - 1] - _margin(gallery.shape[1])).any()):
        # More rows than the slack stand within the margin of the k-th best: decide among all of them exactly.
        return _whole(grid(left), gallery, k, skip)
    exact = torch.einsum("qd,qcd->qc", grid(left, device), grid(gallery[candidates], device))
    exact[approximate.gather(1, candidates) == -torch.inf] = -torch.inf
    return _ordered(exact, candidates, k)


def _margin(dimension: int) -> float:
    """Twice the greatest error of a float32 product of unit rows of this dimension, with the grid's rounding."""
    return 2 * ((dimension + 2) * 2.0**-24 + 2 * dimension**0.5 * 2.0**-27)


def _whole(left: torch.Tensor, gallery: torch.Tensor, k: int, skip: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    exact = score_block(left.to(gallery.device), grid(gallery, gallery.device))
    has = torch.nonzero(skip >= 0)[:, 0]
    exact[has, skip[has]] = -torch.inf
    everything = torch.arange(gallery.shape[0], device=gallery.device).expand(len(left), -1)
    return _ordered(exact, everything, k)


def _ordered(exact: torch.Tensor, candidates: torch.Tensor, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k best candidates by (score, row), padded."""
    by_row = torch.argsort(candidates, dim=1)
    exact, candidates = exact.gather(1, by_row), candidates.gather(1, by_row)
    order = torch.sort(exact, dim=1, descending=True, stable=True).indices[:, :k]
    scores, rows = exact.gather(1, order), candidates.gather(1, order)
    rows[scores == -torch.inf] = NO_ROW
    short = k - rows.shape[1]
    rows = torch.nn.functional.pad(rows, (0, max(0, short)), value=NO_ROW)
    scores = torch.nn.functional.pad(scores, (0, max(0, short)), value=-torch.inf)
    return rows.cpu().numpy(), scores.cpu().numpy()
