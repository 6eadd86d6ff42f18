import dataclasses

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.ranks import uninformed
from vfsearch.kernels import ranks as module
from vfsearch.kernels.exact import grid
from vfsearch.kernels.ranks import mate_ranks

COLUMNS = ("probe", "above", "tied", "mates_above", "mates_tied")


def by_loop(queries, vectors, query_identities, identities, exclude=None):
    """The oracle: for each probe, each distinct score of a mate, counted among all rows."""
    scores = (grid(queries) @ grid(vectors).T).numpy()
    blocks, mates = [], []
    for probe in range(len(queries)):
        rows = [row for row in range(len(vectors)) if exclude is None or row != exclude[probe]]
        own = [scores[probe, row] for row in rows if identities[row] == query_identities[probe]]
        everyone = [scores[probe, row] for row in rows]
        mates.append(len(own))
        for score in sorted(set(own), reverse=True):
            blocks.append((
                probe, sum(s > score for s in everyone), sum(s == score for s in everyone),
                sum(s > score for s in own), sum(s == score for s in own),
            ))  # fmt: skip
    return blocks, mates


def check(queries, vectors, query_identities, identities, exclude=None):
    found = mate_ranks(queries, vectors, query_identities, identities, exclude)
    blocks, mates = by_loop(queries, vectors, query_identities, identities, exclude)
    assert list(zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True)) == blocks
    assert found.mates.tolist() == mates
    kept = 0 if exclude is None else (exclude >= 0).astype(int)
    assert (found.gallery == len(vectors) - kept).all()
    return found


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 10), st.integers(1, 40), st.integers(1, 6), st.booleans(), st.integers(0, 999))
def test_equals_a_plain_loop(queries, rows, people, excluding, seed):
    random = np.random.default_rng(seed)
    vectors = unit_rows(rows, 8, seed)[random.integers(0, rows, rows)]  # with duplicates
    exclude = random.integers(-1, rows, queries) if excluding else None
    asked, identities = random.integers(0, people + 1, queries), random.integers(0, people, rows)
    check(unit_rows(queries, 8, seed + 1), vectors, asked, identities, exclude)


def test_golden():
    # Scores of the one probe: 1, 0.8, 0.8, 0.8, 0; mates are the rows 1, 3 and 4.
    vectors = np.array([[1, 0], [0.8, 0.6], [0.8, 0.6], [0.8, 0.6], [0, 1]], np.float32)
    found = mate_ranks(np.array([[1, 0]], np.float32), vectors, np.array([7]), np.array([1, 7, 2, 7, 7]))
    assert {name: getattr(found, name).tolist() for name in COLUMNS} == {
        "probe": [0, 0], "above": [1, 4], "tied": [3, 1], "mates_above": [0, 2], "mates_tied": [2, 1],
    }  # fmt: skip
    assert (found.mates.tolist(), found.gallery.tolist()) == ([3], [5])


@pytest.mark.parametrize("identity", [0, 9], ids=["mate", "no mate"])
def test_a_gallery_of_one(identity):
    found = check(unit_rows(2, 4), unit_rows(1, 4, 1), np.array([identity, 0]), np.array([0]))
    assert found.mates.tolist() == [int(identity == 0), 1]


def test_no_probe_has_a_mate():
    found = check(unit_rows(3, 4), unit_rows(5, 4, 1), np.full(3, 8), np.arange(5))
    assert found.above.shape == (0,)


def test_the_only_mate_is_the_probe_itself():
    rows = unit_rows(3, 4)
    found = check(rows, rows, np.arange(3), np.arange(3), exclude=np.arange(3))
    assert found.mates.tolist() == [0, 0, 0] and found.gallery.tolist() == [2, 2, 2]


def test_all_rows_equal_is_what_scores_without_information_give():
    rows = np.repeat(unit_rows(1, 16), 12, axis=0)
    identities, exclude = np.arange(12) % 4, np.where(np.arange(12) % 2, np.arange(12), -1)
    found = check(rows, rows, identities, identities, exclude)
    chance = uninformed(found)
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(chance, entry.name)), entry.name


def test_one_identity():
    found = check(unit_rows(3, 4), unit_rows(6, 4, 1), np.zeros(3, int), np.zeros(6, int))
    assert np.array_equal(found.above, found.mates_above)


@pytest.mark.parametrize(("queries", "rows"), [(0, 3), (2, 0), (0, 0)])
def test_empty_sides(queries, rows):
    found = mate_ranks(unit_rows(queries, 4), unit_rows(rows, 4), np.zeros(queries, int), np.zeros(rows, int))
    assert found.probe.shape == (0,)
    assert found.mates.tolist() == [0] * queries and found.gallery.tolist() == [rows] * queries


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 500), st.permutations(range(24)))
def test_block_size_and_order_of_the_gallery_change_nothing(block, order):
    random, order = np.random.default_rng(3), list(order)
    vectors = unit_rows(24, 8, 1)[random.integers(0, 24, 24)]
    queries, asked, identities = unit_rows(7, 8, 2), random.integers(0, 4, 7), random.integers(0, 4, 24)
    wanted = mate_ranks(queries, vectors, asked, identities)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_SCORES", block)
        found = mate_ranks(queries, vectors[order], asked, identities[order])
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(wanted, entry.name)), entry.name


def test_a_gallery_may_be_prepared_once():
    rows, identities = unit_rows(9, 4), np.arange(9) % 3
    found, prepared = (mate_ranks(rows[:4], each, identities[:4], identities) for each in (rows, grid(rows)))
    for entry in dataclasses.fields(found):
        assert np.array_equal(getattr(found, entry.name), getattr(prepared, entry.name)), entry.name


def test_the_inputs_stay_as_they_are():
    rows, identities = unit_rows(6, 4), np.arange(6) % 2
    before = rows.copy()
    mate_ranks(rows, rows, identities, identities, np.arange(6))
    assert np.array_equal(rows, before)
