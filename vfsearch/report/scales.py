"""Places of values on the axes of a diagram."""

from statistics import NormalDist

import numpy as np

PROBIT_TICKS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
PROBIT_LIMITS = NormalDist().inv_cdf(0.0005), NormalDist().inv_cdf(0.99)
MOST_TICKS = 9
"""A logarithmic axis of no more different values has a tick at each."""


def probit(rates: np.ndarray) -> np.ndarray:
    """Quantiles of the normal distribution; NaN at rates of 0 and 1, which have none.

    Example:
        >>> probit(np.array([0.5, 0.0]))
        array([ 0., nan])
    """
    normal = NormalDist()
    return np.array([normal.inv_cdf(rate) if 0.0 < rate < 1.0 else np.nan for rate in np.asarray(rates).tolist()])


def placed(values: np.ndarray, scale: str) -> np.ndarray:
    """Places on an axis of `vfsearch.data.plot.SCALES`; NaN where a value has none.

    Example:
        >>> placed(np.array([8.0, 0.0]), "log2")
        array([ 3., nan])
    """
    if scale == "probit":
        return probit(values)
    if scale == "linear":
        return np.asarray(values, np.float64)
    positive = np.where(np.asarray(values) > 0, values, np.nan)
    return np.log2(positive) if scale == "log2" else np.log10(positive)
