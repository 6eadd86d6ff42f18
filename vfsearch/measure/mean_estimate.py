"""The mean of one figure over several draws of the same people."""

from collections.abc import Sequence

import numpy as np

from vfsearch.errors import SettingsError
from vfsearch.measure.estimate import Estimate


def mean_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """The mean figure, and what it is in each resample of the identities: there is no independence between draws.

    Args:
        estimates: of the same identities, from the same `Resampling`, at least one.
    Returns:
        One with the mean of every part; the widest of the widenings.
    Raises:
        SettingsError: they were not resampled alike.

    Example:
        >>> parts = [Estimate(value=each, replicates=np.array([each, 2 * each]), chance=0.5) for each in (0.25, 0.75)]
        >>> mean_estimate(parts).value, mean_estimate(parts).replicates.tolist()
        (0.5, [0.5, 1.0])
    """
    first = estimates[0]
    if len({len(each.replicates) for each in estimates}) > 1:
        raise SettingsError("figures of different resamplings have no mean: measure them with one seed")
    by_pair = None
    if all(each.by_pair is not None for each in estimates):
        by_pair = np.mean([each.by_pair for each in estimates], axis=0)
    return Estimate(
        value=float(np.mean([each.value for each in estimates])),
        replicates=np.mean([each.replicates for each in estimates], axis=0),
        chance=float(np.mean([each.chance for each in estimates])),
        by_pair=by_pair,
        overcount=first.overcount,
        widening=max(each.widening for each in estimates),
        fraction=first.fraction,
        limits=first.limits,
    )
