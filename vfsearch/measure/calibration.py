"""Calibration: what scores are worth as log-likelihood ratios, over all priors at once.

Source: Brümmer & du Preez, "Application-independent evaluation of speaker detection", Computer Speech & Language 2006.
"""

import numpy as np

from vfsearch.measure.convex_hull import hull_places
from vfsearch.measure.operating_points import OperatingPoints


def cllr(points: OperatingPoints) -> float:
    """The cost of the log-likelihood ratio in bits: half the mean of log2(1 + e^-s) over mated trials and of
    log2(1 + e^s) over the others.

    Scores that say nothing (0) cost 1 bit; a mated trial with a missing side (-inf) costs infinitely much.

    Args:
        points: what each threshold accepts; scores are natural logarithms of likelihood ratios.
    Returns:
        Bits; NaN when one kind of trial is missing.
    Example:
        >>> from vfsearch.measure.operating_points import ScoredTrials
        >>> cllr(ScoredTrials(np.zeros(4), np.array([True, False, True, False])).operating_points())
        1.0
    """
    if not points.defined:
        return float("nan")
    masses = np.diff(points.mated) / points.mated[-1], np.diff(points.other) / points.other[-1]
    parts = [
        np.sum(np.multiply(mass, cost, out=np.zeros(len(mass)), where=mass > 0))
        for mass, cost in zip(masses, points.block_costs(), strict=True)
    ]
    return float(sum(parts) / 2)


def min_cllr(points: OperatingPoints) -> float:
    """The cost of the log-likelihood ratio after the best monotone calibration of the scores.

    That calibration (PAV) gives all trials within one edge of the ROC convex hull, a share a of the mated and b of the
    others, the likelihood ratio a/b: the sum of (a log2((a + b)/a) + b log2((a + b)/b)) / 2.

    Args:
        points: what each threshold accepts.
    Returns:
        From 0 to 1 bit; NaN when one kind of trial is missing.
    """
    if not points.defined:
        return float("nan")
    places = hull_places(points.mated, points.other)
    mated, other = np.diff(points.tmr[places]), np.diff(points.fmr[places])
    return float(sum(np.sum(_surprise(share, mated + other)) for share in (mated, other)) / 2)


def _surprise(share: np.ndarray, both: np.ndarray) -> np.ndarray:
    return share * np.log2(np.divide(both, share, out=np.ones(len(share)), where=share > 0))
