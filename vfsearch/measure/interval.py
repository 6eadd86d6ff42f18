"""95 % intervals by resampling identities.

Trials share identities, so the ordinary bootstrap over trials gives intervals that are several times too narrow.

Source: two-layer bootstrap for dependent trials: Wu, Martin & Kacker, NIST, PMC5484007.
"""

from collections.abc import Callable

import numpy as np

RESAMPLES = 1000
RESAMPLES_OF_TRIALS = 200


def _draws(identities: int, resamples: int, seed: int) -> np.ndarray:
    """(resamples, identities): how often each identity is drawn, with replacement."""
    random = np.random.default_rng([seed, 2])
    return random.multinomial(identities, np.full(identities, 1.0 / identities), size=resamples).astype(float)


def _bounds(figures: np.ndarray) -> tuple[float, float]:
    figures = figures[~np.isnan(figures)]
    if not len(figures):
        return float("nan"), float("nan")
    low, high = np.percentile(figures, [2.5, 97.5])
    return float(low), float(high)


def mean_interval(values: np.ndarray, identities: np.ndarray, seed: int) -> tuple[float, float]:
    """The interval of a mean over probes, their identities resampled and the gallery kept.

    Args:
        values: (t,) one value a trial.
        identities: (t,) int64 identity of its probe.
        seed: of the resampling.
    Returns:
        Lower and upper bound; NaN when there is no value.
    """
    if not len(values):
        return float("nan"), float("nan")
    _, identities = np.unique(identities, return_inverse=True)
    sums, counts = np.bincount(identities, weights=values), np.bincount(identities)
    draws = _draws(len(counts), RESAMPLES, seed)
    return _bounds((draws @ sums) / (draws @ counts))


def trial_interval(
    figure: Callable[[np.ndarray], float], probes: np.ndarray, items: np.ndarray, seed: int
) -> tuple[float, float]:
    """The interval of a figure over pairs, the identities of both sides resampled together.

    A pair counts as often as its identities are drawn: the product of both, or once for a mated pair. A resample
    that has no such figure (no mated pair drawn, NaN) is left out.

    Args:
        figure: the figure under given weights (t,) of the pairs.
        probes, items: (t,) int64 identities of both sides, numbered alike.
        seed: of the resampling.
    Returns:
        Lower and upper bound; NaN when there is no pair.
    """
    if not len(probes):
        return float("nan"), float("nan")
    _, both = np.unique(np.concatenate([probes, items]), return_inverse=True)
    probes, items = both[: len(probes)], both[len(probes) :]
    draws = _draws(int(both.max()) + 1, RESAMPLES_OF_TRIALS, seed)
    mated = probes == items
    return _bounds(np.array([figure(np.where(mated, draw[probes], draw[probes] * draw[items])) for draw in draws]))
