"""Exact top-k: the k best rows of each query, in a fixed order."""

import numpy as np
import torch

from vfsearch.data.embeddings import require_unit_rows
from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.errors import SettingsError
from vfsearch.kernels.exact import grid, on_device, score_block

BLOCK_SCORES = 2**24
SLACK = 16
GRID_ROWS = 2**16
CHUNK = 64


def topk(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor,
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
        vectors: (n, d) unit rows, in memory, mapped, or on the device already.
        k: how many, at least 1; above n the rest is padding.
        exclude: (q,) one row each query must not get, for example itself; -1 for none.
        device: where to compute.
    Returns:
        Neighbors, best first.
    Raises:
        SettingsError: k < 1, or the dimensions differ.
        VectorError: a query is not finite or not of unit length.
    """
    if k < 1:
        raise SettingsError(f"k is {k}, it must be at least 1")
    if queries.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise SettingsError(f"the queries have the shape {queries.shape}, the gallery wants (q, {vectors.shape[1]})")
    # The error bound below holds for unit rows alone; those of the gallery were checked when they were stored.
    require_unit_rows(queries, range(len(queries)))
    count, n = len(queries), len(vectors)
    rows = np.full((count, k), NO_ROW, dtype=np.int64)
    scores = np.full((count, k), -np.inf)
    if n == 0:
        return Neighbors(rows=rows, scores=scores)
    exclude = np.full(count, NO_ROW) if exclude is None else exclude
    gallery = on_device(vectors, device)
    step = max(1, BLOCK_SCORES // max(n, (k + SLACK) * gallery.shape[1]))
    # One buffer for all blocks: a new one each time would cost more in page faults than in arithmetic.
    buffer = torch.empty((min(step, count), n), dtype=torch.float32, device=gallery.device)
    for start in range(0, count, step):
        part = slice(start, min(start + step, count))
        rows[part], scores[part] = _block(queries[part], gallery, k, exclude[part], buffer)
    return Neighbors(rows=rows, scores=scores)


def _block(
    queries: np.ndarray, gallery: torch.Tensor, k: int, exclude: np.ndarray, buffer: torch.Tensor
) -> tuple[np.ndarray, np.ndarray]:
    """Top-k of a few queries: float32 candidates, exact decision."""
    left = on_device(queries, gallery.device)
    skip = torch.as_tensor(exclude).to(gallery.device)
    approximate = _without(torch.matmul(left, gallery.T, out=buffer[: len(left)]), skip)
    n = len(gallery)
    kept = min(k + SLACK, n)
    values, candidates = _largest(approximate, kept)
    exact = torch.einsum("qd,qcd->qc", grid(left, gallery.device), grid(gallery[candidates], gallery.device))
    exact[values == -torch.inf] = -torch.inf
    rows, scores = _ordered(exact, candidates, k)
    if kept < n:
        # More rows than the slack may stand within the margin of the k-th best: decide among all rows exactly.
        close = torch.nonzero(values[:, -1] >= values[:, k - 1] - _margin(gallery.shape[1]))[:, 0]
        if len(close):
            rows[close], scores[close] = _whole(left[close], gallery, k, skip[close])
    return rows.cpu().numpy(), scores.cpu().numpy()


def _largest(scores: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `count` largest scores of each query, in descending order, and their columns.

    The `count` chunks of columns with the largest maxima hold them: every chunk left out has `count` maxima, each of
    another column, that are no smaller. Selecting among maxima first is several times as fast.
    """
    whole = scores.shape[1] // CHUNK
    if whole < 4 * count:
        return torch.topk(scores, count, dim=1)
    maxima = scores[:, : whole * CHUNK].unflatten(1, (whole, CHUNK)).amax(dim=2)
    chunks = torch.topk(maxima, count, dim=1, sorted=False).indices
    inside = (chunks[:, :, None] * CHUNK + torch.arange(CHUNK, device=scores.device)).flatten(1)
    rest = torch.arange(whole * CHUNK, scores.shape[1], device=scores.device).expand(len(scores), -1)
    columns = torch.cat([inside, rest], dim=1)
    values, places = torch.topk(scores.gather(1, columns), count, dim=1)
    return values, columns.gather(1, places)


def _without(scores: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
    """The scores, -inf where a query must not get a row."""
    has = torch.nonzero(skip >= 0)[:, 0]
    scores[has, skip[has]] = -torch.inf
    return scores


def _margin(dimension: int) -> float:
    """Twice the most by which a float32 product of two unit rows can differ from their exact score.

    A sum of d products in any order, with or without fused multiply-add, is off by at most d u / (1 - d u) times the
    product of the lengths, u = 2^-24; rounding the entries to the grid moves it by at most 2 sqrt(d) 2^-27. Two more
    units cover the subtraction of the margin itself, one per mille covers rows that are not quite of length one.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1.
    """
    rounding = (dimension + 2) * 2.0**-24
    # The caller's process may let torch round the factors to bfloat16: slower here, but still exact.
    factors = 0.0 if torch.get_float32_matmul_precision() == "highest" else 2.0**-8
    return 2 * 1.001 * (factors + rounding / (1 - rounding) + 2 * dimension**0.5 * 2.0**-27)


def _whole(left: torch.Tensor, gallery: torch.Tensor, k: int, skip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Top-k of a few queries among all rows, in double precision throughout."""
    queries = grid(left, gallery.device)
    parts = [score_block(queries, grid(part, gallery.device)) for part in gallery.split(GRID_ROWS)]
    exact = _without(torch.cat(parts, dim=1), skip)
    scores, rows = torch.sort(exact, dim=1, descending=True, stable=True)
    return _padded(rows[:, :k], scores[:, :k], k)


def _ordered(exact: torch.Tensor, candidates: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best candidates by (score, row)."""
    candidates, by_row = torch.sort(candidates, dim=1)
    exact = exact.gather(1, by_row)
    scores, order = torch.sort(exact, dim=1, descending=True, stable=True)
    return _padded(candidates.gather(1, order)[:, :k], scores[:, :k], k)


def _padded(rows: torch.Tensor, scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """k columns, NO_ROW where there is no row or a forbidden one."""
    rows = rows.masked_fill(scores == -torch.inf, NO_ROW)
    short = (0, k - rows.shape[1])
    return torch.nn.functional.pad(rows, short, value=NO_ROW), torch.nn.functional.pad(scores, short, value=-torch.inf)
