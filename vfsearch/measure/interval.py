"""95 % intervals from figures under resampled identities.

Trials share identities, so the ordinary bootstrap over trials gives intervals that are several times too narrow.
Drawing the identities of both sides mends that, but not quite:

* What is new in each trial is then counted too often, up to three times for pairs and 2N - 1 times for 1:N. Its part
  is measured by resampling the pairs or trials alone, and taken out of the spread (`corrected`).
* Few identities, or very unequal ones, scatter about their own mean less than about the truth, and the tails are those
  of Student's t (`widening`).
* A fraction near 0 or 1 has a lopsided interval: deviations are added on the scale of the logit (`bounds`).

Coverage is measured by benchmarks/intervals.py.

Source: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007, theorem 3 (what is overcounted); Aronow,
Samii & Assenova, Political Analysis 2015 (the variance of figures over pairs that share members, which is aimed at);
Cameron & Miller, Journal of Human Resources 2015, section VI (few clusters); Wu, Martin & Kacker, NIST, PMC5484007
(two-layer bootstrap in speaker recognition).
"""

import numpy as np

LEVEL = 0.95


def corrected(
    value: float, replicates: np.ndarray, by_pair: np.ndarray | None = None, overcount: float = 2.0
) -> np.ndarray:
    """Replicates with the spread of the figure, from replicates that overcount what is new in each pair.

    Their deviations from their mean, shrunk so that their variance is V - overcount * P, V being their own and P that
    of `by_pair`, but at least V / (1 + overcount), which is left where all is new in each pair.

    Args:
        value: the figure.
        replicates: (R,) under joint weights of identities; NaN where undefined.
        by_pair: (B,) under independent weights of each pair of identities, or of each trial; None: nothing is
            overcounted.
        overcount: how often P is in V beside the one time it should be: 2 under c_p * c_i for non-mated pairs and c_p
            for mated ones, the latter kept as they are in `by_pair`.
    Returns:
        (R,) replicates about `value`, NaN kept.
    Example:
        >>> corrected(0.5, np.array([0.4, 0.6]), np.array([0.47, 0.53])).round(3)
        array([0.409, 0.591])
    """
    if by_pair is None or not np.isfinite(replicates).any():
        return replicates
    joint, pairs = np.nanvar(replicates), _variance(by_pair)
    if not joint > 0:
        return replicates
    share = max(1.0 - overcount * pairs / joint, 1.0 / (1.0 + overcount))
    return value + (replicates - np.nanmean(replicates)) * np.sqrt(share)


def _variance(figures: np.ndarray) -> float:
    defined = figures[np.isfinite(figures)]
    return float(defined.var()) if len(defined) else 0.0


def with_variance(deviations: np.ndarray, variance: float) -> np.ndarray:
    """Deviations times what makes their mean square the variance that is known of them: no noise of the sampling.

    Args:
        deviations: (R,) about 0.
        variance: of them, in expectation.
    """
    square = np.mean(deviations**2)
    return deviations * np.sqrt(variance / square) if square > 0 else deviations


def widening(*counts: np.ndarray) -> float:
    """By how much few or unequal identities make an interval wider.

    With n trials of each identity, t(df) / t(inf) / (1 - h)^2: Student's quantiles with df = (sum n^2)^2 / sum n^4
    (Satterthwaite), and h = sum n^3 / (sum n * sum n^2) the share of the trials that an identity has, on average over
    the variance: it takes so much of the mean with it on either side. Unequal sides: the wider.

    Args:
        counts: for each side, (U,) trials of each identity.
    Returns:
        A factor above 1; NaN when a side has fewer than two identities, from which nothing can be told.
    Example:
        >>> round(widening(np.full(100, 7)), 3), widening(np.array([7, 0]))
        (1.033, nan)
    """
    return max((_widening(side[side > 0].astype(float)) for side in counts), default=1.0, key=_nan_first)


def _nan_first(factor: float) -> float:
    return np.inf if np.isnan(factor) else factor


def _widening(counts: np.ndarray) -> float:
    from scipy.special import ndtri, stdtrit

    if len(counts) < 2:
        return float("nan")
    shares = counts / counts.sum()
    squares = (shares**2).sum()
    freedom, share = squares**2 / (shares**4).sum(), (shares**3).sum() / squares
    upper = (1 + LEVEL) / 2
    return float(stdtrit(freedom, upper) / ndtri(upper) / (1 - share) ** 2)


def bounds(value: float, replicates: np.ndarray, fraction: bool = False) -> tuple[float, float]:
    """The middle 95 % of replicates.

    Args:
        value: the figure.
        replicates: (R,) NaN where undefined.
        fraction: the figure lies between 0 and 1, and so shall its interval: deviations d are taken as
            d / (value (1 - value)) on the scale of the logit.
    Returns:
        Lower and upper bound; NaN when there is no figure.
    """
    defined = replicates[~np.isnan(replicates)]
    if not len(defined) or np.isnan(value):
        return float("nan"), float("nan")
    low, high = np.percentile(defined, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], method="nearest")
    if fraction and 0.0 < value < 1.0:
        low, high = (_shifted(value, bound - value) for bound in (low, high))
    elif fraction:
        low, high = np.clip([low, high], 0.0, 1.0)
    return float(low), float(high)


def _shifted(value: float, deviation: float) -> float:
    """The fraction that is so far from `value` on the scale of the logit."""
    odds = np.log(value / (1 - value)) + deviation / (value * (1 - value))
    return float(0.5 * (1 + np.tanh(odds / 2)))
