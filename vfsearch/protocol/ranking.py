"""Who ranks the gallery's mates: kernels of this process, or partitions wherever they are."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.ranks import mate_ranks, rank_gallery


class Ranking(Protocol):
    """A gallery in which mates are ranked; see `vfsearch.kernels.ranks` and `vfsearch.kernels.crowds`."""

    def ranks(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray) -> MateRanks:
        """How many rows score above, and equal to, each mate of each query."""

    def crowds(
        self, queries: np.ndarray, identities: np.ndarray, rows: np.ndarray, units: np.ndarray, exclude: np.ndarray
    ) -> Iterator[Crowd]:
        """The same by unit, for some of the queries."""


class RankingHere:
    """The kernels of this process; see `Ranking`.

    Args:
        vectors: (n, d) unit rows.
        identities: (n,) int64.
        device: where to compute.
        max_memory: bytes to use beside rows and results; None: 1 GiB.
    """

    def __init__(self, vectors: np.ndarray, identities: np.ndarray, device: str, max_memory: int | None) -> None:
        self._gallery = rank_gallery(vectors, identities, device, max_memory=max_memory)
        self._identities, self._device, self._max_memory = identities, device, max_memory

    def ranks(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray) -> MateRanks:
        """See `Ranking.ranks`."""
        return mate_ranks(
            queries, self._gallery, identities, self._identities, exclude, self._device, max_memory=self._max_memory
        )

    def crowds(
        self, queries: np.ndarray, identities: np.ndarray, rows: np.ndarray, units: np.ndarray, exclude: np.ndarray
    ) -> Iterator[Crowd]:
        """See `Ranking.crowds`."""
        return crowds(
            queries, self._gallery, identities, self._identities, rows, units, exclude, self._device,
            max_memory=self._max_memory,
        )  # fmt: skip
