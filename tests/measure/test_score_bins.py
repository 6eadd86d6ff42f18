import numpy as np
import pytest
from verification_lists import points_of, random_trials

from vfsearch.measure.score_bins import MOST_WHOLE, BinRule

NO_EDGES = np.zeros(0)


def rule_of(points, edges=NO_EDGES):
    return BinRule(mated=int(points.mated[-1]), other=int(points.other[-1]), edges=edges)


def many(count, seed=0):
    random = np.random.default_rng(seed)
    mated = random.random(count) < 0.3
    scores = random.normal(size=count) + mated
    scores[random.random(count) < 0.05] = -np.inf
    return points_of(scores, mated)


def test_few_trials_have_a_bin_for_every_score():
    for seed in range(40):
        points = points_of(*random_trials(seed))
        assert rule_of(points).places(points).tolist() == list(range(len(points.fmr)))


@pytest.mark.parametrize("count", [MOST_WHOLE + 1, 30_000, 300_000])
def test_bins_are_few_and_cover_everything(count):
    points = many(count)
    rule, places = rule_of(points), rule_of(points).places(points)
    assert places[0] == 0 and places[-1] == len(points.fmr) - 1 and (np.diff(places) > 0).all()
    assert len(places) - 1 <= rule.most < 9_000


def test_no_step_is_long_and_small_rates_are_told_apart():
    points = many(300_000)
    places = rule_of(points).places(points)
    for rates in (points.fmr[places], points.fnmr[places]):
        steps = np.abs(np.diff(rates))
        missing = np.abs(np.diff(rates))[-1]  # those without a score stay together
        assert np.sort(steps)[-2] <= 1 / 1024 <= missing
    first = points.other[places]
    assert first[first <= 20].tolist() == sorted(first[first <= 20]) and set(range(20)) <= set(first.tolist())


def test_thresholds_that_are_asked_at_begin_a_bin():
    points = many(30_000)
    edges = np.array([-0.123, 0.5, 1.75])
    places = rule_of(points, edges).places(points)
    for edge in edges:
        assert points.at_score(edge) in places


def test_missing_sides_are_a_bin_of_their_own():
    points = many(30_000)
    places = rule_of(points).places(points)
    assert points.thresholds[-1] == -np.inf and places[-2] == len(points.fmr) - 2


def test_nothing_has_no_bin():
    points = points_of([], [])
    assert rule_of(points).places(points).tolist() == [0]
