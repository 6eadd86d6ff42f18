import numpy as np
import pytest
from random_lists import random_lists

from vfsearch.data.ranks import mate_ranks_of_lists, uninformed
from vfsearch.errors import SettingsError

COLUMNS = ("probe", "above", "tied", "mates_above", "mates_tied")


def counted(scores, relevant):
    """The blocks of one list, counted plainly."""
    scores, relevant = np.array(scores), np.array(relevant, bool)
    return [
        ((scores > s).sum(), (scores == s).sum(), (scores[relevant] > s).sum(), (scores[relevant] == s).sum())
        for s in sorted(set(scores[relevant]), reverse=True)
    ]


def test_are_those_that_a_plain_count_gives():
    lists = random_lists(seed=1, count=200, longest=12)
    found = lists.ranks()
    wanted = [(probe, *block) for probe in range(200) for block in counted(*lists.of(probe))]
    assert list(zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True)) == wanted
    assert found.gallery.tolist() == [len(lists.of(probe)[0]) for probe in range(200)]
    assert found.mates is lists.mates


def test_missing_candidates_tie_at_the_end():
    found = mate_ranks_of_lists(
        np.zeros(3, int), np.array([-np.inf, 0.5, -np.inf]), np.array([True, False, False]), np.array([1])
    )
    assert (found.above.tolist(), found.tied.tolist()) == ([1], [2])


def test_chance_is_about_what_was_retrieved():
    found = uninformed(random_lists(seed=1, count=200, longest=12).ranks())
    assert (found.mates_tied <= found.tied).all() and (found.mates_tied <= found.mates[found.probe]).all()
    assert (found.tied == found.gallery[found.probe]).all()


@pytest.mark.parametrize(
    ("probes", "scores", "relevant", "message"),
    [
        ([0, 1], [1.0, 2.0], [True], "2 probes, 2 scores, 1 labels: wanted equally many"),
        ([0, 2], [1.0, 2.0], [True, True], "probes 0 to 2, but the mates of 2 probes are told"),
        ([0, 1], [1.0, np.nan], [True, True], "the score of candidate 1 is NaN; a missing one is -inf"),
        ([0, 0], [1.0, 2.0], [True, True], "the list of probe 0 holds 2 mates, but the probe has 1: is a candidate"),
    ],
    ids=["lengths", "probe", "NaN", "listed twice"],
)
def test_lists_that_cannot_be(probes, scores, relevant, message):
    with pytest.raises(SettingsError, match=message):
        mate_ranks_of_lists(np.array(probes), np.array(scores), np.array(relevant), np.array([1, 1]))
