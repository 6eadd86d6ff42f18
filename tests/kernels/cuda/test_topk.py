"""The kernels for CUDA devices, on tensors of a CPU: the logic is the same there."""

import numpy as np
import pytest
import torch
from builders import rounds, unit_rows
from hard_rows import ANY_ROWS, SHORT_ROWS, UNIT_ROWS
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import SCORES, sorted_whole

from vfsearch.errors import SettingsError, VectorError
from vfsearch.kernels.cuda import rows as rows_module
from vfsearch.kernels.cuda import search
from vfsearch.kernels.cuda import settings as room_module
from vfsearch.kernels.cuda.rows import CudaRows
from vfsearch.kernels.cuda.topk import topk_cuda

INNER = {**UNIT_ROWS, **SHORT_ROWS}
HARD = [("ip", name) for name in INNER] + [("l2", name) for name in {**ANY_ROWS, **INNER}]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def candidates_in_small_galleries(monkeypatch):
    monkeypatch.setattr(room_module, "WHOLE_BELOW", 300)


def check(queries, vectors, k, exclude=None, metric="ip", gallery=None, max_memory=None):
    exclude = np.full(len(queries), -1) if exclude is None else exclude
    held = vectors if gallery is None else gallery
    found, scores = topk_cuda(queries, held, k, exclude, "cpu", metric, max_memory)
    wanted, best = sorted_whole(SCORES[metric](queries, vectors), k, exclude)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(scores, best)
    assert found.dtype == np.int64 and scores.dtype == np.float64


@pytest.fixture
def scored_whole(monkeypatch):
    """How many probes were scored with all rows, call by call."""
    counts, honest = [], search.whole
    monkeypatch.setattr(search, "whole", lambda queries, *more: counts.append(len(queries)) or honest(queries, *more))
    return counts


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("k", [1, 10, 100, 200])
def test_equals_a_whole_sort(k, metric, scored_whole):
    vectors, queries = unit_rows(4001, 128, 1), unit_rows(30, 128, 2)
    check(queries, vectors, k, np.arange(30) * 133 - 1, metric)
    assert not scored_whole, "ordinary rows must be decided from candidates"


@pytest.mark.parametrize(("metric", "name"), HARD)
def test_hard_rows(metric, name):
    queries, vectors = {**INNER, **ANY_ROWS}[name]()
    for k in (1, 10):
        check(np.ascontiguousarray(queries, np.float32), vectors, k, metric=metric)


@settings(deadline=None, max_examples=rounds(15, 300))
@given(
    st.integers(1, 9), st.integers(1, 900), st.sampled_from([1, 3, 16, 70, 130]), st.integers(1, 40),
    st.sampled_from(["ip", "l2"]), st.booleans(), st.integers(0, 999),
)  # fmt: skip
def test_any_size(queries, n, dimension, k, metric, excluding, seed):
    random = np.random.default_rng(seed)
    vectors = unit_rows(n, dimension, seed)[random.integers(0, n, n)]
    exclude = random.integers(-1, n, queries) if excluding else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room_module, "WHOLE_BELOW", 300)
        check(unit_rows(queries, dimension, seed + 1), vectors, k, exclude, metric)


def test_all_rows_equal(scored_whole):
    vectors = np.repeat(unit_rows(1, 32), 5000, axis=0)
    check(unit_rows(3, 32, 1), vectors, 10, np.array([0, 3, -1]))
    assert scored_whole == [3]


def test_only_probes_with_too_many_ties_are_scored_with_all_rows(scored_whole):
    vectors = unit_rows(9000, 32, 5)
    vectors[::2] = vectors[7]
    check(np.concatenate([unit_rows(6, 32, 6), vectors[7:8]]), vectors, 3)
    # Such a row is among the best of some of the others by chance.
    assert sum(scored_whole) < 7


def test_k_above_n_and_empty_sides():
    check(unit_rows(2, 4), unit_rows(3, 4, 1), 5, np.array([-1, 2]))
    check(unit_rows(1, 4), unit_rows(1, 4), 2, np.array([0]))
    for count, n in ((0, 3), (2, 0), (0, 0), (0, 1000)):
        check(unit_rows(count, 4), unit_rows(n, 4), 2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_rows_of_other_types(dtype):
    vectors, queries = torch.as_tensor(unit_rows(1500, 40, 1)).to(dtype), unit_rows(6, 40, 2)
    check(queries, vectors, 7)
    check(queries, vectors, 7, max_memory=300_000)
    if dtype != torch.bfloat16:
        check(queries, vectors.numpy(), 7)


def test_rows_of_no_float_type():
    with pytest.raises(SettingsError, match="the rows are int64, wanted float32, float16, bfloat16 or float64"):
        CudaRows(np.ones((2, 2), np.int64), "cpu")


@pytest.mark.parametrize("max_memory", [1, 500_000, 16_000_000])
@pytest.mark.parametrize("metric", ["ip", "l2"])
def test_a_gallery_that_is_streamed(tmp_path, max_memory, metric):
    vectors, queries = unit_rows(3000, 64, 1), unit_rows(20, 64, 2)
    vectors[1500:1600] = vectors[:100]
    np.save(tmp_path / "rows.npy", vectors)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    gallery = CudaRows(mapped, "cpu", metric, max_memory)
    assert (gallery.shares[0].kept is None) == (max_memory < 16_000_000)
    for _ in range(2):
        check(queries, vectors, 10, np.arange(20) * 150, metric, gallery, max_memory)


def test_stretches_after_the_first_use_what_was_found(monkeypatch):
    floors, honest = [], search.Candidates

    def noted(probes, room, floor, excludes):
        floors.append(floor.clone())
        return honest(probes, room, floor, excludes)

    monkeypatch.setattr(search, "Candidates", noted)
    check(unit_rows(3, 16, 2), unit_rows(4000, 16, 1), 5, max_memory=1_000_000)
    assert len(floors) > 1 and torch.isneginf(floors[0]).all() and torch.isfinite(floors[-1]).all()


@pytest.mark.parametrize("devices", [2, 3, 8])
def test_a_gallery_shared_out(monkeypatch, devices):
    monkeypatch.setattr(rows_module, "devices_of", lambda name: [CPU] * devices)
    vectors, queries = unit_rows(1000, 16, 1)[np.arange(1000) // 2], unit_rows(6, 16, 2)
    gallery = CudaRows(vectors, "cuda:all")
    assert len(gallery.shares) == devices and len(gallery) == 1000
    check(queries, vectors, 9, np.arange(6) * 190, gallery=gallery)
    check(queries[:2], vectors[:3], 9, gallery=CudaRows(vectors[:3], "cuda:all"))


@pytest.mark.parametrize(
    ("metric", "entry", "message"),
    [("ip", np.nan, "row 700 of the gallery is not finite or longer than 1.01: an inner product is asked of unit rows"),
     ("ip", 2.0, "row 700 of the gallery"), ("l2", np.inf, "longer than 1e[+]15: leave it out, or scale the rows")],
)  # fmt: skip
@pytest.mark.parametrize("max_memory", [None, 1])
def test_rows_that_cannot_be_searched(metric, entry, message, max_memory):
    vectors = unit_rows(1000, 8)
    vectors[700, 3] = entry
    with pytest.raises(VectorError, match=message):
        topk_cuda(unit_rows(1, 8), vectors, 1, np.array([-1]), "cpu", metric, max_memory)


def test_other_settings_of_the_process_change_nothing():
    vectors, queries = unit_rows(2000, 64, 1), unit_rows(20, 64, 2)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        check(queries, vectors, 5)
    finally:
        torch.set_float32_matmul_precision(before)
