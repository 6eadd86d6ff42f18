import numpy as np
import pytest
from replicates import normal

from vfsearch.data.outcome import Value
from vfsearch.data.scored import ScoredMatching
from vfsearch.errors import SettingsError
from vfsearch.measure.catalog import chosen
from vfsearch.measure.estimate import Estimate, difference
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.resampling import Resampling


def test_the_interval_is_corrected_and_widened():
    estimate = Estimate(value=0.7, replicates=normal(2000, 0.01, 0.7), chance=0.5)
    low, high = estimate.interval()
    assert (low, high) == pytest.approx((0.68, 0.72), abs=0.002)
    wide = Estimate(value=0.7, replicates=estimate.replicates, chance=0.5, widening=2.0)
    assert np.subtract(*wide.interval()) == pytest.approx(2 * (low - high))
    narrow = Estimate(value=0.7, replicates=estimate.replicates, chance=0.5, by_pair=normal(500, 0.005), overcount=2.0)
    assert np.subtract(*narrow.interval()) == pytest.approx((low - high) * np.sqrt(0.5))
    assert estimate.to_value() == Value(value=0.7, low=low, high=high, chance=0.5)


def test_a_difference_is_paired():
    shared = normal(1000, 0.05)
    left = Estimate(value=0.8, replicates=0.8 + shared + normal(1000, 0.002, seed=1), chance=0.5)
    right = Estimate(value=0.79, replicates=0.79 + shared + normal(1000, 0.002, seed=2), chance=0.5)
    found = difference(left, right)
    assert found.value == pytest.approx(0.01)
    assert found.high - found.low < 0.02 < 0.1 < np.diff(left.interval())[0]
    assert found.p < 0.01
    back = difference(right, left)
    assert (back.value, back.low, back.high) == pytest.approx((-found.value, -found.high, -found.low), abs=1e-4)
    assert back.p == found.p


def test_a_figure_does_not_differ_from_itself():
    estimate = Estimate(value=0.8, replicates=normal(200, 0.05, 0.8), chance=0.5, by_pair=normal(50, 0.01, 0.8))
    found = difference(estimate, estimate)
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_the_p_value_is_never_0_and_knows_undefined_replicates():
    left = Estimate(value=1.0, replicates=np.append(np.ones(99), np.nan), chance=0.5)
    right = Estimate(value=0.0, replicates=np.zeros(100), chance=0.5)
    assert difference(left, right).p == pytest.approx(2 / 100)
    nothing = Estimate(value=np.nan, replicates=np.full(100, np.nan), chance=np.nan)
    found = difference(left, nothing)
    assert np.isnan([found.value, found.low, found.high, found.p]).all()


def test_figures_of_other_resamplings_cannot_be_compared():
    left, right = (Estimate(value=0.5, replicates=np.zeros(count), chance=0.5) for count in (10, 20))
    with pytest.raises(SettingsError, match=r"10 resamples, the other 20: .* same number of resamples and seed"):
        difference(left, right)


def two_systems(seed: int, people: int = 40, trials: int = 600, gain: float = 0.0):
    """Two systems' estimates on the same trials: what is hard for one is hard for the other."""
    random = np.random.default_rng(seed)
    probes = np.sort(random.integers(0, people, trials))
    candidates = np.column_stack([probes, (probes + random.integers(1, people, trials)) % people])
    hard, alike = random.normal(size=people), random.normal(size=people)
    noise = random.normal(size=(trials, 2))
    names = [f"p{number}" for number in range(people)]
    found = []
    for better in (gain, 0.0):
        scores = alike[candidates] + noise + 0.7 * random.normal(size=(trials, 2))
        scores[:, 0] += 1.5 + better + hard[probes]
        scored = ScoredMatching(
            scores=scores, probes=probes, candidates=candidates, missing=np.zeros(trials, bool), identities=names
        )
        found.append(matching_values(scored, chosen((), "matching"), Resampling(seed=seed))["accuracy"])
    return found


def test_equal_systems_seldom_differ_and_the_difference_is_known_far_better_than_either():
    found = [two_systems(seed) for seed in range(120)]
    differences = [difference(*pair) for pair in found]
    # 5 % in the long run; 120 pairs scatter by 2 %.
    assert np.mean([each.p < 0.05 for each in differences]) <= 0.11
    assert np.mean([each.low <= 0 <= each.high for each in differences]) >= 0.89
    widths = [each.high - each.low for each in differences]
    apart = [np.hypot(*(np.diff(estimate.interval())[0] for estimate in pair)) for pair in found]
    assert np.mean(widths) < 0.5 * np.mean(apart)


def test_a_better_system_is_seen_to_be_better():
    assert np.mean([difference(*two_systems(seed, gain=1.0)).p < 0.05 for seed in range(20)]) > 0.9
