import numpy as np
import pytest

from vfsearch.measure.pair_effects import pair_effects
from vfsearch.measure.resampling import Resampling


def tables(units: int = 8, seed: int = 0):
    random = np.random.default_rng(seed)
    counts = random.integers(1, 5, (units, units))
    np.fill_diagonal(counts, 0)
    return random, counts, list(Resampling(seed=1).pair_weights(units))


def test_effects_are_sums_about_the_average_change():
    random, counts, weights = tables()
    changes = counts * random.normal(size=counts.shape)
    found = pair_effects(changes, counts, weights)
    for unit in range(8):
        wanted = sum(changes[probe, unit] - counts[probe, unit] * changes.sum() / counts.sum() for probe in range(8))
        assert found.effects[unit] == pytest.approx(wanted)
    assert found.effects.sum() == pytest.approx(0.0, abs=1e-12)


def test_what_units_change_everywhere_is_not_new_in_any_pair():
    random, counts, weights = tables()
    counts = np.ones_like(counts)
    changes = random.normal(size=8)[None, :] + random.normal(size=8)[:, None]
    found = pair_effects(changes, counts, weights)
    assert found.by_pair == pytest.approx(np.zeros(len(weights)), abs=1e-12)
    assert found.effects == pytest.approx(changes.sum(axis=0) - changes.sum() / 8)


def test_what_is_new_in_pairs_has_the_variance_of_its_squares():
    random, _, weights = tables(40)
    changes = random.normal(size=(40, 40))
    np.fill_diagonal(changes, 0.0)
    found = pair_effects(changes, 1 - np.eye(40), weights)
    news = changes - changes.sum() / 1560
    np.fill_diagonal(news, 0.0)
    of_both = news + news.T
    assert np.mean(found.by_pair**2) == pytest.approx((np.triu(of_both, 1) ** 2).sum(), rel=0.15)


def test_units_that_stand_in_no_trial_change_nothing():
    _, _, weights = tables()
    found = pair_effects(np.zeros((8, 8)), np.zeros((8, 8)), weights)
    assert (found.effects == 0).all() and (found.by_pair == 0).all()
