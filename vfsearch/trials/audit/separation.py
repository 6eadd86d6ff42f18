"""How well a number that should say nothing tells mated from non-mated pairs."""

from dataclasses import dataclass

import numpy as np

LEAST_AUC = 0.05
"""From 0.5; below this a leak is of little use to anybody."""
DEVIATIONS = 5.0
"""Standard deviations of chance; a list of one direction has a dozen such tests."""


@dataclass(frozen=True, kw_only=True)
class Separation:
    """What a number tells of the labels.

    Args:
        auc: chance that a mated pair has the larger number, ties counting one half; NaN where a label is missing.
        deviations: how many standard deviations of chance it is from 0.5.
        right: pairs whose label the number tells right, cut at the best place, mated above or mated below.
        of: how many pairs.
    """

    auc: float
    deviations: float
    right: int
    of: int

    @property
    def leaks(self) -> bool:
        """Large enough to matter, and no accident."""
        return abs(self.auc - 0.5) >= LEAST_AUC and abs(self.deviations) >= DEVIATIONS


def separation(numbers: np.ndarray, mated: np.ndarray, non_mated: np.ndarray) -> Separation:
    """What a number tells, where it belongs to many pairs.

    The spread under chance is that of the Mann-Whitney statistic without ties, so with ties it is on the safe side.

    Args:
        numbers: (n,) one number for each of n things.
        mated, non_mated: (n,) how many pairs of either label each of them has.
    Source: Mann & Whitney, Annals of Mathematical Statistics 1947.
    Example:
        >>> told = separation(np.array([1, 2, 2]), np.array([0, 1, 3]), np.array([2, 1, 1]))
        >>> told.auc, told.right, told.of
        (0.75, 6, 8)
    """
    positives, negatives = float(mated.sum()), float(non_mated.sum())
    if not positives or not negatives:
        most = int(max(positives, negatives))
        return Separation(auc=float("nan"), deviations=0.0, right=most, of=most)
    _, level = np.unique(numbers, return_inverse=True)
    up, down = np.bincount(level, weights=mated), np.bincount(level, weights=non_mated)
    below = np.cumsum(down) - down
    auc = float(up @ (below + down / 2)) / (positives * negatives)
    spread = np.sqrt((positives + negatives + 1) / (12 * positives * negatives))
    # Mated above the cut and non-mated below it, for a cut above each level; the other way about is the rest.
    above = positives - np.cumsum(up) + np.cumsum(down)
    right = max(above.max(), positives + negatives - above.min(), positives, negatives)
    of = int(positives + negatives)
    return Separation(auc=auc, deviations=float((auc - 0.5) / spread), right=int(right), of=of)
