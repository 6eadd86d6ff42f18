import numpy as np
import pytest

from vfsearch.errors import SettingsError
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.mean_estimate import mean_estimate


def make(value, resamples=4, **more):
    return Estimate(value=value, replicates=value + np.arange(resamples) / 10, chance=value / 2, **more)


def test_every_part_is_averaged():
    found = mean_estimate([make(0.2, by_pair=np.array([0.0, 1.0])), make(0.4, by_pair=np.array([1.0, 1.0]))])
    assert found.value == pytest.approx(0.3) and found.chance == pytest.approx(0.15)
    np.testing.assert_allclose(found.replicates, 0.3 + np.arange(4) / 10)
    np.testing.assert_allclose(found.by_pair, [0.5, 1.0])


def test_the_mean_of_one_is_itself():
    one = make(0.3, widening=1.2, fraction=True, limits=(0.0, 1.0))
    assert mean_estimate([one]).to_value() == one.to_value()


def test_what_was_resampled_otherwise():
    with pytest.raises(SettingsError, match="figures of different resamplings have no mean"):
        mean_estimate([make(0.2), make(0.2, resamples=5)])
