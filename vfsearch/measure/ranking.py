"""Retrieval: where a probe's mates stand in the ranked gallery, in expectation over the order of ties.

Source: McSherry & Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
Scores", ECIR 2008.
"""

import numpy as np
from scipy.special import gammaln

from vfsearch.data.ranks import MateRanks


def average_precision(ranks: MateRanks) -> np.ndarray:
    """Average precision of each probe.

    A block of n tied items, r of them mates, after N items with R mates adds
    (r/n) sum_{j=1..n} (R + 1 + (j-1)(r-1)/(n-1)) / (N + j), which harmonic numbers give in closed form.

    Args:
        ranks: where the mates stand.
    Returns:
        (q,) fractions; NaN for a probe without mates.
    """
    harmonic = _harmonic_numbers(int(ranks.gallery.max(initial=0)))
    n, r = ranks.tied.astype(float), ranks.mates_tied.astype(float)
    above, mates_above = ranks.above.astype(float), ranks.mates_above.astype(float)
    slope = np.divide(r - 1, n - 1, out=np.zeros_like(n), where=n > 1)
    spread = harmonic[ranks.above + ranks.tied] - harmonic[ranks.above]
    # A block of one needs no harmonic numbers, and is exact without them.
    spread = np.where(ranks.tied == 1, 1.0 / (above + 1), spread)
    block = r / n * (slope * n + (mates_above + 1 - slope * (above + 1)) * spread)
    total = np.bincount(ranks.probe, weights=block, minlength=len(ranks.mates))
    return np.divide(total, ranks.mates, out=np.full(len(ranks.mates), np.nan), where=ranks.mates > 0)


def _harmonic_numbers(count: int) -> np.ndarray:
    """H_0 to H_count, summed in extended precision."""
    terms = 1.0 / np.arange(1, count + 1, dtype=np.longdouble)
    return np.concatenate([[0.0], np.cumsum(terms)]).astype(np.float64)


def hit_at(ranks: MateRanks, k: int) -> np.ndarray:
    """R@k: the chance that at least one mate is among the first k.

    Args:
        ranks: where the mates stand.
        k: how many of the gallery are looked at.
    Returns:
        (q,) fractions; NaN for a probe without mates.
    """
    hit = np.where(ranks.mates > 0, 0.0, np.nan)
    best = ranks.mates_above == 0
    probe, n, r = ranks.probe[best], ranks.tied[best], ranks.mates_tied[best]
    places = np.clip(k - ranks.above[best], 0, n)
    hit[probe] = 1.0 - _chance_of_none(n, r, places)
    return hit


def _chance_of_none(n: np.ndarray, r: np.ndarray, places: np.ndarray) -> np.ndarray:
    """C(n - r, places) / C(n, places): no mate among `places` of n items in random order, r of them mates."""
    possible = n - r >= places
    free = np.where(possible, n - r - places, 0)
    logarithm = gammaln(n - r + 1.0) - gammaln(free + 1.0) - gammaln(n + 1.0) + gammaln(n - places + 1.0)
    return np.where(places == 0, 1.0, np.where(possible, np.exp(logarithm), 0.0))


def tied_with_others(ranks: MateRanks) -> np.ndarray:
    """(q,) bool: whether a mate of the probe has the score of an item that is none."""
    mixed = ranks.tied > ranks.mates_tied
    return np.bincount(ranks.probe[mixed], minlength=len(ranks.mates)) > 0
