import dataclasses
import random
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lists import make_list

from vfsearch.data.trial_list import MATCHING
from vfsearch.errors import TrialListError
from vfsearch.protocol.listed_join import with_scores
from vfsearch.protocol.listed_scores import PairScores

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("uvwx")), min_size=1, max_size=12)
TO_DISK = pytest.mark.parametrize("most", [None, 2, 0], ids=["in memory", "in twos", "on the disk"])


def score_of(row) -> float:
    return float(ord(row[0]) * 7 + ord(row[1]))


def scores_found(joined) -> list[float]:
    return np.concatenate([block.scores.ravel() for block in joined.blocks()]).tolist()


def counted(trials, calls):
    return dataclasses.replace(trials, blocks=lambda: calls.append(1) or trials.blocks())


def pair_scores(scores, most):
    return PairScores(scores, most)


@TO_DISK
def test_scores_are_found_by_names(most):
    trials = make_list([("a", "b"), ("c", "d"), ("a", "new")])
    scores = make_list([("c", "d"), ("a", "b"), ("a", "b")], scores=[1, 2, 2])
    joined = with_scores(trials, scores, pair_scores(scores, most))
    for _ in range(2):
        assert scores_found(joined) == pytest.approx([2, 1, np.nan], nan_ok=True)


@TO_DISK
def test_scores_of_matching_candidates(most):
    trials = make_list([("a", "b", "c"), ("c", "a", "b")], kind=MATCHING, mated=[1, 1], candidates=2, blocks=1)
    scores = make_list([("a", "c"), ("a", "b"), ("c", "b"), ("c", "a")], scores=[1, 2, 3, 4])
    joined = with_scores(trials, scores, pair_scores(scores, most))
    assert next(joined.blocks()).scores.tolist() == [[2, 1], [4, 3]]


@TO_DISK
@given(rows=ROWS, extra=ROWS, seed=st.integers(0, 99))
def test_any_order_gives_what_a_dictionary_gives(most, rows, extra, seed):
    mixed = rows[: len(rows) // 2 + 1] + extra
    random.Random(seed).shuffle(mixed)
    table = {row: score_of(row) for row in mixed}
    trials, scores = make_list(rows, blocks=3), make_list(mixed, scores=[table[row] for row in mixed], blocks=2)
    joined = with_scores(trials, scores, pair_scores(scores, most))
    if not set(rows) & set(mixed):
        return
    for _ in range(2):
        wanted = [table.get(row, np.nan) for row in rows]
        assert scores_found(joined) == pytest.approx(wanted, nan_ok=True)


@given(rows=ROWS, blocks=st.integers(1, 5))
def test_the_same_order_is_read_side_by_side(rows, blocks):
    calls, scores = [], make_list(rows, scores=list(range(len(rows))), blocks=blocks)
    trials = make_list(rows, blocks=3)
    joined = with_scores(trials, counted(scores, calls))
    # Each trial takes the score that stands in its place, even where a pair is there twice.
    assert scores_found(joined) == list(range(len(rows))) and len(calls) == 1
    assert scores_found(joined) == list(range(len(rows))) and len(calls) == 2


def test_matching_scores_in_the_same_order_are_read_side_by_side():
    trials = make_list([("a", "b", "c"), ("c", "a", "b")], kind=MATCHING, mated=[1, 1], candidates=2)
    scores, calls = make_list([("a", "b"), ("a", "c"), ("c", "a"), ("c", "b")], scores=[1, 2, 3, 4], blocks=3), []
    assert scores_found(with_scores(trials, counted(scores, calls))) == [1, 2, 3, 4] and len(calls) == 1


def test_a_list_that_was_read_before_is_read_side_by_side_too():
    rows, calls = [("a", "b"), ("c", "d"), ("e", "f")], []
    trials, scores = make_list(rows, blocks=3), make_list(rows, scores=[1, 2, 3], blocks=3)
    list(trials.blocks())
    assert scores_found(with_scores(trials, counted(scores, calls))) == [1, 2, 3] and len(calls) == 1


@TO_DISK
def test_scores_that_contradict_each_other(most):
    scores = make_list([("a", "b"), ("a", "b")], scores=[1, 2])
    with pytest.raises(TrialListError, match=r"gives 'a' and 'b' the scores 1.0 and 2.0: one is wanted"):
        scores_found(with_scores(make_list([("a", "b")]), scores, pair_scores(scores, most)))


@TO_DISK
def test_scores_of_other_names(most):
    scores = make_list([("x", "y")], scores=[1])
    joined = with_scores(make_list([("a", "b")]), scores, pair_scores(scores, most))
    with pytest.raises(TrialListError, match=r"has no score for any pair of a list: it names pairs like 'x y'"):
        scores_found(joined)


def test_a_file_without_scores_or_without_trials():
    with pytest.raises(TrialListError, match="a list has no scores"):
        scores_found(with_scores(make_list([("a", "b")]), make_list([("a", "b")])))
    with pytest.raises(TrialListError, match="a list has no trials"):
        scores_found(with_scores(make_list([("a", "b")]), make_list([])))


def test_files_lie_where_tmpdir_says_and_go(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scores = make_list([("c", "d"), ("a", "b")], scores=[1, 2])
    joined = with_scores(make_list([("a", "b"), ("c", "d")]), scores, PairScores(scores, 0))
    assert scores_found(joined) == [2, 1] and len(list(tmp_path.iterdir())) == 1
    del joined
    assert not list(tmp_path.iterdir())
