import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from replicates import normal
from scipy.stats import t as student

from vfsearch.measure.interval import bounds, corrected, widening, with_variance


def test_what_is_counted_too_often_is_taken_out_of_the_spread():
    found = corrected(0.7, normal(1000, 0.05, mean=0.71), normal(300, 0.02))
    assert found.mean() == pytest.approx(0.7)
    assert found.std() == pytest.approx(np.sqrt(0.05**2 - 2 * 0.02**2))
    assert corrected(0.7, normal(1000, 0.05), normal(300, 0.02), overcount=1).std() == pytest.approx(
        np.sqrt(0.05**2 - 0.02**2)
    )


def test_where_all_is_new_in_each_pair_a_third_of_the_variance_is_left():
    assert corrected(0.5, normal(1000, 0.03), normal(300, 0.03)).std() == pytest.approx(0.03 / np.sqrt(3))


def test_nothing_overcounted_changes_nothing():
    replicates = normal(50, 0.1)
    assert corrected(0.0, replicates) is replicates
    assert corrected(0.0, np.full(9, 0.4), np.full(9, 0.4)) == pytest.approx(np.full(9, 0.4))


def test_undefined_replicates_stay_so():
    replicates = np.append(normal(99, 0.1), np.nan)
    found = corrected(0.0, replicates, np.append(normal(50, 0.05), np.nan))
    assert np.isnan(found[-1]) and not np.isnan(found[:-1]).any()
    assert np.isnan(corrected(0.5, np.full(5, np.nan), np.zeros(5))).all()


def test_equal_identities_are_worth_their_number():
    quantile = student.ppf(0.975, 40) / student.ppf(0.975, 1e12)
    assert widening(np.full(40, 12)) == pytest.approx(quantile / (1 - 1 / 40) ** 2)
    assert widening(np.full(100_000, 12)) == pytest.approx(1.0, abs=1e-4)


def test_unequal_identities_are_worth_fewer():
    equal, unequal = np.full(50, 10), np.append(np.full(49, 1), 451)
    assert widening(unequal) > 3 > widening(equal) > 1
    assert widening(equal, unequal) == widening(unequal, equal) == widening(unequal)


@given(st.lists(st.integers(1, 300), min_size=2, max_size=30), st.integers(2, 9))
def test_widening_knows_no_order_no_scale_and_nobody_without_trials(counts, factor):
    wanted = widening(np.array(counts))
    assert wanted >= 1
    assert widening(np.array([0, *counts[::-1]]) * factor) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("counts", [[], [7], [7, 0]])
def test_one_identity_tells_nothing(counts):
    assert np.isnan(widening(np.array(counts)))
    assert np.isnan(widening(np.full(9, 3), np.array(counts)))


def test_bounds_are_the_middle_95_percent():
    assert bounds(0.5, np.arange(1001) / 1000) == (0.025, 0.975)
    assert bounds(3.0, np.append(np.arange(1001.0), np.nan)) == (25.0, 975.0)
    assert bounds(3.0, np.array([1.0, np.inf, np.inf])) == (1.0, np.inf)


def test_a_fraction_stays_one():
    low, high = bounds(0.98, 0.98 + normal(1000, 0.02), fraction=True)
    assert 0.85 < low < 0.95 and 0.99 < high < 1.0
    assert 0.98 - low > high - 0.98  # lopsided, away from the end
    assert bounds(0.5, 0.5 + normal(1000, 0.01), fraction=True) == pytest.approx((0.4804, 0.5196), abs=0.002)
    assert bounds(1.0, np.ones(9), fraction=True) == (1.0, 1.0)


def test_no_figure_has_no_interval():
    for value, replicates in ((np.nan, np.ones(5)), (0.5, np.full(5, np.nan)), (0.5, np.zeros(0))):
        assert np.isnan(bounds(value, replicates)).all()


def test_a_known_variance_replaces_that_of_the_sample():
    assert np.mean(with_variance(normal(100, 3.0), 4.0) ** 2) == pytest.approx(4.0)
    assert (with_variance(np.zeros(5), 0.0) == 0).all()
