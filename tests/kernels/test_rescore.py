import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch import devices
from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.kernels import rescore
from vfsearch.kernels.cpu import rescoring
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.rescore import best_of, place_in_file


def plain(queries, vectors, candidates, k):
    """The oracle: scores of listed pairs, sorted by (score, row)."""
    rows, scores = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for query, listed in enumerate(candidates):
        listed = listed[listed >= 0]
        own = pair_scores(queries, vectors, np.full(len(listed), query), listed)
        order = np.lexsort((listed, -own))[:k]
        rows[query, : len(order)], scores[query, : len(order)] = listed[order], own[order]
    return rows, scores


def check(queries, vectors, candidates, k):
    found = best_of(queries, vectors, candidates, k)
    rows, scores = plain(queries, vectors, candidates, k)
    assert np.array_equal(found.rows, rows) and found.rows.dtype == np.int64
    assert np.array_equal(found.scores, scores) and found.scores.dtype == np.float64


def listed(queries, rows, most, seed):
    """Rows for each query, each at most once, some places empty."""
    random = np.random.default_rng(seed)
    found = np.array([random.permutation(rows)[:most] for _ in range(queries)], int).reshape(queries, min(rows, most))
    return np.where(random.random(found.shape) < 0.2, -1, found)


@settings(deadline=None, max_examples=60)
@given(
    queries=st.integers(0, 6), rows=st.integers(1, 60), d=st.sampled_from([1, 3, 16, 129]), k=st.integers(1, 70),
    most=st.integers(0, 60), seed=st.integers(0, 999),
)  # fmt: skip
def test_equals_sorted_scores_of_pairs(queries, rows, d, k, most, seed):
    # Rows that are there several times have equal scores.
    vectors = unit_rows(rows, d, seed)[np.random.default_rng(seed).integers(0, rows, rows)]
    check(unit_rows(queries, d, seed + 1), vectors, listed(queries, rows, most, seed), k)


def test_golden():
    vectors = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6], [-1, 0], [0.6, 0.8]], np.float32)
    found = best_of(np.array([[1, 0], [0, 1]], np.float32), vectors, np.array([[3, 4, 2, 1], [-1, 4, 1, -1]]), 3)
    assert found.rows.tolist() == [[2, 1, 4], [1, 4, -1]]
    assert found.scores == pytest.approx(np.array([[0.8, 0.6, 0.6], [0.8, 0.8, -np.inf]]), abs=1e-7)


@pytest.mark.parametrize("k", [1, 5, 39, 40, 41])
def test_all_ties_keep_the_first_rows(k):
    vectors = np.repeat(unit_rows(1, 5), 40, axis=0)
    found = best_of(vectors[:1], vectors, np.random.default_rng(0).permutation(40)[None], k)
    assert found.rows[0].tolist() == [*range(min(k, 40)), *[-1] * (k - 40)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("at_once", [1, 7, 100, 10_000])
def test_threads_and_pieces_change_nothing(monkeypatch, threads, at_once):
    monkeypatch.setattr(rescoring, "LISTED_AT_ONCE", at_once)
    monkeypatch.setattr(devices, "cores", lambda: threads)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    check(unit_rows(31, 24, 1), unit_rows(90, 24, 2), listed(31, 90, 40, 3), 10)


@pytest.mark.parametrize(
    "held",
    [np.asfortranarray, lambda rows: rows[::-1], lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
     lambda rows: rows.astype(np.float16), lambda rows: rows + 1e-9, torch.as_tensor,
     lambda rows: torch.as_tensor(rows).bfloat16()],
)  # fmt: skip
def test_rows_however_held(held):
    check(unit_rows(5, 19, 1), held(unit_rows(50, 19, 2)), listed(5, 50, 20, 3), 4)


def test_candidates_of_other_whole_numbers():
    check(unit_rows(5, 8, 1), unit_rows(50, 8, 2), listed(5, 50, 20, 3).astype(np.int32)[:, ::-1], 4)


@pytest.fixture
def read(monkeypatch):
    """Every map counts as large: rows are read from the file."""
    monkeypatch.setattr(rescore, "LARGEST_MAP", 0)


@pytest.mark.parametrize("mode", ["r", "c"])
@pytest.mark.parametrize("part", [slice(None), slice(7, 40)])
@pytest.mark.parametrize("at_once", [3, 10_000])
def test_rows_of_a_large_file_are_read_from_it(tmp_path, monkeypatch, read, mode, part, at_once):
    monkeypatch.setattr(rescoring, "LISTED_AT_ONCE", at_once)
    np.save(tmp_path / "rows.npy", unit_rows(50, 37, 2))
    vectors = np.load(tmp_path / "rows.npy", mmap_mode=mode)[part]
    assert place_in_file(vectors) == (tmp_path / "rows.npy", 128 + (part.start or 0) * 37 * 4)
    check(unit_rows(9, 37, 1), vectors, listed(9, len(vectors), 30, 3), 5)


def test_rows_that_do_not_begin_in_the_first_page(tmp_path, read):
    with (tmp_path / "rows").open("wb") as file:
        file.write(bytes(10_000))
        file.write(unit_rows(50, 37, 2).tobytes())
    vectors = np.memmap(tmp_path / "rows", np.float32, "r", 10_000, (50, 37))
    assert place_in_file(vectors) == (tmp_path / "rows", 10_000)
    check(unit_rows(9, 37, 1), vectors, listed(9, 50, 30, 3), 5)


def test_maps_that_are_used_as_they_are(tmp_path, monkeypatch):
    np.save(tmp_path / "rows.npy", unit_rows(50, 37, 2))
    vectors = np.load(tmp_path / "rows.npy", mmap_mode="c")
    assert place_in_file(vectors) is None
    monkeypatch.setattr(rescore, "LARGEST_MAP", 0)
    assert place_in_file(vectors[:, :8]) is None and place_in_file(np.array(vectors)) is None
    assert place_in_file(np.load(tmp_path / "rows.npy", mmap_mode="r+")) is None
    (tmp_path / "rows.npy").unlink()
    check(unit_rows(9, 37, 1), vectors, listed(9, 50, 30, 3), 5)


def test_a_file_that_became_shorter_is_named(tmp_path, read):
    np.save(tmp_path / "rows.npy", unit_rows(50, 37, 2))
    vectors = np.load(tmp_path / "rows.npy", mmap_mode="r")
    with (tmp_path / "rows.npy").open("r+b") as file:
        file.truncate(3000)
    with pytest.raises(VfsearchError, match=r"cannot read .*rows\.npy: row 40 of 50 cannot be read"):
        best_of(unit_rows(1, 37), vectors, np.array([[1, 40]]), 1)


@pytest.mark.parametrize("bad", [50, -2])
@pytest.mark.parametrize("large", [False, True])
def test_rows_that_are_not_there_are_refused(tmp_path, monkeypatch, bad, large):
    monkeypatch.setattr(rescore, "LARGEST_MAP", 0 if large else 2**30)
    np.save(tmp_path / "rows.npy", unit_rows(50))
    vectors = np.load(tmp_path / "rows.npy", mmap_mode="c")
    message = f"candidate 1 of query 2 is row {bad} of 50: there is no such row"
    with pytest.raises(SettingsError, match=message):
        best_of(unit_rows(3), vectors, np.array([[1, 2, 3], [4, -1, 6], [7, bad, 8]]), 2)


def test_shapes_that_do_not_fit_are_refused():
    rows = unit_rows(5)
    with pytest.raises(SettingsError, match="k is 0, it must be at least 1"):
        best_of(rows, rows, np.zeros((5, 2), int), 0)
    with pytest.raises(SettingsError, match=r"shape \(5, 8\), the gallery \(5, 9\)"):
        best_of(rows, unit_rows(5, 9), np.zeros((5, 2), int), 1)
    with pytest.raises(SettingsError, match=r"the candidates are int64 \(4, 2\), wanted whole numbers \(5, m\)"):
        best_of(rows, rows, np.zeros((4, 2), np.int64), 1)
    with pytest.raises(SettingsError, match=r"the candidates are float64 \(5, 2\)"):
        best_of(rows, rows, np.zeros((5, 2)), 1)
