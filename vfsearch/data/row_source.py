"""Rows that come block by block, so that never all of them are in memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.pooling import Pooling
from vfsearch.data.space import Space


@dataclass(frozen=True, kw_only=True, eq=False)
class RowSource:
    """Rows of one modality, in blocks.

    Args:
        modality: of all rows.
        space: of all rows.
        origin: digest of what they come from (the store's), hexadecimal.
        sizes: how many rows each block has.
        read: gives the rows of one block by its number; checked, unit rows.
        pooling: how items were pooled into these rows; None: each row is one item.

    Example:
        >>> from vfsearch.data.space import Space
        >>> import numpy as np
        >>> rows = Embeddings(ids=["a"], identities=["p"], vectors=np.ones((1, 1), np.float32), modality="face",
        ...                   space=Space(name="toy", fingerprint="0" * 64, dimension=1))
        >>> source = rows_in_memory(rows, "0" * 64)
        >>> len(source), [len(block) for block in source.blocks()]
        (1, [1])
    """

    modality: str
    space: Space
    origin: str
    sizes: Sequence[int]
    read: Callable[[int], Embeddings]
    pooling: Pooling | None = None

    def __len__(self) -> int:
        return sum(self.sizes)

    def blocks(self) -> Iterator[Embeddings]:
        """Each block in turn."""
        return (self.read(number) for number in range(len(self.sizes)))

    def part(self, first: int, last: int) -> "RowSource":
        """A stretch of the rows; blocks outside it are never read.

        Args:
            first, last: from which row to before which.

        Example:
            >>> from vfsearch.data.space import Space
            >>> import numpy as np
            >>> rows = Embeddings(ids=["a", "b"], identities=["p", "q"], vectors=np.eye(2, dtype=np.float32),
            ...                   modality="face", space=Space(name="toy", fingerprint="0" * 64, dimension=2))
            >>> [block.ids for block in rows_in_memory(rows, "0" * 64).part(1, 2).blocks()]
            [['b']]
        """
        ends = list(accumulate(self.sizes))
        starts = [end - size for end, size in zip(ends, self.sizes, strict=True)]
        # Of each block: its number, and which of its rows.
        cuts = [
            (number, max(first, start) - start, min(last, end) - start)
            for number, (start, end) in enumerate(zip(starts, ends, strict=True))
            if max(first, start) < min(last, end)
        ]

        def read(place: int) -> Embeddings:
            number, begin, end = cuts[place]
            block = self.read(number)
            return block if (begin, end) == (0, len(block)) else block.take(np.arange(begin, end))

        return replace(self, sizes=tuple(end - begin for _, begin, end in cuts), read=read)


def rows_in_memory(embeddings: Embeddings, origin: str) -> RowSource:
    """Rows that are in memory already, as one block.

    Args:
        embeddings: the rows.
        origin: digest of what they come from, hexadecimal.
    """
    return RowSource(
        modality=embeddings.modality, space=embeddings.space, origin=origin, sizes=(len(embeddings),),
        read=lambda _: embeddings,
    )  # fmt: skip
