"""Retrieval: what the first k of a ranked list hold, in expectation over the order of ties.

Each of n tied items is equally likely at each of their n places, so a block with r mates adds r/n of what a mate is
worth at each place.

A mate that was not retrieved counts among the mates of its probe and is found at no place. Relevance has no grades
here: an item is a mate or it is none.

Source: McSherry & Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
Scores", ECIR 2008; a partly retrieved list as trec_eval takes it.
"""

import numpy as np

from vfsearch.data.ranks import MateRanks


def recall_at(ranks: MateRanks, k: int) -> np.ndarray:
    """The expected share of a probe's mates that are among the first k.

    Args:
        ranks: where the mates stand.
        k: how many of the gallery are looked at.
    Returns:
        (q,) fractions; NaN for a probe without mates.
    """
    return _over(_mates_within(ranks, k), ranks.mates, ranks)


def precision_at(ranks: MateRanks, k: int) -> np.ndarray:
    """The expected share of mates among the first k; places beyond the end of a shorter list hold none.

    Args:
        ranks: where the mates stand.
        k: how many of the gallery are looked at.
    Returns:
        (q,) fractions; NaN for a probe without mates.
    """
    return _over(_mates_within(ranks, k), np.full(len(ranks.mates), k), ranks)


def r_precision(ranks: MateRanks) -> np.ndarray:
    """The expected share of mates among the first M, M being the number of the probe's mates.

    Args:
        ranks: where the mates stand.
    Returns:
        (q,) fractions; NaN for a probe without mates.
    """
    return _over(_mates_within(ranks, ranks.mates[ranks.probe]), ranks.mates, ranks)


def ndcg_at(ranks: MateRanks, k: int) -> np.ndarray:
    """Normalised discounted cumulative gain: a mate at place i <= k gains 1/log2(i + 1), any other item nothing.

    Args:
        ranks: where the mates stand.
        k: how many of the gallery are looked at.
    Returns:
        (q,) fractions of the gain of a list that has all mates first; NaN for a probe without mates.
    Source: Järvelin & Kekäläinen, ACM TOIS 2002; the discount of every place as in trec_eval.
    """
    first = np.minimum(ranks.above, k)
    last = np.minimum(ranks.above + ranks.tied, k)
    best = np.minimum(ranks.mates, k)
    sums, unit = _discount_sums(int(max(last.max(initial=0), best.max(initial=0))))
    gain = ranks.mates_tied / ranks.tied * ((sums[last] - sums[first]) * unit)
    return _over(np.bincount(ranks.probe, weights=gain, minlength=len(best)), sums[best] * unit, ranks)


def _mates_within(ranks: MateRanks, places: np.ndarray | int) -> np.ndarray:
    """(q,) expected number of mates among the first `places`, one number for all or one a block."""
    within = np.clip(places - ranks.above, 0, ranks.tied)
    return np.bincount(ranks.probe, weights=within * ranks.mates_tied / ranks.tied, minlength=len(ranks.mates))


def _discount_sums(count: int) -> tuple[np.ndarray, float]:
    """(count + 1,) sums of the discounts of the first places as whole multiples of a unit, and the unit.

    Whole numbers add without rounding, so that the small difference of two large sums keeps its digits.
    """
    discounts = 1.0 / np.log2(np.arange(2, count + 2))
    unit = 2.0 ** (np.ceil(np.log2(count + 1)) - 61)
    return np.concatenate([[0], np.cumsum(np.rint(discounts / unit).astype(np.int64))]), float(unit)


def _over(found: np.ndarray, wanted: np.ndarray, ranks: MateRanks) -> np.ndarray:
    """The quotient of each probe; NaN where the probe has no mates."""
    return np.divide(found, wanted, out=np.full(len(found), np.nan), where=ranks.mates > 0)
