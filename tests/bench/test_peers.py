import numpy as np
import pytest

from vfsearch.bench.oracle import Oracle
from vfsearch.bench.peers import peers, products, versions
from vfsearch.bench.problem import make_problem
from vfsearch.bench.settings import KernelBench, Task


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("k", [1, 5, 70])
def test_others_find_what_the_oracle_finds(metric, k):
    problem = make_problem(Task(kernel="topk", rows=60, probes=9, k=k), KernelBench(dimension=8, metric=metric))
    oracle = Oracle(problem)
    found = peers(problem)
    assert {"torch matmul + topk", "numpy product + argpartition"} <= set(found)
    for name, make in found.items():
        rows, scores = make()(problem.queries)
        places = slice(0, min(k, 60))
        agreement = oracle.of_neighbors(np.arange(9), rows[:, places], scores[:, places])
        assert agreement.same > 0.98 and agreement.error < 1e-5, name


def test_products_of_all():
    problem = make_problem(Task(kernel="ranks", rows=60, probes=9), KernelBench(dimension=8))
    for make in products(problem).values():
        assert make()() is None


def test_versions_of_what_is_installed():
    assert {"vfsearch", "numpy", "torch", "numba"} <= set(versions())
