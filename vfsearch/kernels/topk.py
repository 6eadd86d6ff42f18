"""Exact top-k: the k best rows of each query, in a fixed order."""

import numpy as np
import torch

from vfsearch.data.embeddings import require_unit_rows
from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.errors import SettingsError, VectorError
from vfsearch.kernels.search_gallery import MEMORY, SearchGallery, require_metric


def topk(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor | SearchGallery,
    k: int,
    exclude: np.ndarray | None = None,
    device: str = "cpu",
    *,
    metric: str = "ip",
    max_memory: int | None = None,
) -> Neighbors:
    """The k best rows of each query, equal scores in the order of their rows.

    Candidates are found with products of 8-bit, bfloat16 or float32 numbers, whichever is quickest here; every row that
    could be among the k best within the proven bounds of such products is scored again exactly. The answer is that of
    the exact scores (see `vfsearch.kernels.exact`), whatever the batch, the block, the threads or the device.

    Args:
        queries: (q, d) unit rows; rows of any length for "l2".
        vectors: (n, d) rows of float32, float16, bfloat16 or float64 (rounded to float32), in memory, mapped or on the
            device already; or what `search_gallery` made of them.
        k: how many, at least 1; above n the rest is padding.
        exclude: (q,) one row each query must not get, for example itself; -1 for none.
        device: where to compute; that of a prepared gallery goes before.
        metric: "ip", the inner product, or "l2": scores are minus the squared distance, in float64, the squares of the
            differences added in the order of the dimensions. A prepared gallery has its own.
        max_memory: bytes to use beside inputs and results; 1 GiB if None.
    Returns:
        Neighbors, best first.
    Raises:
        SettingsError: k < 1, no such metric, or the dimensions differ.
        VectorError: a query is not finite or, for "ip", not of unit length; or a row of the gallery is not finite or
            too long.
    """
    require_metric(metric)
    keeps = isinstance(vectors, SearchGallery)
    gallery = vectors if keeps else SearchGallery(vectors, device, metric)
    queries = _checked(np.asarray(queries), gallery, k)
    exclude = np.full(len(queries), NO_ROW) if exclude is None else np.ascontiguousarray(exclude, dtype=np.int64)
    if not len(queries) or not len(gallery):
        shape = (len(queries), k)
        return Neighbors(rows=np.full(shape, NO_ROW), scores=np.full(shape, -np.inf))
    if gallery.device == "cpu":
        from vfsearch.kernels.cpu.search import search

        rows, scores = search(queries, gallery, k, exclude, keeps, MEMORY if max_memory is None else max_memory)
    else:
        from vfsearch.kernels.cuda.topk import topk_cuda

        held = gallery.on_device() if keeps else gallery.vectors
        rows, scores = topk_cuda(queries, held, k, exclude, gallery.device, gallery.metric, max_memory)
    return Neighbors(rows=rows, scores=scores)


def _checked(queries: np.ndarray, gallery: SearchGallery, k: int) -> np.ndarray:
    if k < 1:
        raise SettingsError(f"k is {k}, it must be at least 1")
    if queries.ndim != 2 or queries.shape[1] != gallery.shape[1]:
        raise SettingsError(f"the queries have the shape {queries.shape}, the gallery wants (q, {gallery.shape[1]})")
    if gallery.metric == "ip":
        # The bounds and the exact scores hold for unit rows; those of the gallery are looked at while they are read.
        require_unit_rows(queries, range(len(queries)))
    queries = np.array(queries, dtype=np.float32, order="C", copy=None)
    if not np.isfinite(queries).all() or np.abs(queries).max(initial=0) > LONGEST_ENTRY:
        bad = int(np.flatnonzero(~(np.abs(queries).max(axis=1) <= LONGEST_ENTRY))[0])
        raise VectorError(f"query {bad} is not finite or has entries above {LONGEST_ENTRY:g}")
    return queries


LONGEST_ENTRY = 1e15
"""The squares of greater ones would not fit float32."""
