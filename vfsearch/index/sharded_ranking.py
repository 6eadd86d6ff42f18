"""Ranks of mates among the rows of a sharded index, counted by its partitions."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd
from vfsearch.errors import MismatchError
from vfsearch.index.sharded import ShardedIndex, within
from vfsearch.kernels.parted_ranks import PartedRanks


class ShardedRanking:
    """A gallery that a sharded index holds; a `vfsearch.protocol.ranking.Ranking`.

    Args:
        index: the index.
        rows: (g,) the row of it that each item of the gallery has.
        identities: (g,) int64 of the items.
    Raises:
        MismatchError: the index lacks an item.
    """

    def __init__(self, index: ShardedIndex, rows: np.ndarray, identities: np.ndarray) -> None:
        lacks = int((rows == NO_ROW).sum())
        if lacks:
            raise MismatchError(
                f"the index {index.folder} lacks {lacks:,} of the {len(rows):,} items of the gallery, and its "
                "partitions rank what they hold: build it of the store as it is, or ask in this process"
            )
        order = np.argsort(rows, kind="stable")
        # Behind the last item stands the one that -1, no item, means.
        self._place = np.append(np.argsort(order, kind="stable"), NO_ROW)
        told, spans, done = {}, {}, 0
        for number, partition in enumerate(index.answering.partitions):
            first = int(index.firsts[number])
            last = first + partition.rows
            some = rows[order][slice(*np.searchsorted(rows[order], [first, last]))]
            if len(some):
                stretch = slice(done, done + len(some))
                told[number] = (within(some, first, last), identities[order][stretch])
                spans[number] = (stretch.start, stretch.stop)
                done += len(some)
        index.answering.prepare("rank_among", told)
        self._parts = PartedRanks(index.answering.ask, spans)

    def ranks(self, queries: np.ndarray, identities: np.ndarray, exclude: np.ndarray) -> MateRanks:
        """See `vfsearch.protocol.ranking.Ranking.ranks`."""
        return self._parts.ranks(queries, identities, self._place[exclude])

    def crowds(
        self, queries: np.ndarray, identities: np.ndarray, rows: np.ndarray, units: np.ndarray, exclude: np.ndarray
    ) -> Iterator[Crowd]:
        """See `vfsearch.protocol.ranking.Ranking.crowds`."""
        return self._parts.crowds(queries, identities, rows, units, self._place[exclude])
