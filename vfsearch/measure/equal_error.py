"""The equal error rate, and what others mean by it.

On a finite list no threshold need make both error rates equal. The definitions differ in what they make of the two
operating points on either side; on 40 trials by up to 5 points, on 60,000 by up to 0.2.
"""

import numpy as np

from vfsearch.measure.convex_hull import hull
from vfsearch.measure.operating_points import OperatingPoints


def equal_error_rate(points: OperatingPoints) -> float:
    """The rate at which false matches and false non-matches are equally frequent.

    Linear interpolation between the two neighbouring operating points around FMR = FNMR. Finding where 1 - x meets the
    interpolated ROC curve by Brent's method gives the same number to the tolerance of the search (2e-12).

    Args:
        points: what each threshold accepts.
    Returns:
        A fraction; NaN when one kind of trial is missing.
    Source: ISO/IEC 19795-1 vocabulary; interpolation as fixed by this project.
    Example:
        >>> from vfsearch.measure.operating_points import ScoredTrials
        >>> equal_error_rate(ScoredTrials(np.zeros(4), np.array([True, False, True, False])).operating_points())
        0.5
    """
    if not points.defined:
        return float("nan")
    before, after = _around(points.gaps)
    share = -points.gaps[before] / (points.gaps[after] - points.gaps[before])
    return float(points.fmr[before] + share * (points.fmr[after] - points.fmr[before]))


def eer_nearest(points: OperatingPoints) -> float:
    """The mean of both error rates at the operating point where they differ least, the stricter of two such points.

    Source: the usual reading of scikit-learn's ROC curve (argmin |FNR - FPR|); `binary_eer` of torchmetrics.
    """
    if not points.defined:
        return float("nan")
    return _mean_rate(points, _nearest(points.gaps))


def eer_nearest_max(points: OperatingPoints) -> float:
    """The larger error rate at the operating point where they differ least, among corners of the curve alone.

    Source: clovaai/voxceleb_trainer, tuneThreshold.py: scikit-learn's `roc_curve`, which leaves out points within
        straight parts of even steps, then the larger rate where |FNR - FPR| is smallest.
    """
    if not points.defined:
        return float("nan")
    places = points.corner_places()
    place = places[_nearest(points.gaps[places])]
    return float(max(points.fmr[place], points.fnmr[place]))


def eer_speechbrain(points: OperatingPoints) -> float:
    """The mean of both error rates where they differ least, when scores *above* a threshold are accepted.

    Thresholds are the scores and their midpoints, from the lowest: "accept all" is not among them, and of two equally
    near points the laxer one is taken.

    Source: speechbrain/utils/metric_stats.py, `EER` (which computes in float32).
    """
    if not points.defined:
        return float("nan")
    before, after = _around(points.gaps)
    laxer = after < len(points.gaps) - 1 and points.gaps[after] <= -points.gaps[before]
    return _mean_rate(points, after if laxer else before)


def eer_kaldi(points: OperatingPoints) -> float:
    """The share of mated scores below the first of them, in rising order, that few enough non-mated ones reach.

    The smallest k/n at which FMR at the k-th lowest of n mated scores (from 0) is at most k/n; (n - 1)/n if there is
    none.

    Source: Kaldi, ivectorbin/compute-eer.cc, `ComputeEer` (which computes in float32).
    """
    if not points.defined:
        return float("nan")
    all_mated, all_other = points.mated[-1], points.other[-1]
    reached = np.ceil(points.other[1:] * all_mated / all_other)
    place = last_block_of_kaldi(points.mated, reached, all_mated)
    if place < 0:
        return float(max(all_mated - 1, 0) / all_mated)
    return float(max(all_mated - points.mated[place + 1], reached[place]) / all_mated)


def last_block_of_kaldi(mated: np.ndarray, reached: np.ndarray, all_mated: float) -> int:
    """The block of equal scores in which `eer_kaldi` finds its mated score, -1 for none.

    Args:
        mated: (m + 1,) accepted mated weight.
        reached: (m,) FMR at each score times the mated total, rounded up.
        all_mated: the mated total.
    """
    found = np.flatnonzero((reached <= all_mated - mated[:-1] - 1) & (mated[1:] > mated[:-1]))
    return int(found[-1]) if len(found) else -1


def eer_convex_hull(points: OperatingPoints) -> float:
    """The equal error rate of the ROC convex hull: of the worst prior at the best threshold.

    Source: Brümmer & de Villiers, BOSARIS Toolkit, 2013 (`rocch2eer`); pyllr.
    """
    return equal_error_rate(hull(points)) if points.defined else float("nan")


def eer_midpoint(points: OperatingPoints) -> float:
    """The middle of the bounds of FVC2000: half the smaller sum of error rates on either side of FMR = FNMR.

    The bounds are FMR and FNMR at the strictest threshold with FNMR <= FMR, or at the laxest one with FNMR >= FMR,
    whichever have the smaller sum.

    Source: Maio, Maltoni, Cappelli, Wayman & Jain, "FVC2000", PAMI 2002.
    """
    if not points.defined:
        return float("nan")
    before, after = _around(points.gaps)
    if points.gaps[after] == 0:
        return _mean_rate(points, after)
    return min(_mean_rate(points, before), _mean_rate(points, after))


def _around(gaps: np.ndarray) -> tuple[int, int]:
    """Places of the last point with FMR < FNMR and of the first with FMR >= FNMR."""
    after = int(np.searchsorted(gaps, 0.0))
    return after - 1, after


def _nearest(gaps: np.ndarray) -> int:
    before, after = _around(gaps)
    return before if -gaps[before] <= gaps[after] else after


def _mean_rate(points: OperatingPoints, place: int) -> float:
    return float((points.fmr[place] + points.fnmr[place]) / 2)
