"""How much of what exact neighbours give other neighbours give, with how sure that is."""

from dataclasses import dataclass

import numpy as np

ONE_SIDED, TWO_SIDED = 1.645, 1.960
"""Quantiles of the normal distribution: 95 % to one side, and in the middle."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A quotient of two means over probes.

    Args:
        value: the quotient; NaN where the exact figure is 0 or nothing was asked.
        error: its standard error.
        most: what it cannot be above.
    """

    value: float
    error: float
    most: float = 1.0

    @property
    def floor(self) -> float:
        """What the share is at least, with 95 % confidence."""
        return max(0.0, self.value - ONE_SIDED * self.error)

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        return max(0.0, self.value - TWO_SIDED * self.error), min(self.most, self.value + TWO_SIDED * self.error)

    def to_json(self) -> dict:
        """The share with its interval."""
        low, high = self.interval
        return {"value": self.value, "low": low, "high": high, "floor": self.floor}


def share_of(values: np.ndarray, exact: np.ndarray, groups: np.ndarray) -> Share:
    """The mean of values by the mean of exact ones, over probes.

    The error is that of a quotient of means to first order, of groups drawn together: r = v - share * e summed over
    each identity, sqrt(G/(G-1) sum of squares) / sum e. Where there are fewer than two identities, over probes.

    Args:
        values: (q,) a figure of each probe; NaN where it has none.
        exact: (q,) the same of the exact neighbours.
        groups: (q,) int64 identity of each probe, from 0.
    Source: Cochran, Sampling Techniques, 3rd edition 1977, sections 6.3 and 9A.

    Example:
        >>> share_of(np.array([1.0, 0.5]), np.array([1.0, 1.0]), np.array([0, 1])).value
        0.75
    """
    asked = ~np.isnan(exact)
    values, exact, groups = values[asked], exact[asked], groups[asked]
    whole = exact.sum()
    if not whole > 0:
        return Share(value=float("nan"), error=float("nan"))
    share = values.sum() / whole
    rest = values - share * exact
    names, places = np.unique(groups, return_inverse=True)
    units = np.bincount(places, weights=rest) if len(names) > 1 else rest
    widened = len(units) / max(1, len(units) - 1)
    # For the end task other neighbours may be better than the exact ones.
    most = 1.0 if (values <= exact).all() else float("inf")
    return Share(value=float(share), error=float(np.sqrt(widened * (units**2).sum()) / whole), most=most)
