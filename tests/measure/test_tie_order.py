import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_lists import NAMES, random_lists

from vfsearch.errors import SettingsError, UnknownNameError
from vfsearch.measure.matching import matching_accuracy, mate_within, tied_at_top
from vfsearch.measure.ranking import tied_with_others
from vfsearch.measure.tie_order import POLICIES, matching_in_order, ranks_in_order, scores_in_order_of_names

ROWS = st.lists(st.lists(st.integers(0, 2), min_size=4, max_size=4), min_size=1, max_size=6)


@pytest.mark.parametrize("policy", ["mate-first", "mate-last"])
def test_no_tie_is_left(policy):
    lists = random_lists(seed=1, count=50)
    assert tied_with_others(lists.ranks()).any()
    assert not tied_with_others(ranks_in_order(lists.ranks(), policy)).any()
    assert not tied_at_top(matching_in_order(np.zeros((3, 4)), policy)).any()


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_matching_is_that_of_nudged_scores(rows):
    scores = np.array(rows, float)
    for policy, nudge in (("mate-first", 0.5), ("mate-last", -0.5), ("expected", 0.0)):
        nudged = scores + np.array([nudge, 0, 0, 0])
        for k in (1, 2, 3):
            assert np.array_equal(mate_within(matching_in_order(scores, policy), k), mate_within(nudged, k))


def test_the_first_maximum_and_a_comparison_are_the_two_orders():
    scores = np.array([[1.0, 1.0], [-np.inf, -np.inf], [0.0, 1.0]])
    assert matching_accuracy(matching_in_order(scores, "mate-first")).tolist() == [1.0, 1.0, 0.0]
    assert matching_accuracy(matching_in_order(scores, "mate-last")).tolist() == [0.0, 0.0, 0.0]
    assert matching_in_order(scores, "expected") is scores


def test_names_are_ordered_as_their_bytes():
    count = len(NAMES)
    strict = scores_in_order_of_names(np.zeros(count, int), np.zeros(count), np.arange(count), NAMES)
    wanted = sorted(NAMES, key=lambda name: name.encode(), reverse=True)
    assert [NAMES[place] for place in np.argsort(-strict)] == wanted


def test_an_order_that_cannot_be():
    ranks = random_lists(seed=1, count=3).ranks()
    for asked in (
        lambda policy: ranks_in_order(ranks, policy),
        lambda policy: matching_in_order(np.zeros((1, 2)), policy),
    ):
        with pytest.raises(SettingsError, match="'id-descending' needs the candidates' names"):
            asked("id-descending")
        with pytest.raises(UnknownNameError, match="no tie order is named 'first'; known: expected, mate-first"):
            asked("first")
    assert len(POLICIES) == 4


def test_no_candidates():
    none = np.zeros(0, int)
    assert scores_in_order_of_names(none, np.zeros(0), none, []).shape == (0,)
