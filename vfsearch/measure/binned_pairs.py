"""Replicates of the operating points of trials in memory."""

import numpy as np

from vfsearch.measure.operating_points import OperatingPoints, ScoredTrials
from vfsearch.measure.score_bins import BinRule


class BinnedPairs:
    """Sorted trials by bin, so that their operating points under other weights cost one look-up a trial.

    Args:
        trials: sorted.
        codes: (t,) int64 place of each trial's weight in the tables of weights, in the order the trials came in.
        points: the operating points of the trials, each counted once.
        edges: ascending scores at which a bin begins.
    """

    def __init__(self, trials: ScoredTrials, codes: np.ndarray, points: OperatingPoints, edges: np.ndarray) -> None:
        rule = BinRule(mated=int(points.mated[-1]), other=int(points.other[-1]), edges=edges)
        places = rule.places(points)
        codes = codes[trials.order]
        self._kept = points.kept(places)
        self._mated = _Kind(codes[trials.mated], points.mated[places].astype(np.int64))
        self._other = _Kind(codes[~trials.mated], points.other[places].astype(np.int64))

    def replicate(self, table: np.ndarray) -> OperatingPoints:
        """The operating points under a table of weights."""
        mated, other = self._mated.accepted(table), self._other.accepted(table)
        return OperatingPoints(thresholds=self._kept.thresholds, mated=mated, other=other, costs=self._kept.costs)


class _Kind:
    """Trials of one kind: their codes by descending score, and how many of them each bin's end accepts.

    The arrays that a look-up fills are made once: asking the system for memory takes longer than the look-up.
    """

    def __init__(self, codes: np.ndarray, ends: np.ndarray) -> None:
        filled = np.flatnonzero(np.diff(ends))
        self._codes, self._starts, self._filled = codes, ends[filled], filled + 1
        self._weights, self._sums, self._bins = np.empty(len(codes)), np.empty(len(filled)), np.zeros(len(ends))

    def accepted(self, table: np.ndarray) -> np.ndarray:
        """(bins + 1,) weight accepted at each bin's end."""
        if len(self._codes):
            # Without a mode numpy fills a copy first; every code is within the table.
            np.take(table, self._codes, out=self._weights, mode="clip")
            self._bins[self._filled] = np.add.reduceat(self._weights, self._starts, out=self._sums)
        return np.cumsum(self._bins)
