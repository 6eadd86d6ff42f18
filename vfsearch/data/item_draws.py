"""Drawing some items of each person, so that fewer are part of more."""

import hashlib
from collections.abc import Sequence

import numpy as np

from vfsearch.data.embeddings import numbered


def item_key(id_: str, seed: int) -> bytes:
    """A key as good as random, the same on every machine: items are drawn in the order of their keys."""
    return hashlib.blake2b(f"{seed}\0{id_}".encode("utf-8", "surrogateescape"), digest_size=16).digest()


def drawn_items(
    names: Sequence[str], ids: Sequence[str], amounts: np.ndarray, limit: float, seed: int
) -> np.ndarray:  # fmt: skip
    """The rows that are drawn of each group, whole items until the limit is reached.

    Who is drawn depends on the ids of the group and on the seed alone: not on the order of rows, nor on other groups.

    Args:
        names: n, of the group of each item.
        ids: n, of the items, each once.
        amounts: (n,) how much each item is: 1, or its seconds.
        limit: an item is taken as long as those of its group before it are less than this together.
        seed: of the draw.
    Returns:
        (m,) ascending row numbers.

    Example:
        >>> len(drawn_items("aab", ["x", "y", "z"], np.ones(3), limit=1, seed=1))
        2
    """
    order = sorted(range(len(ids)), key=lambda row: (names[row], item_key(ids[row], seed)))
    (group,) = numbered([names[row] for row in order])
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    reached = np.concatenate([[0.0], np.cumsum(np.asarray(amounts, float)[order])])
    before = reached[:-1] - reached[starts[group]]
    # What was summed over all groups before is taken off again, and leaves a rest.
    kept = before < limit - 1e-9 * max(1.0, reached[-1])
    return np.sort(np.array(order, dtype=np.int64)[kept])
