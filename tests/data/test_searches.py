import dataclasses

import numpy as np
import pytest
from random_searches import random_table, searches_of

from vfsearch.errors import SettingsError


def searches():
    return searches_of(*random_table(1), 12)


def test_the_best_of_a_search_that_returned_nothing_is_minus_infinity():
    found = searches()
    assert (found.best[found.missing] == -np.inf).all() and np.isfinite(found.best[~found.missing]).all()
    nothing = dataclasses.replace(found, scores=np.zeros((len(found), 0)), candidates=np.zeros((len(found), 0), int))
    assert (nothing.best == -np.inf).all()


def test_others_are_sorted_and_counted():
    found = dataclasses.replace(searches(), weights=np.arange(40.0) % 3)
    scores, counts = found.others_best_first
    others = ~found.mated & (found.weights > 0)
    assert scores.tolist() == sorted(found.best[others], reverse=True)
    assert counts.sum() == found.weights[others].sum()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"candidates": np.zeros((40, 2), int)}, r"scores \(40, 6\) and candidates \(40, 2\): wanted \(s, L\)"),
        ({"above": np.zeros(3)}, "40 searches, but {'above': 3}"),
        ({"mate_scores": np.zeros(40)}, "a mate's score is wanted of each mated search that is not missing"),
    ],
    ids=["shape", "length", "mate's score"],
)
def test_parts_that_do_not_fit(change, message):
    with pytest.raises(SettingsError, match=message):
        dataclasses.replace(searches(), **change)
