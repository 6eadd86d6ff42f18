"""Candidates: the chunks of a gallery that may hold rows of the k best, and the value that a chunk must reach."""

import torch

from vfsearch.kernels.cuda.places import runs_triton
from vfsearch.kernels.cuda.probes import Probes
from vfsearch.kernels.cuda.settings import Room

LEAST = torch.finfo(torch.float32).min
LANES = 512
LONGEST_LIST = 2**14
"""The kernel holds a list in registers."""


class Candidates:
    """A list of chunks for each probe, narrowed again and again.

    If the k greatest maxima are at least a, k rows (of different chunks) have computed values of at least a, so their
    exact ones are at least a - error; a row that belongs to the k best then has a computed value of at least
    a - 2 error, and so has its chunk.

    Args:
        probes: of whom.
        room: how many there may be.
        floor: (q,) scores that a row must reach to matter, -inf where any does.
        excludes: whether a probe must not get some row: one of its greatest maxima may then be void.

    Attributes:
        maxima: (q, capacity) float32.
        chunks: (q, capacity) int32.
        counts: (m,) int32 of each probe, padding included: places filled; above the capacity if some were lost.
        bounds: (m,) float32 what a maximum must reach; +inf for padding.
    """

    def __init__(self, probes: Probes, room: Room, floor: torch.Tensor, excludes: bool) -> None:
        shape, device, height = (len(probes), room.capacity), floor.device, len(probes.half)
        self.maxima = torch.empty(shape, device=device)
        self.chunks = torch.empty(shape, dtype=torch.int32, device=device)
        self.counts = torch.zeros(height, dtype=torch.int32, device=device)
        self.bounds = torch.full((height,), torch.inf, device=device)
        self._last = room.k - 1 + excludes
        self._error, self._floor = probes.error, probes.least_value(floor).clamp_(min=LEAST)
        self.narrow()

    @property
    def filled(self) -> torch.Tensor:
        """(q,) int32 chunks to look into; none for a probe of which some were lost."""
        return self.counts[: len(self.maxima)] * self.complete()

    def complete(self) -> torch.Tensor:
        """(q,) bool: no row that may belong to the k best is outside the chunks listed."""
        return (self.counts[: len(self.maxima)] <= self.maxima.shape[1]) & self._error.isfinite()

    def narrow(self) -> None:
        """Raise the bounds to what the maxima tell, and leave out what does not reach them."""
        if runs_triton(self.maxima.device) and self.maxima.shape[1] <= LONGEST_LIST:
            self._narrow_by_triton()
        else:
            self._narrow_by_torch()

    def _narrow_by_triton(self) -> None:
        from vfsearch.kernels.cuda.compiled.narrowing import narrowing

        capacity = self.maxima.shape[1]
        narrowing[(len(self.maxima),)](
            self.maxima, self.chunks, self.counts, self.bounds, self._floor, self._error, self._last,
            CAPACITY=capacity, num_warps=capacity // LANES,
        )  # fmt: skip

    def _narrow_by_torch(self) -> None:
        count, capacity = self.maxima.shape
        is_empty = torch.arange(capacity, device=self.maxima.device) >= self.counts[:count, None]
        values, order = self.maxima.masked_fill(is_empty, -torch.inf).sort(dim=1, descending=True)
        bounds = torch.maximum(self._floor, values[:, self._last].double() - 2 * self._error)
        self.bounds[:count] = bounds
        self.maxima, self.chunks = values, self.chunks.gather(1, order)
        kept = (values >= self.bounds[:count, None]).sum(dim=1, dtype=torch.int32)
        self.counts[:count] = torch.where(self.counts[:count] > capacity, self.counts[:count], kept)
