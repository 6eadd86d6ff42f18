"""Detection cost: both kinds of error weighed by how often their trials occur.

Costs of a miss and of a false alarm are 1; the prior of a mated trial is what the figure is asked at. Divided by the
cost of accepting or rejecting everything, whichever is less, so that 1 is worth nothing.

Source: NIST speaker recognition evaluation plans (SRE16 to SRE24), normalised C_Det.
"""

import numpy as np

from vfsearch.measure.operating_points import OperatingPoints


def min_dcf(points: OperatingPoints, prior: float) -> float:
    """The detection cost at the best threshold, which the scores themselves choose.

    Args:
        points: what each threshold accepts.
        prior: of a mated trial, between 0 and 1.
    Returns:
        From 0 to 1; NaN when one kind of trial is missing.
    Example:
        >>> from vfsearch.measure.operating_points import ScoredTrials
        >>> min_dcf(ScoredTrials(np.zeros(4), np.array([True, False, True, False])).operating_points(), 0.01)
        1.0
    """
    if not points.defined:
        return float("nan")
    return float(np.min(_costs(points.fnmr, points.fmr, prior)))


def act_dcf(points: OperatingPoints, prior: float) -> float:
    """The detection cost at the threshold that is best for log-likelihood ratios: log((1 - prior) / prior).

    Args:
        points: what each threshold accepts; scores are natural logarithms of likelihood ratios.
        prior: of a mated trial, between 0 and 1.
    Returns:
        From 0, above 1 where calibration is worse than none; NaN when one kind of trial is missing.
    """
    if not points.defined:
        return float("nan")
    place = points.at_score(bayes_threshold(prior))
    return float(_costs(points.fnmr[place], points.fmr[place], prior))


def bayes_threshold(prior: float) -> float:
    """The log-likelihood ratio from which accepting costs less than rejecting.

    Example:
        >>> bayes_threshold(0.5)
        0.0
    """
    return float(np.log((1.0 - prior) / prior))


def _costs(fnmr: np.ndarray, fmr: np.ndarray, prior: float) -> np.ndarray:
    return (prior * fnmr + (1.0 - prior) * fmr) / min(prior, 1.0 - prior)
