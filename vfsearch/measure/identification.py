"""Open-set identification: is the one who is searched for found, and is nobody returned for one who is not enrolled?

A search returns the candidates that score at or above a threshold T. With N identities in the gallery

    FPIR(T, N)    = share of non-mated searches that return a candidate
    FNIR(T, R, N) = share of mated searches whose mate is not among the first R, or is below T
    TPIR, or DIR  = 1 - FNIR

A missing probe returns nothing: it is a miss if it is mated, and still one of the searches if it is not. Where the
mate ties with other candidates, the chance that it is among the first R counts.

Source: ISO/IEC 19795-1:2021, open-set identification; Grother, Ngan & Quinn, NIST IR 8173 (FIVE), 2017.
"""

from functools import partial

import numpy as np

from vfsearch.data.searches import Searches


def false_positive_rate(searches: Searches, threshold: float) -> float:
    """FPIR(T, N).

    Args:
        searches: what was returned.
        threshold: T, on the scores' scale.
    Returns:
        A fraction; NaN when no search is non-mated.
    """
    return _share((searches.best >= threshold) & ~searches.missing, searches, ~searches.mated)


def false_negative_rate(searches: Searches, threshold: float, rank: int | None = None) -> float:
    """FNIR(T, R, N).

    Args:
        searches: what was returned.
        threshold: T; -inf looks at the rank alone.
        rank: R; None: any.
    Returns:
        A fraction; NaN when no search is mated.
    """
    return 1.0 - detection_rate(searches, threshold, rank)


def detection_rate(searches: Searches, threshold: float, rank: int | None = None) -> float:
    """TPIR(T, R, N) = 1 - FNIR(T, R, N).

    Args:
        searches: what was returned.
        threshold: T; -inf looks at the rank alone.
        rank: R; None: any.
    Returns:
        A fraction; NaN when no search is mated, or T is NaN.
    """
    if np.isnan(threshold):
        return float("nan")
    found = _chance_within(searches, rank) * (searches.mate_scores >= threshold)
    return _share(found, searches, searches.mated)


def threshold_at(searches: Searches, fpir: float) -> float:
    """The smallest threshold T with FPIR(T, N) <= fpir.

    It is the next number of float64 above the best score of the non-mated search that would make it too many: T is
    exact, and searches with equal scores are accepted or refused together. So scores that are all equal are all
    refused, and detect nobody.

    Args:
        searches: what was returned.
        fpir: a fraction.
    Returns:
        T, -inf where every score may be accepted; NaN when no search is non-mated.
    """
    best, counts = searches.others_best_first
    if not len(best):
        return float("nan")
    # Rates as quotients, as their definition has them: 3 of 30 is 0.1 to the last digit.
    rates = np.cumsum(counts) / counts.sum()
    ends = np.append(best[1:] != best[:-1], True)
    too_many = best[ends & (rates > fpir)]
    return float(np.nextafter(too_many[0], np.inf)) if len(too_many) and too_many[0] > -np.inf else float("-inf")


def detection_at_fpir(searches: Searches, fpir: float, rank: int = 1) -> float:
    """DIR: 1 - FNIR(T, R, N) at the smallest threshold T with FPIR(T, N) <= fpir.

    Args:
        searches: what was returned.
        fpir: a fraction.
        rank: R.
    Returns:
        A fraction; NaN when no search is mated or none is non-mated.
    """
    return detection_rate(searches, threshold_at(searches, fpir), rank)


detection_at_fpir_5 = partial(detection_at_fpir, rank=5)
detection_at_fpir_10 = partial(detection_at_fpir, rank=10)
detection_at_fpir_20 = partial(detection_at_fpir, rank=20)


def misses_at_fpir(searches: Searches, fpir: float) -> float:
    """FNIR(T, N, N), whatever the rank, at the smallest threshold T with FPIR(T, N) <= fpir.

    Args:
        searches: what was returned.
        fpir: a fraction.
    Returns:
        A fraction; NaN when no search is mated or none is non-mated.
    """
    return false_negative_rate(searches, threshold_at(searches, fpir))


def mated_within(searches: Searches, k: int) -> float:
    """The closed-set identification rate at rank k: 1 - FNIR(-inf, k, N).

    Args:
        searches: what was returned; those that are not mated ask nothing here.
        k: the rank.
    Returns:
        A fraction; NaN when no search is mated.
    """
    return detection_rate(searches, float("-inf"), k)


def error_rates(searches: Searches, rank: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every operating point, from the strictest threshold to the mildest.

    Args:
        searches: what was returned.
        rank: R; None: any.
    Returns:
        Thresholds, falling from +inf, each the best score of a non-mated search or a mate's, with FPIR and FNIR at
        them; (m,) each.
    """
    scores = np.concatenate([searches.best[~searches.mated & ~searches.missing], searches.mate_scores])
    thresholds = np.append(np.inf, np.unique(scores[np.isfinite(scores)])[::-1])
    detected = _chance_within(searches, rank) * searches.counts
    false = searches.counts * ~searches.missing
    return (
        thresholds,
        _at_or_above(thresholds, searches.best[~searches.mated], false[~searches.mated])
        / _total(searches, ~searches.mated),
        1.0
        - _at_or_above(thresholds, searches.mate_scores[searches.mated], detected[searches.mated])
        / _total(searches, searches.mated),
    )


def _at_or_above(thresholds: np.ndarray, scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sum of the weights of the scores at or above each threshold, NaN being below any."""
    order = np.argsort(-scores)
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    return sums[np.searchsorted(-scores[order], -thresholds, side="right")]


def _chance_within(searches: Searches, rank: int | None) -> np.ndarray | float:
    """(s,) the chance that the mate is among the first `rank`, ties ordered at random."""
    if rank is None:
        return 1.0 - searches.missing
    block = searches.tied + 1
    return np.clip(rank - searches.above, 0, block) / block * ~searches.missing


def _total(searches: Searches, part: np.ndarray) -> float:
    total = float(searches.counts @ part)
    return total if total > 0 else float("nan")


def _share(values: np.ndarray, searches: Searches, part: np.ndarray) -> float:
    return float(searches.counts @ (values * part)) / _total(searches, part)
