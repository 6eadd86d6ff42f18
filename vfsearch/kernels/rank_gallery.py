"""A gallery that mates are ranked in: what is kept of it from one call to the next."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from vfsearch.data.neighbors import NO_ROW
from vfsearch.devices import one_device
from vfsearch.errors import SettingsError
from vfsearch.kernels.cpu.gallery import Stretch, bytes_a_row, stretch
from vfsearch.kernels.exact import grid
from vfsearch.kernels.rows import Rows

MAX_MEMORY = 2**30
LEAST_ROWS = 1024
"""A stretch has at least so many rows, however little memory is allowed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RankGallery:
    """Gallery rows and whose they are.

    Args:
        rows: (n, d).
        identities: (n,) int64.
        device: where scores are computed.
        kept: the rows made ready: on a CPU one stretch, elsewhere (n, d) from `grid`; None: they are made ready
            stretch by stretch in each call, because all of them would take too much memory.
        people: (p,) int64 the identities, ascending.
        items: (p,) int64 how many rows each has.
    """

    rows: Rows
    identities: np.ndarray
    device: str
    kept: Stretch | torch.Tensor | None
    people: np.ndarray
    items: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def mates(self, identities: np.ndarray, exclude: np.ndarray) -> np.ndarray:
        """(q,) int64 how many mates queries have, the excluded row not counted."""
        if not len(self.people):
            return np.zeros(len(identities), dtype=np.int64)
        place = np.minimum(np.searchsorted(self.people, identities), len(self.people) - 1)
        count = np.where(self.people[place] == identities, self.items[place], 0)
        has = np.flatnonzero(exclude != NO_ROW)
        count[has] -= self.identities[exclude[has]] == identities[has]
        return count

    def stretches(self, packed: bool, max_memory: int) -> Iterator[Stretch]:
        """Go through the rows, in stretches that take half of the memory at most."""
        if isinstance(self.kept, Stretch):
            yield self.kept
            return
        step = max(LEAST_ROWS, max_memory // 2 // bytes_a_row(self.rows.shape[1]))
        for first in range(0, len(self), step):
            yield stretch(self.rows, self.identities, first, min(first + step, len(self)), packed)


def rank_gallery(
    vectors: np.ndarray | torch.Tensor, identities: np.ndarray, device: str = "cpu", *, max_memory: int | None = None
) -> RankGallery:
    """What `mate_ranks` and `crowds` need of a gallery that is asked again and again.

    Args:
        vectors: (n, d) unit rows, in memory or mapped.
        identities: (n,) int64.
        device: where to compute.
        max_memory: bytes that calls may use; rows that take more than half of it are not kept. None: 1 GiB.
    Raises:
        SettingsError: not one identity a row.
        VectorError: a row is not finite.
    """
    if len(vectors) != len(identities):
        raise SettingsError(f"{len(vectors)} gallery rows, {len(identities)} identities: each row needs one")
    device = one_device(device)
    rows, identities = Rows(vectors), np.ascontiguousarray(identities, dtype=np.int64)
    people, items = np.unique(identities, return_counts=True)
    return RankGallery(
        rows=rows,
        identities=identities,
        device=device,
        kept=_kept(vectors, rows, identities, device, max_memory or MAX_MEMORY),
        people=people,
        items=items,
    )


def _kept(
    vectors: np.ndarray | torch.Tensor, rows: Rows, identities: np.ndarray, device: str, max_memory: int
) -> Stretch | torch.Tensor | None:
    if device != "cpu":
        return grid(vectors, device)
    if len(rows) * bytes_a_row(rows.shape[1]) > max_memory // 2:
        return None
    return stretch(rows, identities, 0, len(rows))
