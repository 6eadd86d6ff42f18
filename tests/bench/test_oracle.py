from dataclasses import replace

import numpy as np
import pytest

from vfsearch.bench.oracle import Oracle
from vfsearch.bench.problem import make_problem
from vfsearch.bench.settings import KernelBench, Task
from vfsearch.data.ranks import MateRanks

ROWS = np.array([[1, 0], [0.6, 0.8], [0.6, 0.8], [0, 1]], np.float32)


def problem(kernel="topk", metric="ip", **changes):
    settings = KernelBench(dimension=2, metric=metric, pairs=3)
    made = make_problem(Task(kernel=kernel, rows=4, probes=2, k=3), settings)
    known = {
        "queries": ROWS[:2],
        "held": ROWS,
        "vectors": ROWS,
        "query_identities": np.array([7, 8]),
        "identities": np.array([8, 7, 9, 7]),
        "query_rows": np.array([0, 1, 1]),
        "rows": np.array([0, 0, 3]),
    }
    return replace(made, **{**known, **changes})


def test_best_by_hand():
    oracle = Oracle(problem())
    rows, scores = oracle.best
    assert oracle.probes.tolist() == [0, 1] and rows.tolist() == [[0, 1, 2], [1, 2, 3]]
    assert scores[0] == pytest.approx([1, 0.6, 0.6]) and scores[0, 1] == scores[0, 2]
    assert oracle.of_neighbors(np.arange(2), rows, scores).exact


def test_distances_by_hand():
    rows, scores = Oracle(problem(metric="l2")).best
    assert rows.tolist() == [[0, 1, 2], [1, 2, 3]] and scores[0] == pytest.approx([0, -0.8, -0.8])


def test_wrong_neighbours_are_seen():
    oracle = Oracle(problem())
    rows, scores = (each.copy() for each in oracle.best)
    rows[0, 1:] = [2, 1]
    found = oracle.of_neighbors(np.arange(2), rows, scores)
    assert (found.exact, found.same, found.error) == (False, 4 / 6, 0)
    scores = scores.astype(np.float32)
    scores[1, 0] += 0.5
    found = oracle.of_neighbors(np.arange(2), oracle.best[0], scores)
    assert (found.exact, found.same, found.error) == (False, 1, pytest.approx(0.5))


def test_fewer_columns_are_not_exact():
    oracle = Oracle(problem())
    found = oracle.of_neighbors(np.arange(2), *(each[:, :2] for each in oracle.best))
    assert not found.exact and found.same == 1


def test_k_above_the_gallery():
    made = problem()
    oracle = Oracle(replace(made, task=replace(made.task, k=6)))
    rows, scores = oracle.best
    assert rows[0].tolist() == [0, 1, 2, 3, -1, -1] and scores[0, 4:].tolist() == [-np.inf] * 2
    assert oracle.of_neighbors(np.arange(2), rows, scores).error == 0


RANKS = {
    "probe": [0, 0, 1], "above": [1, 3, 3], "tied": [2, 1, 1], "mates_above": [0, 1, 0], "mates_tied": [1, 1, 1],
    "mates": [2, 1], "gallery": [4, 4],
}  # fmt: skip


def ranks(**changes):
    return MateRanks(**{name: np.array(values) for name, values in {**RANKS, **changes}.items()})


def test_ranks_by_hand():
    # Of probe 0 rows 1 and 3 are mates (0.6, tied with row 2, and 0); of probe 1 row 0 (0.6) comes after 1, 2 and 3.
    oracle = Oracle(problem("ranks"))
    assert oracle.of_ranks(ranks()).exact and oracle.of_ranks(ranks()).same == 1
    for wrong in ({"above": [1, 3, 2]}, {"tied": [1, 1, 1]}, {"mates": [2, 2]}):
        assert not oracle.of_ranks(ranks(**wrong)).exact
    assert oracle.of_ranks(ranks(above=[1, 3, 2])).same == 2 / 3


def test_places_by_hand():
    oracle = Oracle(problem("ranks"))
    found = oracle.of_places(np.arange(2), [np.array([1, 3]), np.array([2])])
    assert found.same == 2 / 3 and not found.exact
    assert oracle.of_places(np.arange(2), [np.array([1, 3]), np.array([3])]).exact


def test_pairs_by_hand():
    oracle = Oracle(problem("pairs"))
    # float32 numbers of this size are multiples of 2^-26, so their products with 1 are themselves.
    right = np.array([1, 0.6, 0.8], np.float32).astype(np.float64)
    assert oracle.of_pair_scores(right).exact
    found = oracle.of_pair_scores(right + np.array([0, 1e-9, 0]))
    assert not found.exact and found.error == pytest.approx(1e-9)
