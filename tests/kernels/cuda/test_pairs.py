import numpy as np
import pytest
import torch
from builders import unit_rows
from oracles import SCORES

from vfsearch.kernels.cuda import pairs as module
from vfsearch.kernels.cuda.pair_decision import exact_scores
from vfsearch.kernels.cuda.pairs import pair_scores_cuda


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("d", [1, 7, 128, 200])
def test_exact_scores_are_the_definition(metric, dtype, d):
    queries, vectors = unit_rows(9, d, 1), torch.as_tensor(unit_rows(40, d, 2)).to(dtype)
    asked, rows = torch.arange(100) % 9, torch.arange(100) * 7 % 40
    found = exact_scores(torch.as_tensor(queries), vectors, asked, rows, metric)
    assert np.array_equal(found, SCORES[metric](queries, vectors)[asked, rows])


@pytest.mark.parametrize("memory", [2**30, 100_000])
@pytest.mark.parametrize("tensors", [False, True])
def test_pairs_in_any_memory(monkeypatch, memory, tensors):
    monkeypatch.setattr(module, "memory_of", lambda device, most: memory)
    queries, vectors = unit_rows(300, 65, 1), unit_rows(200, 65, 2)
    random = np.random.default_rng(0)
    asked, rows = random.integers(0, 300, 3000), random.integers(0, 200, 3000)
    held = torch.as_tensor(vectors) if tensors else vectors
    wanted = SCORES["ip"](queries, vectors)[asked, rows]
    assert np.array_equal(pair_scores_cuda(queries, held, asked, rows, "cpu"), wanted)
    assert np.array_equal(pair_scores_cuda(queries, held, asked.astype(np.uint16), rows, "cpu"), wanted)
    assert len(pair_scores_cuda(queries, held, asked[:0], rows[:0], "cpu")) == 0
