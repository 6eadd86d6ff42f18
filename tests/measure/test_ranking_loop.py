"""Every ranking measure against a plain loop over every order of ties."""

import numpy as np
import pytest
from random_lists import PLAIN, figure, plain, random_lists, ranking_measure

from vfsearch.data.ranks import uninformed
from vfsearch.measure.ranking_kinds import RANKING_KINDS
from vfsearch.measure.tie_order import ranks_in_order


@pytest.fixture(scope="module")
def lists():
    return random_lists(seed=1, count=300)


def test_every_measure_is_tried():
    tried = {ranking_measure(name).kind.template for name in PLAIN}
    # That one is no expectation over orders: test_grouped_precision.py tries it.
    assert tried | {"mAP(grouped)"} == {kind.template for kind in RANKING_KINDS}


@pytest.mark.parametrize("name", PLAIN)
def test_is_the_mean_over_every_order_of_ties(name, lists):
    wanted = plain(name, lists)
    assert np.isnan(wanted).any() and (lists.mates > 0).sum() > 150
    np.testing.assert_allclose(figure(name, lists.ranks()), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("policy", "sign"), [("mate-first", 1), ("mate-last", -1)])
@pytest.mark.parametrize("name", PLAIN)
def test_is_that_of_scores_nudged_by_the_policy(name, policy, sign, lists):
    wanted = figure(name, lists.ranks(lists.scores + sign * np.where(lists.relevant, 1e-3, 0.0)))
    np.testing.assert_allclose(figure(name, ranks_in_order(lists.ranks(), policy)), wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_scores_without_information_give_the_mean_over_every_order(name):
    lists = random_lists(seed=2, count=60)
    wanted = figure(name, lists.ranks(np.zeros(len(lists.scores))))
    np.testing.assert_array_equal(figure(name, uninformed(lists.ranks())), wanted)


@pytest.mark.parametrize("name", PLAIN)
def test_the_order_of_the_candidates_and_the_scale_of_the_scores_change_nothing(name):
    lists = random_lists(seed=3, count=60)
    wanted = figure(name, lists.ranks())
    np.testing.assert_array_equal(figure(name, lists.ranks(2 * lists.scores - 7)), wanted)


@pytest.mark.parametrize("name", PLAIN)
def test_no_probes(name):
    empty = random_lists(seed=0, count=1)
    none = np.zeros(0, np.int64)
    ranks = type(empty)(
        probes=none, items=none, scores=np.zeros(0), relevant=np.zeros(0, bool), mates=none, unseen=[]
    ).ranks()
    assert figure(name, ranks).shape == (0,)
