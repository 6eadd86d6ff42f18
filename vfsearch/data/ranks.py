"""Where a probe's mates stand in a gallery, ties kept apart."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class MateRanks:
    """For each probe, the blocks of equal scores that hold at least one of its mates, best block first.

    Everything that a ranking measure needs, whatever the gallery's size: m blocks in all, in the order of the probes.

    Args:
        probe: (m,) probe of the block.
        above: (m,) gallery items that score better than the block.
        tied: (m,) gallery items in the block.
        mates_above: (m,) mates among `above`.
        mates_tied: (m,) mates among `tied`, at least 1.
        mates: (q,) mates of each probe; 0 where it has none.
        gallery: (q,) gallery items that each probe was compared with.
    """

    probe: np.ndarray
    above: np.ndarray
    tied: np.ndarray
    mates_above: np.ndarray
    mates_tied: np.ndarray
    mates: np.ndarray
    gallery: np.ndarray


def uninformed(ranks: MateRanks) -> MateRanks:
    """What the same probes would get if every score were equal: one block of the whole gallery each."""
    probe = np.flatnonzero(ranks.mates > 0)
    zeros = np.zeros(len(probe), dtype=np.int64)
    return MateRanks(
        probe=probe,
        above=zeros,
        tied=ranks.gallery[probe],
        mates_above=zeros,
        mates_tied=ranks.mates[probe],
        mates=ranks.mates,
        gallery=ranks.gallery,
    )
