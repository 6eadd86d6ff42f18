"""Verification: how well one threshold parts mated from non-mated scores."""

import numpy as np

from vfsearch.measure.operating_points import OperatingPoints


def auc(points: OperatingPoints) -> float:
    """Area under the ROC curve: the chance that a mated score exceeds a non-mated one, ties counting 1/2.

    Args:
        points: what each threshold accepts.
    Returns:
        A fraction; NaN when one kind of trial is missing.
    Source: Hanley & McNeil, Radiology 1982.
    Example:
        >>> from vfsearch.measure.operating_points import ScoredTrials
        >>> auc(ScoredTrials(np.array([3.0, 2.0, 1.0]), np.array([True, False, True])).operating_points())
        0.5
    """
    if not points.defined:
        return float("nan")
    area = np.sum(np.diff(points.other) * points.block_levels())
    return float(area / points.mated[-1] / points.other[-1])


def fmr_at_score(points: OperatingPoints, threshold: float) -> float:
    """The share of non-mated trials that score at least a threshold.

    Where a side that could not be embedded scores -inf and is counted, this is the standard's false accept rate:
    FAR = FMR (1 - FTA), FTA being the share of trials with such a side.

    Args:
        points: what each threshold accepts.
        threshold: a score; scores from it on are accepted.
    Returns:
        A fraction; NaN without non-mated trials.
    Source: ISO/IEC 19795-1:2021, false match rate.
    """
    return float(points.fmr[points.at_score(threshold)])


def fnmr_at_score(points: OperatingPoints, threshold: float) -> float:
    """The share of mated trials that score below a threshold.

    Where a side that could not be embedded scores -inf and is counted, this is the standard's false reject rate:
    FRR = FTA + FNMR (1 - FTA).

    Args:
        points: what each threshold accepts.
        threshold: a score; scores from it on are accepted.
    Returns:
        A fraction; NaN without mated trials.
    Source: ISO/IEC 19795-1:2021, false non-match rate.
    """
    return float(points.fnmr[points.at_score(threshold)])


def tar_at_far(points: OperatingPoints, rate: float) -> float:
    """The true match rate at the lowest threshold whose false match rate is at most a rate.

    An operating point that is there, without interpolation: with fewer than 1/rate non-mated trials, none of them may
    be accepted.

    Args:
        points: what each threshold accepts.
        rate: of false matches, between 0 and 1.
    Returns:
        A fraction; NaN when one kind of trial is missing.
    Source: TAR@FAR of the face world, as in Klare et al., IJB-A, CVPR 2015; TMR and FMR in ISO/IEC 19795-1:2021.
    Example:
        >>> from vfsearch.measure.operating_points import ScoredTrials
        >>> scores, mated = np.array([5.0, 4.0, 3.0, 2.0]), np.array([True, False, True, False])
        >>> tar_at_far(ScoredTrials(scores, mated).operating_points(), 0.1)
        0.5
    """
    return float(points.tmr[points.at_fmr(rate)]) if points.defined else float("nan")


def fnmr_at_fmr(points: OperatingPoints, rate: float) -> float:
    """The false non-match rate at the lowest threshold whose false match rate is at most a rate: 1 - TAR@FAR.

    Args:
        points: what each threshold accepts.
        rate: of false matches, between 0 and 1.
    Returns:
        A fraction; NaN when one kind of trial is missing.
    Source: FVC2000 (FMR100, FMR1000), Maio et al., PAMI 2002; NIST FRTE.
    """
    return float(points.fnmr[points.at_fmr(rate)]) if points.defined else float("nan")
