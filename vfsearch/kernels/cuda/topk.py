"""Exact top-k on CUDA devices."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from vfsearch.data.neighbors import NO_ROW
from vfsearch.kernels.cuda.ordering import merged
from vfsearch.kernels.cuda.places import memory_of, working_on
from vfsearch.kernels.cuda.rows import SHARE_OF_ROWS, CudaRows, Share
from vfsearch.kernels.cuda.search import best_rows
from vfsearch.kernels.cuda.settings import bytes_of_probe, room_for
from vfsearch.kernels.exact import on_device

MOST_PROBES = 2**14
Best = tuple[torch.Tensor, torch.Tensor]


def topk_cuda(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor | CudaRows,
    k: int,
    exclude: np.ndarray,
    device: str,
    metric: str,
    max_memory: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """The k best rows of each query, equal scores in the order of their rows.

    Args:
        queries: (q, d) float32, finite; unit rows for "ip".
        vectors: (n, d) rows, or what `CudaRows` made of them, whose device and metric go before.
        k: at least 1.
        exclude: (q,) int64 one row each query must not get; -1 for none.
        device: "cuda", "cuda:N", or "cuda:all": the gallery is shared out among all.
        metric: "ip" or "l2".
        max_memory: bytes to use on each device; None: 80 % of what is free. A gallery that takes more is streamed.
    Returns:
        (q, k) int64 rows, -1 where there is none, and (q, k) float64 scores, -inf there.
    Raises:
        VectorError: a row of the gallery is not finite or too long.
    """
    gallery = vectors if isinstance(vectors, CudaRows) else CudaRows(vectors, device, metric, max_memory)
    found = _beside(lambda share: _search(share, queries, k, exclude, max_memory), gallery.shares)
    rows, scores = found[0] if found else _none(len(queries), k, torch.device("cpu"))
    for more in found[1:]:
        rows, scores = merged(rows, scores, *more)
    return rows.numpy(), scores.numpy()


def _beside(work: Callable[[Share], Best], shares: list[Share]) -> list[Best]:
    if len(shares) < 2:
        return [work(share) for share in shares]
    with ThreadPoolExecutor(len(shares), thread_name_prefix="vfsearch-gpu") as pool:
        return list(pool.map(work, shares))


def _search(share: Share, queries: np.ndarray, k: int, exclude: np.ndarray, max_memory: int | None) -> Best:
    """The best rows of one device's share, on the CPU."""
    memory = int((1 - SHARE_OF_ROWS) * memory_of(share.device, max_memory))
    step = max(1, min(MOST_PROBES, memory // bytes_of_probe(queries.shape[1], room_for(k))))
    rows, scores = _none(len(queries), k, share.device)
    with working_on(share.device):
        for part in share.parts():
            for start in range(0, len(queries), step):
                block = slice(start, start + step)
                asked = on_device(queries[block], share.device)
                skip = torch.as_tensor(exclude[block]).to(share.device) - part.first
                fresh, values = best_rows(asked, part, k, skip, scores[block, -1], memory)
                fresh = torch.where(fresh == NO_ROW, fresh, fresh + part.first)
                if part.first > share.first:
                    fresh, values = merged(rows[block], scores[block], fresh, values)
                rows[block], scores[block] = fresh, values
    return rows.cpu(), scores.cpu()


def _none(count: int, k: int, device: torch.device) -> Best:
    rows = torch.full((count, k), NO_ROW, device=device)
    return rows, torch.full((count, k), -torch.inf, dtype=torch.float64, device=device)
