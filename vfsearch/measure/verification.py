"""Verification: how well one threshold parts mated from non-mated scores."""

import numpy as np


class ScoredTrials:
    """Verification trials sorted by score once, so that they can be measured under many weights.

    Args:
        scores: (t,) similarities; -inf for a missing probe.
        mated: (t,) bool.
    """

    def __init__(self, scores: np.ndarray, mated: np.ndarray) -> None:
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.mated = mated[self.order]
        self.ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))

    def operating_points(self, weights: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """False and true match rate at every threshold, from "accept none" to "accept all".

        Args:
            weights: (t,) of the trials; None is 1 each.
        Returns:
            FMR and TMR, each (m + 1,) for m distinct scores, both rising from 0 to 1.
        """
        weights = np.ones(len(self.order)) if weights is None else weights[self.order]
        mated = np.cumsum(weights * self.mated)[self.ends]
        other = np.cumsum(weights * ~self.mated)[self.ends]
        return _rate(other), _rate(mated)


def _rate(cumulated: np.ndarray) -> np.ndarray:
    total = cumulated[-1] if len(cumulated) and cumulated[-1] > 0 else np.nan
    return np.concatenate([[0.0], cumulated / total])


def auc(fmr: np.ndarray, tmr: np.ndarray) -> float:
    """Area under the ROC curve: the chance that a mated score exceeds a non-mated one, ties counting 1/2.

    Args:
        fmr, tmr: operating points from `ScoredTrials.operating_points`.
    Returns:
        A fraction; NaN when one kind of trial is missing.
    Source: Hanley & McNeil, Radiology 1982.
    Example:
        >>> float(auc(*ScoredTrials(np.array([3.0, 2.0, 1.0]), np.array([True, False, True])).operating_points()))
        0.5
    """
    if len(fmr) < 2:
        return float("nan")
    return float(np.sum((fmr[1:] - fmr[:-1]) * (tmr[1:] + tmr[:-1])) / 2)


def equal_error_rate(fmr: np.ndarray, tmr: np.ndarray) -> float:
    """The rate at which false matches and false non-matches are equally frequent.

    Linear interpolation between the two neighbouring operating points around FMR = FNMR.

    Args:
        fmr, tmr: operating points from `ScoredTrials.operating_points`.
    Returns:
        A fraction; NaN when one kind of trial is missing.
    Source: ISO/IEC 19795-1 vocabulary; interpolation as fixed by this project.
    Example:
        >>> equal_error_rate(*ScoredTrials(np.zeros(4), np.array([True, False, True, False])).operating_points())
        0.5
    """
    gap = fmr - (1.0 - tmr)
    if np.isnan(gap).any() or len(gap) < 2:
        return float("nan")
    after = int(np.argmax(gap >= 0))
    before = after - 1
    share = -gap[before] / (gap[after] - gap[before])
    return float(fmr[before] + share * (fmr[after] - fmr[before]))
