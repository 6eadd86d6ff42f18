"""A figure with what resampling identities makes of it."""

import math
from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Difference, Value
from vfsearch.errors import SettingsError
from vfsearch.measure.interval import bounds, corrected


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate:
    """One figure and its replicates.

    Args:
        value: the figure; NaN where there is none.
        replicates: (R,) float64, what it is in each resample of the identities; NaN where it is undefined.
        chance: what scores without information give.
        by_pair: (B,) what it is when the pairs of identities, or the trials, are resampled one by one instead; None:
            nothing is overcounted in `replicates`.
        overcount: how often the variance of `by_pair` is counted too much in that of `replicates`.
        widening: factor for few or unequal identities (`vfsearch.measure.interval.widening`).
        fraction: it lies between 0 and 1, and so shall its interval.
        limits: the least and the largest value that it can have, where its interval ends too.
    """

    value: float
    replicates: np.ndarray
    chance: float
    by_pair: np.ndarray | None = None
    overcount: float = 2.0
    widening: float = 1.0
    fraction: bool = False
    limits: tuple[float, float] = (-math.inf, math.inf)

    def spread(self) -> np.ndarray:
        """(R,) replicates with the spread that the figure has: corrected, widened, about the figure."""
        replicates = corrected(self.value, self.replicates, self.by_pair, self.overcount)
        return replicates if self.widening == 1.0 else self.value + self.widening * (replicates - self.value)

    def interval(self) -> tuple[float, float]:
        """The 95 % interval; NaN where there is none."""
        low, high = bounds(self.value, self.spread(), self.fraction)
        return max(low, self.limits[0]), min(high, self.limits[1])

    def to_value(self) -> Value:
        """The figure with its interval, to be written."""
        low, high = self.interval()
        return Value(value=self.value, low=low, high=high, chance=self.chance)


def difference(left: Estimate, right: Estimate) -> Difference:
    """By how much `left` exceeds `right`, paired: both in the same resamples.

    Args:
        left, right: of the same identities, from the same `Resampling`; of the same trials in the same order, if
            what is new in each trial shall be paired too.
    Returns:
        The difference, its 95 % interval, and the two-sided p-value of no difference: twice the share of replicates
        on the other side of 0.
    Raises:
        SettingsError: they were not resampled alike.
    Example:
        >>> left = Estimate(value=0.75, replicates=np.array([0.625, 0.875, 0.75]), chance=0.5)
        >>> right = Estimate(value=0.5, replicates=np.array([0.375, 0.625, 0.5]), chance=0.5)
        >>> difference(left, right)
        Difference(value=0.25, low=0.25, high=0.25, p=0.5)
    """
    _require_alike(left, right)
    both = Estimate(
        value=left.value - right.value,
        replicates=left.replicates - right.replicates,
        chance=0.0,
        by_pair=None if left.by_pair is None or right.by_pair is None else left.by_pair - right.by_pair,
        overcount=min(left.overcount, right.overcount),
        widening=max(left.widening, right.widening),
    )
    low, high = both.interval()
    return Difference(value=both.value, low=low, high=high, p=_p_value(both.spread()))


def _require_alike(left: Estimate, right: Estimate) -> None:
    if len(left.replicates) != len(right.replicates):
        raise SettingsError(
            f"one figure has {len(left.replicates)} resamples, the other {len(right.replicates)}: both must come from "
            f"one resampling; measure them with the same number of resamples and seed"
        )


def _p_value(replicates: np.ndarray) -> float:
    """Twice the share of replicates beyond no difference, counted with one more, so that it is never 0."""
    defined = replicates[~np.isnan(replicates)]
    if not len(defined):
        return float("nan")
    fewer = min((defined <= 0).sum(), (defined >= 0).sum())
    return float(min(1.0, 2 * (fewer + 1) / (len(defined) + 1)))
