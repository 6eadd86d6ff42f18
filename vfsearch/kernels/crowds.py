"""How the gallery around each mate divides among people: what ranks become when somebody's items are left out."""

from collections.abc import Iterator

import numpy as np
import torch

from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd
from vfsearch.kernels.cpu.asked import Asked
from vfsearch.kernels.cpu.gallery import Stretch
from vfsearch.kernels.cpu.ranking import Counts, Ranking
from vfsearch.kernels.cpu.unit_counting import count_units
from vfsearch.kernels.rank_gallery import MAX_MEMORY, RankGallery
from vfsearch.kernels.ranks import Found, gallery_of, mate_ranks, require_queries
from vfsearch.kernels.sorted_crowds import sorted_crowd

BLOCK_COUNTS = 2**21


def crowds(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor | RankGallery,
    query_identities: np.ndarray,
    identities: np.ndarray,
    rows: np.ndarray,
    units: np.ndarray,
    exclude: np.ndarray | None = None,
    device: str = "cpu",
    *,
    max_memory: int | None = None,
) -> Iterator[Crowd]:
    """How many items of each unit score above, and equal to, each mate of some queries, a few queries at a time.

    Each gallery score is placed among the query's mates, and counted by place and unit.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows, in memory or mapped; or what `rank_gallery` made of them.
        query_identities: (q,) int64.
        identities: (n,) int64, numbered alike.
        rows: (s,) the queries that are wanted.
        units: (I,) int64 unit of each identity number.
        exclude: (q,) one gallery row each query is not compared with; -1 for none.
        device: where to compute.
        max_memory: bytes to use beside the arguments and the crowd that is given at a time; None: 1 GiB.
    Returns:
        Crowds of consecutive `rows`, from the same exact scores as `mate_ranks`.
    Raises:
        SettingsError: sizes do not fit together.
        VectorError: a query or a row is not finite.
    """
    gallery = gallery_of(vectors, identities, device, max_memory)
    exclude = require_queries(queries, query_identities, exclude, gallery)
    count = int(units.max(initial=-1)) + 1
    table = _Tables(gallery, units, count, max_memory or MAX_MEMORY)
    make = table.counted if gallery.device == "cpu" else table.by_sorting
    step = max(1, BLOCK_COUNTS // max(1, count * (int(gallery.items.max(initial=0)) + 1)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        found = make(queries[part], query_identities[part], exclude[part])
        yield crowd_of(*found, part, units[query_identities[part]], table.items)


def crowd_of(
    ranks: MateRanks, above: np.ndarray, tied: np.ndarray, rows: np.ndarray, own: np.ndarray, items: np.ndarray
) -> Crowd:
    """A crowd of tables, which are written over: what is of a probe's own unit does not count.

    Args:
        ranks: of the probes.
        above, tied: (b, U) rows of each unit above each block of ties, and equal to it.
        rows: (q,) the probes.
        own: (q,) unit of each.
        items: (U,) gallery rows of each unit.
    """
    gallery = np.tile(items, (len(rows), 1))
    # What is of the probe's own unit, the excluded row too, is never left out.
    gallery[np.arange(len(rows)), own] = 0
    for table in (above, tied):
        table[np.arange(len(table)), own[ranks.probe]] = 0
    return Crowd(ranks=ranks, rows=rows, above=above, tied=tied, gallery=gallery)


class _Tables:
    """Makes the ranks of some queries, and what is above and tied with each block, by unit.

    Args:
        gallery: that is asked.
        units: (I,) int64 unit of each identity number.
        count: of units.
        max_memory: bytes.
    """

    def __init__(self, gallery: RankGallery, units: np.ndarray, count: int, max_memory: int) -> None:
        self._gallery, self._units, self._count, self._max_memory = gallery, units, count, max_memory
        self.items = np.bincount(units[gallery.identities], minlength=count)
        self._last: tuple[Stretch | None, np.ndarray] = (None, np.zeros(0, np.int32))

    def counted(
        self, queries: np.ndarray, query_identities: np.ndarray, exclude: np.ndarray
    ) -> tuple[MateRanks, np.ndarray, np.ndarray]:
        """By compiled loops on a CPU."""
        found = Found(self._gallery, query_identities, exclude)
        above, tied = (np.zeros((found.room, self._count), dtype=np.int64) for _ in range(2))

        def counted(asked: Asked, part: Stretch, span: tuple[int, int], strip: np.ndarray) -> Counts:
            beyond, equal = np.zeros((2, len(asked.thresholds)), dtype=np.int64)
            written = (found.first[asked.numbers], above, tied, beyond, equal)
            count_units(*asked.facts(part), span, strip, self._of_rows(part), *written)
            return beyond, equal

        ranking = Ranking(self._gallery, query_identities, exclude, found.mates, self._max_memory)
        ranking.run(queries, found.write, counted, split=False)
        if found.shared_places:
            kept = found.kept()
            above, tied = above[kept], tied[kept]
        return found.ranks(), above, tied

    def _of_rows(self, part: Stretch) -> np.ndarray:
        """(n,) int32 unit of each row of a stretch; that of the last one is kept."""
        last, units = self._last
        if last is not part:
            units = self._units[part.identities].astype(np.int32)
            self._last = (part, units)
        return units

    def by_sorting(
        self, queries: np.ndarray, query_identities: np.ndarray, exclude: np.ndarray
    ) -> tuple[MateRanks, np.ndarray, np.ndarray]:
        """By torch on any device."""
        gallery = self._gallery
        ranks = mate_ranks(queries, gallery, query_identities, gallery.identities, exclude, max_memory=self._max_memory)
        of_items = self._units[gallery.identities]
        tables = sorted_crowd(
            ranks, queries, gallery.kept, query_identities, gallery.identities, exclude, of_items, self._count
        )
        return ranks, *tables
