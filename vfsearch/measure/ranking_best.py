"""Retrieval: the place of a probe's best mate, in expectation over the order of ties.

With N items above a block of n, r of them mates, the best mate is at place N + X, X being the smallest of r numbers
drawn from 1..n without replacement: P(X = j) = C(n - j, r - 1) / C(n, r).
"""

import numpy as np

from vfsearch.data.ranks import MateRanks
from vfsearch.measure.ranking import sum_of_inverses


def best_rank(ranks: MateRanks) -> np.ndarray:
    """The expected place of each probe's best mate, N + (n + 1) / (r + 1); their median over probes is MedR.

    Args:
        ranks: where the mates stand.
    Returns:
        (q,) places from 1; infinite where no mate was retrieved, NaN for a probe without mates.
    Example:
        >>> from vfsearch.data.ranks import mate_ranks_of_lists
        >>> scores, is_mate = np.array([3.0, 2.0, 2.0]), np.array([False, True, False])
        >>> best_rank(mate_ranks_of_lists(np.zeros(3, int), scores, is_mate, mates=np.array([1])))
        array([2.5])
    """
    return _of_best(ranks, lambda above, n, r: above + (n + 1) / (r + 1), never=np.inf)


def reciprocal_rank(ranks: MateRanks) -> np.ndarray:
    """The expected inverse of the place of each probe's best mate; their mean over probes is MRR.

    Args:
        ranks: where the mates stand.
    Returns:
        (q,) fractions; 0 where no mate was retrieved, NaN for a probe without mates.
    Source: McSherry & Najork, ECIR 2008, section 2.4; the sum has a closed form for the first block and for one mate.
    """
    return _of_best(ranks, _mean_inverse, never=0.0)


def _of_best(ranks: MateRanks, figure: object, never: float) -> np.ndarray:
    """The figure of the first block of each probe that has one."""
    values = np.where(ranks.mates > 0, never, np.nan)
    best = ranks.mates_above == 0
    values[ranks.probe[best]] = figure(ranks.above[best], ranks.tied[best], ranks.mates_tied[best])
    return values


def _mean_inverse(above: np.ndarray, n: np.ndarray, r: np.ndarray) -> np.ndarray:
    """(m,) means of 1 / (N + X)."""
    one = sum_of_inverses(above, n) / n
    # sum over j of C(n - j, r - 1) / j is C(n, r - 1) (H(n) - H(r - 1)).
    first = r / (n - r + 1) * sum_of_inverses(r - 1, n - r + 1)
    values = np.where(r == 1, one, first)
    rest = np.flatnonzero((r > 1) & (above > 0))
    blocks, which = np.unique(np.column_stack([above, n, r])[rest], axis=0, return_inverse=True)
    sums = np.array([_sum_over_places(*map(int, block)) for block in blocks])
    values[rest] = sums[which.ravel()] if len(rest) else 0.0
    return values


_NEGLIGIBLE = 45
"""Places beyond 45 n/r hold the best mate with a chance below exp(-45), less than the rounding of the sum."""


def _sum_over_places(above: int, n: int, r: int) -> float:
    """The same for one block, term by term."""
    last = min(n - r + 1, -(-_NEGLIGIBLE * n // r))
    places = np.arange(1, last + 1)
    ratios = (n - places[:-1] - r + 1) / (n - places[:-1])
    chances = r / n * np.concatenate([[1.0], np.cumprod(ratios)])
    return float((chances / (above + places)).sum())
