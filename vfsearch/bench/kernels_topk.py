"""Top-k, of all probes at once and of one at a time: ours and others'."""

from collections.abc import Callable, Sequence

import numpy as np

from vfsearch.bench.contender import Agreement, Contender
from vfsearch.bench.oracle import Oracle
from vfsearch.bench.peers import Search, peers, products
from vfsearch.bench.problem import Problem
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk

MOST_SCORES = 3e8
"""Of one turn of a way that is slower by far; it does a sample of the probes."""
LEAST_PROBES = 64
ONE_BY_ONE = 32


def topk_contenders(problem: Problem, oracle: Oracle) -> list[Contender]:
    """Ours first, with the gallery made ready beforehand, as an index of others is, and from plain rows."""
    everyone = np.arange(problem.task.probes)
    most = max(LEAST_PROBES, int(MOST_SCORES / problem.task.rows))
    sample = np.union1d(oracle.probes, everyone[:most])
    found = [_at_once(name, make, problem, oracle, everyone, True) for name, make in _ours(problem).items()]
    for name, make in peers(problem).items():
        found.append(_at_once(name, make, problem, oracle, everyone if "faiss" in name else sample, False))
    return [*found, *product_contenders(problem)]


def single_contenders(problem: Problem, oracle: Oracle) -> list[Contender]:
    """The same, asked with one probe after the other."""
    probes = np.union1d(oracle.probes, np.arange(min(ONE_BY_ONE, problem.task.probes)))
    found = [_one_by_one(name, make, problem, oracle, probes, True) for name, make in _ours(problem).items()]
    return [
        *found,
        *(_one_by_one(name, make, problem, oracle, probes, False) for name, make in peers(problem).items()),
    ]


def product_contenders(problem: Problem) -> list[Contender]:
    """What a way that writes all float32 scores down cannot be quicker than."""
    return [
        Contender(name=name, build=lambda make=make: [make()], agreement=None)
        for name, make in products(problem).items()
    ]


def _ours(problem: Problem) -> dict[str, Callable[[], Search]]:
    return {
        "vfsearch, gallery prepared": lambda: _prepared(problem),
        "vfsearch, from plain rows": lambda: _plain(problem),
    }


def _prepared(problem: Problem) -> Search:
    gallery = search_gallery(problem.held, problem.device, metric=problem.metric)
    # What is kept is made by the first search.
    topk(problem.queries[:1], gallery, problem.task.k)

    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = topk(queries, gallery, problem.task.k)
        return found.rows, found.scores

    return search


def _plain(problem: Problem) -> Search:
    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = topk(queries, problem.held, problem.task.k, device=problem.device, metric=problem.metric)
        return found.rows, found.scores

    return search


def _at_once(
    name: str, make: Callable[[], Search], problem: Problem, oracle: Oracle, probes: np.ndarray, ours: bool
) -> Contender:
    queries = problem.queries[probes] if len(probes) < len(problem.queries) else problem.queries

    def build() -> Sequence[Callable[[], object]]:
        search = make()
        return [lambda: search(queries)]

    def agreement(answers: list) -> Agreement:
        return oracle.of_neighbors(probes, *answers[0])

    share = len(probes) / problem.task.probes
    return Contender(name=name, build=build, agreement=agreement, share=share, ours=ours)


def _one_by_one(
    name: str, make: Callable[[], Search], problem: Problem, oracle: Oracle, probes: np.ndarray, ours: bool
) -> Contender:
    def build() -> Sequence[Callable[[], object]]:
        search = make()
        return [lambda probe=probe: search(problem.queries[probe : probe + 1]) for probe in probes]

    def agreement(answers: list) -> Agreement:
        return oracle.of_neighbors(probes, *(np.concatenate(each) for each in zip(*answers, strict=True)))

    return Contender(name=name, build=build, agreement=agreement, ours=ours)
