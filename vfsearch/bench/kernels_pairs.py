"""Scores of listed pairs: ours, and gathered rows multiplied in blocks."""

from collections.abc import Callable

import numpy as np
import torch

from vfsearch.bench.contender import Contender
from vfsearch.bench.oracle import Oracle
from vfsearch.bench.problem import Problem
from vfsearch.kernels.pairs import pair_scores

PAIRS_AT_ONCE = 2**14


def pairs_contenders(problem: Problem, oracle: Oracle) -> list[Contender]:
    """Ours first."""
    ways = {"vfsearch pair_scores": _ours, "torch gather + einsum": _torch}
    if problem.device == "cpu":
        ways["numpy gather + einsum"] = _numpy
    return [
        Contender(name=name, build=lambda make=make: [make(problem)], ours=make is _ours,
                  agreement=lambda answers: oracle.of_pair_scores(answers[0]))
        for name, make in ways.items()
    ]  # fmt: skip


def _ours(problem: Problem) -> Callable[[], np.ndarray]:
    queries, vectors = problem.queries, problem.held
    if problem.device != "cpu":
        # As the other way has them there.
        queries, vectors = (torch.as_tensor(each).to(problem.device) for each in (queries, vectors))
    return lambda: pair_scores(queries, vectors, problem.query_rows, problem.rows, problem.device)


def _numpy(problem: Problem) -> Callable[[], np.ndarray]:
    def scores() -> np.ndarray:
        found = np.empty(len(problem.rows), dtype=np.float32)
        for part in _parts(problem):
            left, right = problem.queries[problem.query_rows[part]], problem.vectors[problem.rows[part]]
            np.einsum("td,td->t", left, right, out=found[part])
        return found

    return scores


def _torch(problem: Problem) -> Callable[[], np.ndarray]:
    queries, vectors, query_rows, rows = (
        torch.from_numpy(each).to(problem.device)
        for each in (problem.queries, problem.vectors, problem.query_rows, problem.rows)
    )

    def scores() -> np.ndarray:
        found = [torch.einsum("td,td->t", queries[query_rows[part]], vectors[rows[part]]) for part in _parts(problem)]
        return torch.cat(found).cpu().numpy()

    return scores


def _parts(problem: Problem) -> list[slice]:
    return [slice(start, start + PAIRS_AT_ONCE) for start in range(0, len(problem.rows), PAIRS_AT_ONCE)]
