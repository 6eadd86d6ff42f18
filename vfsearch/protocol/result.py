"""What one protocol gives."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement, Value
from vfsearch.measure.interval import mean_interval


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """A measurement with what it was computed from, so that a corrected measure needs no new search.

    Args:
        measurement: the figures.
        raw: name -> array (rows of the trials, their scores, ...).
    """

    measurement: Measurement
    raw: dict[str, np.ndarray]


def averaged(values: np.ndarray, identities: np.ndarray, chance: float, seed: int) -> Value:
    """The mean of one value a trial as a figure with its interval.

    Args:
        values: (t,) of the trials, missing probes' included; none at all makes the figure NaN.
        identities: (t,) int64 identity of each trial's probe.
        chance: what scores without information give.
        seed: of the resampling.
    """
    low, high = mean_interval(values, identities, seed)
    return Value(value=mean(values), low=low, high=high, chance=chance)


def mean(values: np.ndarray) -> float:
    """The mean; NaN of nothing."""
    return float(values.mean()) if len(values) else float("nan")
