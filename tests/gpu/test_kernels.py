"""The kernels on a GPU: right answers on inputs made to mislead, whatever the memory, the type and the way."""

import numpy as np
import pytest
import torch
from builders import unit_rows
from hard_rows import ANY_ROWS, SHORT_ROWS, UNIT_ROWS
from oracles import SCORES, sorted_whole

from vfsearch.kernels.cuda import candidates, finding, pair_decision, ranks, search, settings
from vfsearch.kernels.cuda.pairs import pair_scores_cuda
from vfsearch.kernels.cuda.places import runs_triton
from vfsearch.kernels.cuda.ranks import mate_counts
from vfsearch.kernels.cuda.rows import CudaRows
from vfsearch.kernels.cuda.topk import topk_cuda

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")

INNER = {**UNIT_ROWS, **SHORT_ROWS}
HARD = [("ip", name) for name in INNER] + [("l2", name) for name in {**ANY_ROWS, **INNER}]


@pytest.fixture(params=["triton", "torch"], autouse=True)
def way(request, monkeypatch):
    """With Triton's kernels, and without."""
    if request.param == "torch":
        for module in (candidates, finding, pair_decision, ranks):
            monkeypatch.setattr(module, "runs_triton", lambda device: False)
    elif not runs_triton(torch.device("cuda")):
        pytest.skip("Triton does not run on this GPU")
    monkeypatch.setattr(settings, "WHOLE_BELOW", 300)


def check(queries, vectors, k, exclude=None, metric="ip", gallery=None, max_memory=None, device="cuda"):
    queries = np.ascontiguousarray(queries, np.float32)
    exclude = np.full(len(queries), -1) if exclude is None else exclude
    held = vectors if gallery is None else gallery
    found, scores = topk_cuda(queries, held, k, exclude, device, metric, max_memory)
    wanted, best = sorted_whole(SCORES[metric](queries, vectors), k, exclude)
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(scores, best)


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("k", [1, 10, 100, 1000])
@pytest.mark.parametrize(("queries", "d"), [(1, 128), (64, 7), (65, 40), (300, 128), (129, 200), (40, 512)])
def test_ordinary_rows_are_decided_from_candidates(monkeypatch, metric, k, queries, d):
    counts, honest = [], search.whole
    monkeypatch.setattr(search, "whole", lambda asked, *more: counts.append(len(asked)) or honest(asked, *more))
    vectors = unit_rows(30_001, d, 1)
    check(unit_rows(queries, d, 2), vectors, k, np.arange(queries) * 77 - 1, metric)
    if d >= 40:
        assert sum(counts) <= queries // 50


@pytest.mark.parametrize(("metric", "name"), HARD)
def test_hard_rows(metric, name):
    queries, vectors = {**INNER, **ANY_ROWS}[name]()
    for k in (1, 10, 100):
        check(queries, vectors, k, metric=metric)


def test_all_rows_equal_and_twice_the_same():
    check(unit_rows(3, 32, 1), np.repeat(unit_rows(1, 32), 20_000, axis=0), 10, np.array([0, 3, -1]))
    check(unit_rows(70, 32, 1), unit_rows(20_000, 32)[np.arange(20_000) // 2], 11)


@pytest.mark.parametrize("n", [1, 299, 300, 4095, 4097, 8191, 8193])
def test_sizes_that_are_no_multiples(n):
    check(unit_rows(5, 24, 1), unit_rows(n, 24), 7)
    check(unit_rows(0, 24), unit_rows(n, 24), 7)


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("max_memory", [1, 4_000_000, 30_000_000])
def test_a_gallery_that_is_streamed(tmp_path, max_memory, metric):
    vectors = unit_rows(40_000, 64, 1)
    vectors[20_000:21_000] = vectors[:1000]
    np.save(tmp_path / "rows.npy", vectors)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    gallery = CudaRows(mapped, "cuda", metric, max_memory)
    for _ in range(2):
        check(unit_rows(50, 64, 2), vectors, 10, np.arange(50) * 700, metric, gallery, max_memory)


def test_memory_stays_below_what_is_allowed():
    vectors, queries = unit_rows(200_000, 128, 1), unit_rows(3000, 128, 2)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    topk_cuda(queries, vectors, 10, np.full(3000, -1), "cuda", "ip", 2**26)
    # The result is beside it, and rows that cuBLAS works in.
    assert torch.cuda.max_memory_allocated() - before < 2**26 + queries.shape[0] * 160 + 2**26


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("there", [False, True])
def test_rows_of_other_types(dtype, there):
    vectors, queries = torch.as_tensor(unit_rows(9000, 40, 1)).to(dtype), unit_rows(6, 40, 2)
    check(queries, vectors, 7, gallery=vectors.to("cuda") if there else None)


def test_all_devices():
    vectors = unit_rows(9000, 40, 1)
    check(unit_rows(6, 40, 2), vectors, 7, np.arange(6) * 1700, gallery=CudaRows(vectors, "cuda:all"))


def test_the_same_again_and_again():
    vectors, queries = unit_rows(100_000, 128, 1), unit_rows(5000, 128, 2)
    gallery, exclude = CudaRows(vectors, "cuda"), np.full(5000, -1)
    first = topk_cuda(queries, gallery, 10, exclude, "cuda", "ip", None)
    for _ in range(5):
        for one, other in zip(first, topk_cuda(queries, gallery, 10, exclude, "cuda", "ip", None), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize(("n", "p"), [(1, 1), (1025, 3), (20_000, 127), (20_000, 128), (5000, 2500)])
def test_counts_of_scores(n, p):
    random = np.random.default_rng(n)
    scores = random.integers(0, 3000, (20, n)) / 3000
    scores[:, ::7] = -np.inf
    thresholds = np.sort(random.integers(0, 3000, (20, p)) / 3000, axis=1)
    thresholds[1::2, p // 2 :] = np.inf
    above, at_least = mate_counts(torch.as_tensor(scores).to("cuda"), torch.as_tensor(thresholds).to("cuda"))
    for query in range(20):
        own = np.sort(scores[query])
        assert np.array_equal(above[query].cpu(), n - np.searchsorted(own, thresholds[query], side="right"))
        assert np.array_equal(at_least[query].cpu(), n - np.searchsorted(own, thresholds[query], side="left"))


@pytest.mark.parametrize("d", [3, 128, 512])
def test_scores_of_pairs(d):
    queries, vectors = unit_rows(300, d, 1), unit_rows(2000, d, 2)
    random = np.random.default_rng(0)
    asked, rows = random.integers(0, 300, 100_000), random.integers(0, 2000, 100_000)
    wanted = SCORES["ip"](queries, vectors)[asked, rows]
    assert np.array_equal(pair_scores_cuda(queries, vectors, asked, rows, "cuda"), wanted)
