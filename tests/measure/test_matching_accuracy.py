from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.measure.matching import matching_accuracy, tied_at_top

FEW_VALUES = st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("scores", "accuracy", "tied"),
    [
        ([0.9, 0.1, 0.2], 1.0, False),
        ([0.1, 0.9, 0.2], 0.0, False),
        ([0.5, 0.5, 0.2], 1 / 2, True),
        ([0.5, 0.5, 0.5], 1 / 3, True),
        ([0.1, 0.5, 0.5], 0.0, False),
        ([-np.inf, -np.inf, -np.inf], 1 / 3, True),
    ],
    ids=["mate best", "mate worst", "two tied", "all tied", "tie without the mate", "all missing"],
)
def test_golden(scores, accuracy, tied):
    assert matching_accuracy(np.array([scores])).tolist() == [accuracy]
    assert tied_at_top(np.array([scores])).tolist() == [tied]


@settings(deadline=None, max_examples=40)
@given(FEW_VALUES)
def test_is_the_mean_over_every_order_of_the_candidates(rows):
    # The first of the best wins, as in code that takes an argmax, averaged over where the mate could stand.
    for row, found in zip(rows, matching_accuracy(np.array(rows, float)), strict=True):
        wins = [np.argmax([row[place] for place in order]) == order.index(0) for order in permutations(range(4))]
        assert found == pytest.approx(np.mean(wins), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(FEW_VALUES, st.integers(-5, 5))
def test_shifted_and_scaled_scores_and_the_order_of_the_others_change_nothing(rows, shift):
    scores = np.array(rows, float)
    wanted = matching_accuracy(scores)
    assert np.array_equal(matching_accuracy(scores * 2 + shift), wanted)
    assert np.array_equal(matching_accuracy(scores[:, [0, 3, 1, 2]]), wanted)


def test_no_trials():
    none = np.zeros((0, 5))
    assert matching_accuracy(none).shape == tied_at_top(none).shape == (0,)
