import numpy as np
import pytest
import torch

from vfsearch.bench.problem import make_problem
from vfsearch.bench.settings import KernelBench, Task

TASK = Task(kernel="topk", rows=300, probes=20, k=3)


@pytest.mark.parametrize(
    ("dtype", "held"), [("float32", np.float32), ("float16", np.float16), ("bf16", torch.bfloat16)]
)
def test_rows_are_held_as_asked_and_known_as_float32(dtype, held):
    found = make_problem(TASK, KernelBench(dimension=16, dtype=dtype))
    assert found.held.dtype == held and found.vectors.dtype == np.float32 and found.vectors.shape == (300, 16)
    same = found.held.float().numpy() if dtype == "bf16" else found.held.astype(np.float32)
    assert np.array_equal(same, found.vectors)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=1e-2)


def test_distances_are_of_rows_of_any_length():
    lengths = np.linalg.norm(make_problem(TASK, KernelBench(metric="l2")).vectors, axis=1)
    assert lengths.std() > 0.01 and lengths.mean() == pytest.approx(1, abs=0.1)
    ranks = make_problem(Task(kernel="ranks", rows=300, probes=20), KernelBench(metric="l2"))
    assert ranks.metric == "ip" and np.linalg.norm(ranks.vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_seed_decides():
    first, again, other = (make_problem(TASK, KernelBench(seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.vectors, again.vectors) and not np.array_equal(first.vectors, other.vectors)


def test_only_pairs_have_pairs():
    pairs = make_problem(Task(kernel="pairs", rows=9, probes=2), KernelBench(pairs=5))
    assert len(pairs.rows) == len(pairs.query_rows) == 5 and pairs.rows.max() < 9 and pairs.query_rows.max() < 2
    assert len(make_problem(TASK, KernelBench()).rows) == 0
