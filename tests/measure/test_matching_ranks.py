from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.measure.matching import cumulative_match, matching_accuracy, mate_within

FEW_VALUES = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(FEW_VALUES, st.integers(1, 6))
def test_is_the_mean_over_every_order_of_ties(rows, k):
    for row, found in zip(rows, mate_within(np.array(rows, float), k), strict=True):
        orders = [sorted(order, key=lambda place: -row[place]) for order in permutations(range(4))]
        assert found == pytest.approx(np.mean([0 in order[:k] for order in orders]), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(FEW_VALUES)
def test_the_curve_begins_at_the_accuracy_and_rises_to_one(rows):
    scores = np.array(rows, float)
    curve = cumulative_match(scores)
    assert curve[0] == pytest.approx(matching_accuracy(scores).mean(), abs=1e-15)
    assert curve[-1] == 1.0 and (np.diff(curve) >= 0).all()


@pytest.mark.parametrize("k", [1, 3, 9])
def test_without_ties_is_that_of_scikit_learn(k):
    metrics = pytest.importorskip("sklearn.metrics")
    scores = np.random.default_rng(1).normal(size=(300, 10))
    wanted = metrics.top_k_accuracy_score(np.zeros(300), scores, k=k, labels=range(10))
    assert mate_within(scores, k).mean() == pytest.approx(wanted, abs=1e-12)
    assert cumulative_match(scores)[k - 1] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [([-np.inf, 0.0, 0.0], 0.0), ([-np.inf, -np.inf, 0.0], 0.5), ([np.nan, 0.0, 0.0], 0.0)],
    ids=["missing mate", "missing mate and other", "NaN is no score"],
)
def test_edges(scores, wanted):
    assert mate_within(np.array([scores]), 2).tolist() == [wanted]


def test_no_trials():
    assert mate_within(np.zeros((0, 3)), 1).shape == (0,)
    np.testing.assert_array_equal(cumulative_match(np.zeros((0, 3))), [np.nan] * 3)
