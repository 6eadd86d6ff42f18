"""The items of one part of a list, embedded."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem


@dataclass(frozen=True, kw_only=True, eq=False)
class Origins:
    """From which state of which file each row and each failure of a shard came.

    Args:
        rows: (n, 16) uint8, a key for each row; rows of one item have equal keys.
        failures: (m, 16) uint8, for each failure.
        changed_by: by what a changed file shows in them: "size", "time" or "digest".
    """

    rows: np.ndarray
    failures: np.ndarray
    changed_by: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Shard:
    """The content of one shard: each item of one part of the list is a row, or several, or a failure.

    Args:
        embeddings: the rows.
        failures: the items without one.
        split: the value of the column `split` that all of them have.
        origins: of rows and failures; None where nobody noted them.
    """

    embeddings: Embeddings
    failures: tuple[FailedItem, ...]
    split: str
    origins: Origins | None = None

    def __len__(self) -> int:
        return len(self.embeddings) + len(self.failures)
