"""The items of one part of a list, embedded."""

from dataclasses import dataclass

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem


@dataclass(frozen=True, kw_only=True, eq=False)
class Shard:
    """The content of one shard: each item of one part of the list is a row or a failure.

    Args:
        embeddings: the rows.
        failures: the items without one.
        split: the value of the column `split` that all of them have.
    """

    embeddings: Embeddings
    failures: tuple[FailedItem, ...]
    split: str

    def __len__(self) -> int:
        return len(self.embeddings) + len(self.failures)
