"""Retrieval: where a probe's mates stand in the ranked gallery, in expectation over the order of ties.

Source: McSherry & Najork, "Computing Information Retrieval Performance Measures Efficiently in the Presence of Tied
Scores", ECIR 2008.
"""

import numpy as np

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
    block = np.empty(len(ranks.probe))
    for start in range(0, len(block), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        block[part] = _added(ranks.above[part], ranks.tied[part], ranks.mates_above[part], ranks.mates_tied[part])
    return _over_mates(ranks, block)


_AT_ONCE = 2**14
"""Blocks whose intermediate numbers stay in the cache."""


def _added(above: np.ndarray, tied: np.ndarray, mates_above: np.ndarray, mates_tied: np.ndarray) -> np.ndarray:
    """What blocks of ties add to the sum of precisions."""
    n, r = tied.astype(float), mates_tied.astype(float)
    slope = np.divide(r - 1, n - 1, out=np.zeros_like(n), where=n > 1)
    spread = sum_of_inverses(above, tied)
    return r / n * ((mates_above + 1) * spread + slope * (n - (above + 1) * spread))


def grouped_average_precision(ranks: MateRanks) -> np.ndarray:
    """Average precision that gives every mate of a tie the precision behind the tie, as scikit-learn does.

    A block of n tied items, r of them mates, after N items with R mates adds r (R + r) / (N + n). A constant score
    gets the share of mates.

    Args:
        ranks: where the mates stand.
    Returns:
        (q,) fractions; NaN for a probe without mates.
    Source: scikit-learn, average_precision_score.
    """
    block = ranks.mates_tied * (ranks.mates_above + ranks.mates_tied) / (ranks.above + ranks.tied)
    return _over_mates(ranks, block)


def _over_mates(ranks: MateRanks, block: np.ndarray) -> np.ndarray:
    """What the blocks of each probe add up to, divided by its mates."""
    total = np.bincount(ranks.probe, weights=block, minlength=len(ranks.mates))
    return np.divide(total, ranks.mates, out=np.full(len(ranks.mates), np.nan), where=ranks.mates > 0)


_SMALL = 100
_HARMONIC = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, _SMALL + 1))])


def sum_of_inverses(above: np.ndarray, count: np.ndarray) -> np.ndarray:
    """1/(N+1) + ... + 1/(N+n), to the last digits also where it is the small difference of two harmonic numbers."""
    sums = 1.0 / (above + 1)
    several = np.flatnonzero(count != 1)
    sums[several] = _difference_of_harmonics(above[several], above[several] + count[several])
    return sums


def _difference_of_harmonics(above: np.ndarray, end: np.ndarray) -> np.ndarray:
    first, last = np.maximum(above, _SMALL), np.maximum(end, _SMALL)
    small = _HARMONIC[np.minimum(end, _SMALL)] - _HARMONIC[np.minimum(above, _SMALL)]
    # H_m = gamma + log(m + 1/2) + f(1 / (m + 1/2)^2), with an error below 1e-18 from 100 on.
    low, high = 1 / (first + 0.5), 1 / (last + 0.5)
    return small + np.log1p((last - first) * low) + _harmonic_rest(high**2) - _harmonic_rest(low**2)


def _harmonic_rest(square: np.ndarray) -> np.ndarray:
    return square * (1 / 24 - square * (7 / 960 - square * (31 / 8064)))


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
    # The quotient is the same with r and places exchanged: multiply as few factors as can be.
    few, many = np.minimum(r, places), np.maximum(r, places)
    chance = np.ones(len(n))
    for taken in range(int(few.max(initial=0))):
        factor = np.maximum(n - many - taken, 0) / np.maximum(n - taken, 1)
        chance *= np.where(taken < few, factor, 1.0)
    return chance


def tied_with_others(ranks: MateRanks) -> np.ndarray:
    """(q,) bool: whether a mate of the probe has the score of an item that is none."""
    mixed = ranks.tied > ranks.mates_tied
    return np.bincount(ranks.probe[mixed], minlength=len(ranks.mates)) > 0
