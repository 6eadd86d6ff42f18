import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from vfsearch.data.ranks import mate_ranks_of_lists, uninformed
from vfsearch.measure.ranking import average_precision, grouped_average_precision


def lists(levels: int, probes: int = 200):
    random = np.random.default_rng(levels)
    of = np.repeat(np.arange(probes), random.integers(2, 15, probes))
    scores = random.integers(0, levels, len(of)) / levels
    relevant = random.random(len(of)) < 0.4
    mates = np.bincount(of[relevant], minlength=probes)
    return of, scores, relevant, mates


@pytest.mark.parametrize("levels", [1, 2, 4, 1000])
def test_is_that_of_scikit_learn(levels):
    of, scores, relevant, mates = lists(levels)
    found = grouped_average_precision(mate_ranks_of_lists(of, scores, relevant, mates))
    asked = np.flatnonzero(mates)
    wanted = [average_precision_score(relevant[of == probe], scores[of == probe]) for probe in asked]
    np.testing.assert_allclose(found[asked], wanted, rtol=0, atol=1e-12)
    assert len(asked) > 150 and np.isnan(found[mates == 0]).all()


def test_without_ties_it_is_the_usual_one():
    of, _, relevant, mates = lists(2)
    ranks = mate_ranks_of_lists(of, np.random.default_rng(1).permutation(len(of)) / len(of), relevant, mates)
    np.testing.assert_allclose(grouped_average_precision(ranks), average_precision(ranks), rtol=0, atol=1e-12)


def test_a_constant_score_gets_the_share_of_mates():
    ranks = uninformed(mate_ranks_of_lists(*lists(1)))
    asked = ranks.mates > 0
    assert grouped_average_precision(ranks)[asked] == pytest.approx((ranks.mates / np.maximum(ranks.gallery, 1))[asked])
