"""Which trials are counted together where a figure is worked out a thousand times: fine steps along the curve.

Replicates of a figure say how far it scatters; they need not know every trial's place. Steps are even shares of either
kind of trial, and finer towards both ends, where rates are small: single trials there, then steps of 2 %.
"""

from dataclasses import dataclass

import numpy as np

from vfsearch.measure.operating_points import OperatingPoints

MOST_WHOLE = 8192
"""With so many trials, every different score is a bin."""
_EVEN_STEPS = 2048
_STEPS_PER_DOUBLING = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class BinRule:
    """Where one bin ends and the next begins, in trials by descending score.

    Args:
        mated, other: how many trials of each kind there are.
        edges: ascending scores at which a bin begins: thresholds that figures are asked at.
    """

    mated: int
    other: int
    edges: np.ndarray

    def keys(self, mated: np.ndarray, other: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """A number for each block of equal scores; blocks of one number are one bin.

        Args:
            mated, other: (m,) how many trials of each kind score more.
            scores: (m,) of the blocks, descending.
        Returns:
            (m,) int64, rising.
        """
        if self.mated + self.other <= MOST_WHOLE:
            return (mated + other).astype(np.int64)
        below = len(self.edges) - np.searchsorted(self.edges, scores, side="right")
        # A missing side's -inf is a bin of its own.
        return _steps(mated, self.mated) + _steps(other, self.other) + below + np.isneginf(scores)

    @property
    def most(self) -> int:
        """No more bins than this."""
        total = self.mated + self.other
        if total <= MOST_WHOLE:
            return total
        ends = 2 * _STEPS_PER_DOUBLING * np.log2(1.0 + total)
        return 2 * (_EVEN_STEPS + int(ends) + 2) + len(self.edges) + 2

    def places(self, points: OperatingPoints) -> np.ndarray:
        """Places of the points at which bins begin and end, "accept none" and "accept all" among them."""
        keys = self.keys(points.mated[:-1], points.other[:-1], points.thresholds[1:])
        starts = np.flatnonzero(np.diff(keys, prepend=-1))
        return np.append(starts, len(keys))


def _steps(counts: np.ndarray, total: int) -> np.ndarray:
    """How many steps of a kind of trial are behind a trial that so many of `total` stand before."""
    even = np.floor(counts * (_EVEN_STEPS / max(total, 1)))
    first = np.floor(_STEPS_PER_DOUBLING * np.log2(1.0 + counts))
    last = np.floor(_STEPS_PER_DOUBLING * np.log2(1.0 + (total - counts)))
    return (even + first - last).astype(np.int64) + int(_STEPS_PER_DOUBLING * np.log2(1.0 + total))
