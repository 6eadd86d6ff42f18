"""A gallery on one or several CUDA devices, searched again and again."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from vfsearch.errors import SettingsError
from vfsearch.kernels.cuda.device_rows import PAD, DeviceRows, device_rows
from vfsearch.kernels.cuda.places import devices_of, memory_of
from vfsearch.kernels.cuda.settings import bytes_of_row, bytes_to_prepare
from vfsearch.kernels.cuda.streaming import dtype_there, resident, stretches

SHARE_OF_ROWS = 0.75
"""Of the memory of a search; the rest is for probes and their candidates."""


class CudaRows:
    """Gallery rows shared out among devices; what fits stays there, what does not is streamed by each search.

    Args:
        vectors: (n, d) float32, float16, bfloat16 or float64 (rounded to float32), in memory, mapped, or on a device;
            they must not change.
        device: "cuda", "cuda:N", or "cuda:all" for every one.
        metric: "ip" or "l2".
        max_memory: bytes to use on each device, probes and candidates included; None: 80 % of what is free.
    Raises:
        SettingsError: the rows are of another type.
        VectorError: a row is not finite or too long (one that is streamed: when it is searched).
    """

    def __init__(
        self, vectors: np.ndarray | torch.Tensor, device: str, metric: str = "ip", max_memory: int | None = None
    ) -> None:
        try:
            dtype_there(vectors)
        except KeyError:
            raise SettingsError(f"the rows are {vectors.dtype}, wanted float32, float16, bfloat16 or float64") from None
        self.vectors, self.device, self.metric = vectors, device, metric
        self.shape = tuple(vectors.shape)
        devices = devices_of(device)
        size = -(-len(vectors) // len(devices))
        starts = range(0, len(vectors), max(1, size))
        self.shares = [
            Share.of(vectors[start : start + size], start, there, metric, max_memory)
            for start, there in zip(starts, devices, strict=False)
        ]

    def __len__(self) -> int:
        return self.shape[0]


@dataclass(frozen=True, kw_only=True, eq=False)
class Share:
    """The rows that one device searches.

    Args:
        vectors: (n, d).
        first: the number of the first in the whole gallery.
        device: where.
        metric: "ip" or "l2".
        memory: bytes that rows may take there.
        kept: the rows there, if they fit.
    """

    vectors: np.ndarray | torch.Tensor
    first: int
    device: torch.device
    metric: str
    memory: int
    kept: DeviceRows | None

    @classmethod
    def of(cls, vectors, first: int, device: torch.device, metric: str, max_memory: int | None) -> "Share":
        """A share of the gallery, put on its device if it fits."""
        memory = int(SHARE_OF_ROWS * memory_of(device, max_memory))
        n, dimension = vectors.shape
        itemsize = dtype_there(vectors).itemsize
        fits = n * bytes_of_row(dimension, itemsize, 1) + bytes_to_prepare(n, dimension) <= memory
        kept = None
        if fits and n:
            kept = device_rows(resident(vectors, device), metric, first)
        return cls(vectors=vectors, first=first, device=device, metric=metric, memory=memory, kept=kept)

    def parts(self) -> Iterator[DeviceRows]:
        """The rows on the device, one stretch after the other."""
        if self.kept is not None:
            yield self.kept
            return
        for start, rows in stretches(self.vectors, self.device, self.rows_at_once()):
            yield device_rows(rows, self.metric, self.first + start)

    def rows_at_once(self) -> int:
        """Rows to a stretch: one is worked on, the next one arrives, and one may not have been given back yet."""
        n, dimension = self.vectors.shape
        lasting = bytes_of_row(dimension, dtype_there(self.vectors).itemsize, 3)
        passing = bytes_to_prepare(n, dimension)
        few = self.memory // (lasting + bytes_to_prepare(1, dimension))
        return max(PAD, min(n, max(few, (self.memory - passing) // lasting)))
