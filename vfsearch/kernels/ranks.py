"""Ranks of mates in a whole gallery, by counting: no order of rows is made or kept."""

import numpy as np
import torch

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.errors import SettingsError
from vfsearch.kernels.cpu.asked import Asked
from vfsearch.kernels.cpu.mates import blocks
from vfsearch.kernels.cpu.ranking import Ranking
from vfsearch.kernels.rank_gallery import MAX_MEMORY, RankGallery, rank_gallery
from vfsearch.kernels.sorted_ranks import sorted_ranks

BYTES_A_SCORE = 32
"""What a score takes while it is looked at on a GPU, and its place among the mates with it."""
COLUMNS = ("probe", "above", "tied", "mates_above", "mates_tied")


def mate_ranks(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor | RankGallery,
    query_identities: np.ndarray,
    identities: np.ndarray,
    exclude: np.ndarray | None = None,
    device: str = "cpu",
    *,
    max_memory: int | None = None,
) -> MateRanks:
    """How many gallery rows score above, and equal to, each mate of each query.

    On a CPU float32 scores are counted between the exact scores of the mates, and those that are too near to one for
    float32 to tell are computed exactly. Time grows as queries times rows, memory with neither.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows, in memory or mapped; or what `rank_gallery` made of them, when the same gallery is
            asked again and again.
        query_identities: (q,) int64.
        identities: (n,) int64; a row is a mate of a query when they are equal.
        exclude: (q,) one row each query is not compared with, for example itself; -1 for none.
        device: where to compute.
        max_memory: bytes to use beside the arguments and the result, as far as the largest single piece of work
            allows; None: 1 GiB.
    Returns:
        MateRanks from exact scores (see `vfsearch.kernels.exact`): equal rows tie.
    Raises:
        SettingsError: sizes do not fit together.
        VectorError: a query or a row is not finite.
    Example:
        >>> rows = np.array([[1, 0], [0.8, 0.6], [0, 1]], np.float32)
        >>> found = mate_ranks(rows[:1], rows, np.array([7]), np.array([1, 7, 7]))
        >>> found.above.tolist(), found.mates_above.tolist()
        ([1, 2], [0, 1])
    """
    gallery = gallery_of(vectors, identities, device, max_memory)
    exclude = require_queries(queries, query_identities, exclude, gallery)
    if gallery.device != "cpu":
        return _by_sorting(queries, gallery, query_identities, exclude, max_memory or MAX_MEMORY)
    found = Found(gallery, query_identities, exclude)
    ranking = Ranking(gallery, query_identities, exclude, found.mates, max_memory or MAX_MEMORY)
    ranking.run(queries, found.write)
    return found.ranks()


def gallery_of(
    vectors: np.ndarray | torch.Tensor | RankGallery, identities: np.ndarray, device: str, max_memory: int | None
) -> RankGallery:
    """The gallery made ready, if it is not.

    Raises:
        SettingsError: it was made ready with other identities.
    """
    if not isinstance(vectors, RankGallery):
        return rank_gallery(vectors, identities, device, max_memory=max_memory)
    if identities is not vectors.identities and not np.array_equal(identities, vectors.identities):
        raise SettingsError("the gallery was made ready with other identities: make it ready with these")
    return vectors


def require_queries(
    queries: np.ndarray, query_identities: np.ndarray, exclude: np.ndarray | None, gallery: RankGallery
) -> np.ndarray:
    """(q,) int64 which row each query is not compared with.

    Raises:
        SettingsError: sizes do not fit together, or an excluded row is not there.
    """
    if queries.ndim != 2 or queries.shape[1] != gallery.rows.shape[1]:
        wanted = gallery.rows.shape[1]
        raise SettingsError(f"the queries have the shape {tuple(queries.shape)}, the gallery wants (q, {wanted})")
    count = len(queries)
    exclude = np.full(count, NO_ROW) if exclude is None else np.asarray(exclude, dtype=np.int64)
    if not count == len(query_identities) == len(exclude):
        raise SettingsError(
            f"{count} queries, {len(query_identities)} identities of queries, {len(exclude)} excluded rows: "
            "wanted equally many"
        )
    if count and not NO_ROW <= exclude.min() <= exclude.max() < len(gallery):
        raise SettingsError(
            f"excluded rows {exclude.min()} to {exclude.max()}, but the gallery has {len(gallery)}; -1 is for none"
        )
    return exclude


class Found:
    """The blocks of ties of all queries, as pieces of work find them, in any order."""

    def __init__(self, gallery: RankGallery, query_identities: np.ndarray, exclude: np.ndarray) -> None:
        self.mates = gallery.mates(query_identities, exclude)
        self.compared = np.full(len(exclude), len(gallery), dtype=np.int64) - (exclude != NO_ROW)
        self.first = np.cumsum(self.mates) - self.mates
        self.sizes = np.zeros(len(self.mates), dtype=np.int64)
        self.room = int(self.mates.sum())
        self.columns = [np.empty(self.room, dtype=np.int64) for _ in COLUMNS[1:]]

    @property
    def shared_places(self) -> bool:
        """Mates tie, so that there are fewer blocks than mates."""
        return int(self.sizes.sum()) < self.room

    def write(self, asked: Asked) -> None:
        """Take in what was found of some queries."""
        self.sizes[asked.numbers] = asked.sizes
        first = self.first[asked.numbers]
        blocks(asked.starts, asked.sizes, asked.beyond, asked.equal, asked.times, first, *self.columns)

    def ranks(self) -> MateRanks:
        """All of it, without the room that was not needed."""
        if self.shared_places:
            kept = self.kept()
            for number, column in enumerate(self.columns):
                self.columns[number] = column[kept]
        probe = np.repeat(np.arange(len(self.sizes)), self.sizes)
        columns = dict(zip(COLUMNS, [probe, *self.columns], strict=True))
        return MateRanks(**columns, mates=self.mates, gallery=self.compared)

    def kept(self) -> np.ndarray:
        """(m,) bool: which of the places for blocks were needed."""
        place = np.arange(self.room) - np.repeat(self.first, self.mates)
        return place < np.repeat(self.sizes, self.mates)


def _by_sorting(
    queries: np.ndarray, gallery: RankGallery, query_identities: np.ndarray, exclude: np.ndarray, max_memory: int
) -> MateRanks:
    step = max(1, max_memory // BYTES_A_SCORE // max(1, len(gallery)))
    parts = [slice(start, start + step) for start in range(0, len(queries), step)] or [slice(0, 0)]
    pieces = [
        sorted_ranks(queries[part], gallery.kept, query_identities[part], gallery.identities, exclude[part], part.start)
        for part in parts
    ]
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    compared = np.full(len(queries), len(gallery), dtype=np.int64) - (exclude != NO_ROW)
    return MateRanks(**dict(zip((*COLUMNS, "mates"), columns, strict=True)), gallery=compared)
