"""Rows that go to a device a stretch at a time, the next one while the one before is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16, "float64": torch.float32}
PINNED_ENTRIES = 2**25


def dtype_there(vectors: np.ndarray | torch.Tensor) -> torch.dtype:
    """How a device holds rows: as they are, float64 rounded to float32."""
    return DTYPES[str(vectors.dtype).removeprefix("torch.")]


def stretches(
    vectors: np.ndarray | torch.Tensor, device: torch.device, size: int
) -> Iterator[tuple[int, torch.Tensor]]:
    """The number of the first row, and the rows on a device, stretch by stretch.

    Args:
        vectors: (n, d), in memory, mapped, or on a device.
        device: where to.
        size: rows to a stretch.
    """
    starts = range(0, len(vectors), size)
    if isinstance(vectors, torch.Tensor) and vectors.device == device:
        for start in starts:
            yield start, vectors[start : start + size].to(dtype_there(vectors)).contiguous()
        return
    upload = _Upload(vectors, device, min(size, len(vectors)))
    with ThreadPoolExecutor(1, thread_name_prefix="vfsearch-upload") as pool:
        coming = pool.submit(upload.stretch, 0)
        for start in starts:
            rows = upload.taken(coming.result())
            if start + size < len(vectors):
                coming = pool.submit(upload.stretch, start + size)
            yield start, rows


def resident(vectors: np.ndarray | torch.Tensor, device: torch.device) -> torch.Tensor:
    """All rows on a device; not copied where they are so already."""
    if isinstance(vectors, torch.Tensor) and vectors.device == device:
        return vectors.to(dtype_there(vectors)).contiguous()
    rows = torch.empty(tuple(vectors.shape), dtype=dtype_there(vectors), device=device)
    for start, part in stretches(vectors, device, PINNED_ENTRIES // max(1, vectors.shape[1])):
        rows[start : start + len(part)] = part
    return rows


class _Upload:
    """Copies through pinned memory, on a stream of its own.

    One buffer is enough: it is filled again by the thread that waited until it was copied.
    """

    def __init__(self, vectors: np.ndarray | torch.Tensor, device: torch.device, size: int) -> None:
        self.vectors, self.device, self.size = vectors, device, size
        self.is_cuda = device.type == "cuda"
        self.stream = torch.cuda.Stream(device) if self.is_cuda else None
        self.buffer = torch.empty((size, vectors.shape[1]), dtype=dtype_there(vectors), pin_memory=self.is_cuda)

    def stretch(self, start: int) -> torch.Tensor:
        """Rows on the device, all there."""
        part = self.vectors[start : start + self.size]
        filled = self.buffer[: len(part)]
        if isinstance(part, np.ndarray):
            np.copyto(filled.numpy(), part, casting="same_kind")
        else:
            filled.copy_(part)
        if not self.is_cuda:
            return filled.clone()
        with torch.cuda.stream(self.stream):
            rows = filled.to(self.device, non_blocking=True)
        self.stream.synchronize()
        return rows

    def taken(self, rows: torch.Tensor) -> torch.Tensor:
        """The rows, for use on the stream of the thread that asks."""
        if self.is_cuda:
            rows.record_stream(torch.cuda.current_stream(self.device))
        return rows
