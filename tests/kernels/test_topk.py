import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import SettingsError, VectorError
from vfsearch.kernels.cpu import candidates, search
from vfsearch.kernels.exact import grid
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk

TIES = 16


@pytest.fixture
def small_store(monkeypatch):
    """Candidates are kept in so little room that small galleries are searched as large ones are."""
    monkeypatch.setattr(candidates, "SPARE", candidates.LEAST_NEW)


def by_argsort(queries, vectors, k, exclude=None):
    """The oracle: exact scores, sorted by (score, row)."""
    scores = (grid(queries) @ grid(vectors).T).numpy()
    rows, best = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for query in range(len(queries)):
        allowed = [row for row in range(len(vectors)) if exclude is None or row != exclude[query]]
        order = sorted(allowed, key=lambda row: (-scores[query, row], row))[:k]
        rows[query, : len(order)], best[query, : len(order)] = order, scores[query, order]
    return rows, best


def check(queries, vectors, k, exclude=None):
    found = topk(queries, vectors, k, exclude)
    rows, scores = by_argsort(queries, vectors, k, exclude)
    assert np.array_equal(found.rows, rows)
    assert np.array_equal(found.scores, scores)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 8), st.integers(1, 70), st.sampled_from([1, 2, 16, 128]), st.integers(1, 80), st.booleans(),
    st.integers(0, 999),
)  # fmt: skip
def test_equals_the_argsort_of_exact_scores(queries, rows, dimension, k, excluding, seed):
    random = np.random.default_rng(seed)
    vectors = unit_rows(rows, dimension, seed)[random.integers(0, rows, rows)]  # some rows twice, some three times
    exclude = random.integers(-1, rows, queries) if excluding else None
    check(unit_rows(queries, dimension, seed + 1), vectors, k, exclude)


def test_golden():
    vectors = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6], [-1, 0], [0.6, 0.8]], np.float32)
    found = topk(np.array([[1, 0], [0, 1]], np.float32), vectors, 3)
    assert found.rows.tolist() == [[0, 2, 1], [1, 4, 2]]
    assert found.scores == pytest.approx(np.array([[1, 0.8, 0.6], [0.8, 0.8, 0.6]]), abs=1e-7)


@pytest.mark.parametrize("k", [1, 3, 10, 40, 60])
def test_more_ties_at_the_kth_place_than_the_slack(k):
    vectors = unit_rows(60, 32, 3)
    vectors[5 : 5 + 3 * TIES - 2] = vectors[2]
    queries = np.concatenate([vectors[2:3], unit_rows(4, 32, 4)])
    check(queries, vectors, k)


@pytest.fixture
def decided_whole(monkeypatch):
    """How many queries each search has had to compare with every row exactly."""
    counts, whole = [], search.whole
    monkeypatch.setattr(search, "whole", lambda queries, *rest: counts.append(len(queries)) or whole(queries, *rest))
    return counts


def test_only_the_queries_with_too_many_ties_are_compared_with_every_row(small_store, decided_whole):
    vectors = unit_rows(2000, 32, 5)
    vectors[100:350] = vectors[7]
    check(np.concatenate([unit_rows(6, 32, 6), vectors[7:8]]), vectors, 1)
    assert decided_whole == [1]


@pytest.mark.parametrize("count", [1, 3, 9, 200, 1000])
def test_large_galleries_are_never_compared_whole(decided_whole, count):
    check(unit_rows(count, 24, 6), unit_rows(3000, 24, 5), 10)
    assert decided_whole == []


def test_most_queries_crowded_at_first(small_store, decided_whole):
    # 8-bit numbers cannot tell the rows apart: after the first queries the others are not asked with them.
    vectors = np.repeat(unit_rows(1, 16, 1), 1500, axis=0)
    vectors += np.random.default_rng(2).normal(0, 2e-6, vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    check(unit_rows(1000, 16, 3), vectors, 3)


@pytest.mark.parametrize("dimension", [8, 128, 512])
def test_near_ties_within_the_error_of_float32_products(dimension):
    # Rows that differ in single last places: their float32 products come out in any order, the exact ones do not.
    random = np.random.default_rng(dimension)
    base = unit_rows(1, dimension, 1)
    vectors = np.repeat(base, 300, axis=0)
    for row in vectors:
        for column in random.integers(0, dimension, 3):
            row[column] = np.nextafter(row[column], np.float32(random.choice([-1, 1])))
    queries = np.concatenate([base, unit_rows(3, dimension, 2)])
    float32 = queries @ vectors.T
    exact = (grid(queries) @ grid(vectors).T).numpy()
    assert any(np.argmax(float32[query]) != np.argmax(exact[query]) for query in range(4))
    for k in (1, 5, 50):
        check(queries, vectors, k)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))
def test_blocks_threads_and_batch_change_nothing(stretch, tiles, threads, seed):
    vectors, queries = unit_rows(700, 24, seed)[np.arange(700) // 2], unit_rows(40, 24, seed + 1)
    whole = topk(queries, vectors, 5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "SPARE", candidates.LEAST_NEW)
        patch.setattr(search, "STREAMED_ROWS", 64 * stretch)
        patch.setattr(search, "TILES_AT_ONCE", tiles)
        patch.setattr(search, "FIRST_QUERIES", 6)
        patch.setenv("OMP_NUM_THREADS", str(threads))
        blocks = topk(queries, vectors, 5)
        streamed = topk(queries, vectors, 5, max_memory=1)
        alone = [topk(queries[row : row + 1], vectors, 5) for row in range(12)]
    for other in (blocks, streamed):
        assert np.array_equal(whole.rows, other.rows) and np.array_equal(whole.scores, other.scores)
    assert np.array_equal(whole.rows[:12], np.concatenate([each.rows for each in alone]))
    assert np.array_equal(whole.scores[:12], np.concatenate([each.scores for each in alone]))


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(30)))
def test_the_order_of_the_gallery_changes_no_score(order):
    vectors, queries = unit_rows(30, 16, 1)[np.arange(30) // 3], unit_rows(4, 16, 2)
    straight, shuffled = topk(queries, vectors, 8), topk(queries, vectors[list(order)], 8)
    assert np.array_equal(straight.scores, shuffled.scores)
    assert (np.diff(shuffled.rows, axis=1)[np.diff(shuffled.scores, axis=1) == 0] > 0).all()


def test_all_rows_equal_come_in_their_order():
    row = unit_rows(1, 64)
    found = topk(row, np.repeat(row, 100, axis=0), 30, exclude=np.array([4]))
    assert found.rows[0].tolist() == [*range(4), *range(5, 31)]


def test_k_above_n_is_padded():
    found = topk(unit_rows(2, 4), unit_rows(3, 4, 1), 5, exclude=np.array([-1, 2]))
    assert (found.rows == -1).sum(axis=1).tolist() == [2, 3]
    assert np.array_equal(found.rows == -1, np.isneginf(found.scores))
    assert 2 not in found.rows[1]


def test_excluding_the_only_row_leaves_nothing():
    found = topk(unit_rows(1, 4), unit_rows(1, 4), 2, exclude=np.array([0]))
    assert found.rows.tolist() == [[-1, -1]]


@pytest.mark.parametrize(("queries", "rows"), [(0, 3), (2, 0), (0, 0)])
def test_empty_sides(queries, rows):
    found = topk(unit_rows(queries, 4), unit_rows(rows, 4), 2)
    assert found.rows.shape == found.scores.shape == (queries, 2)
    assert (found.rows == -1).all()


def test_denormal_entries():
    vectors = np.zeros((40, 3), np.float32)
    vectors[:, 0], vectors[:, 1] = 1.0, np.arange(40) * 1e-45
    check(np.array([[1.0, 1e-44, 0.0], [0.0, 1.0, 0.0]], np.float32), vectors, 4)


def test_rows_may_be_mapped_or_tensors(tmp_path):
    vectors, queries = unit_rows(20, 8, 1), unit_rows(3, 8, 2)
    np.save(tmp_path / "rows.npy", vectors)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="c")
    wanted = topk(queries, vectors, 4).rows
    assert np.array_equal(topk(queries, mapped, 4).rows, wanted)
    assert np.array_equal(topk(queries, torch.as_tensor(vectors), 4).rows, wanted)
    assert np.array_equal(topk(queries[::-1], vectors, 4).rows, wanted[::-1])


def test_a_probe_alone_reads_rows_that_there_is_no_room_to_keep_ready(monkeypatch):
    rows, queries = unit_rows(3000, 16, 1), unit_rows(2, 16, 2)
    wanted = topk(queries, rows, 5)
    monkeypatch.setattr(search, "packed", None)
    found = topk(queries, search_gallery(rows, max_memory=1000), 5)
    assert np.array_equal(found.rows, wanted.rows) and np.array_equal(found.scores, wanted.scores)


def test_k_below_one():
    with pytest.raises(SettingsError, match="k is 0, it must be at least 1"):
        topk(unit_rows(1, 4), unit_rows(1, 4), 0)


@pytest.mark.parametrize("shape", [(2, 5), (4,)])
def test_wrong_dimension(shape):
    with pytest.raises(SettingsError, match=r"the gallery wants \(q, 4\)"):
        topk(np.ones(shape, np.float32), unit_rows(3, 4), 1)


@pytest.mark.parametrize(
    ("entry", "message"), [(np.nan, "1 is not finite"), (np.inf, "1 is not finite"), (3.0, "1 is of length")]
)
def test_queries_that_are_no_unit_rows(entry, message):
    queries = unit_rows(2, 4)
    queries[1, 0] = entry
    with pytest.raises(VectorError, match=message):
        topk(queries, unit_rows(3, 4), 1)
