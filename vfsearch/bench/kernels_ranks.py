"""Ranks of all mates in the whole gallery: ours, and a sort for each probe as published code does it."""

from collections.abc import Callable, Sequence

import numpy as np

from vfsearch.bench.contender import Agreement, Contender
from vfsearch.bench.kernels_topk import product_contenders
from vfsearch.bench.oracle import Oracle
from vfsearch.bench.problem import Problem
from vfsearch.data.ranks import MateRanks
from vfsearch.kernels.ranks import mate_ranks, rank_gallery

MOST_SORTED, LEAST_PROBES, MOST_PROBES = 1e7, 4, 100


def ranks_contenders(problem: Problem, oracle: Oracle) -> list[Contender]:
    """Ours first, with the gallery made ready beforehand and from plain rows."""
    found = [
        Contender(name="vfsearch, gallery prepared", build=lambda: [_prepared(problem)],
                  agreement=lambda answers: oracle.of_ranks(answers[0]), ours=True),
        Contender(name="vfsearch, from plain rows", build=lambda: [_plain(problem)],
                  agreement=lambda answers: oracle.of_ranks(answers[0]), ours=True),
    ]  # fmt: skip
    if problem.device == "cpu":
        found.append(_sorting(problem, oracle))
    return [*found, *product_contenders(problem)]


def _prepared(problem: Problem) -> Callable[[], MateRanks]:
    gallery = rank_gallery(problem.held, problem.identities, problem.device)
    return lambda: mate_ranks(problem.queries, gallery, problem.query_identities, problem.identities)


def _plain(problem: Problem) -> Callable[[], MateRanks]:
    return lambda: mate_ranks(
        problem.queries, problem.held, problem.query_identities, problem.identities, device=problem.device
    )


def _sorting(problem: Problem, oracle: Oracle) -> Contender:
    most = int(min(MOST_PROBES, max(LEAST_PROBES, MOST_SORTED / problem.task.rows)))
    probes = np.union1d(oracle.probes, np.arange(min(most, problem.task.probes)))

    def places() -> list[np.ndarray]:
        found = []
        for probe in probes:
            order = np.argsort(-(problem.vectors @ problem.queries[probe]), kind="stable")
            found.append(np.flatnonzero(problem.identities[order] == problem.query_identities[probe]))
        return found

    def build() -> Sequence[Callable[[], object]]:
        return [places]

    def agreement(answers: list) -> Agreement:
        return oracle.of_places(probes, answers[0])

    share = len(probes) / problem.task.probes
    return Contender(name="numpy argsort of each probe's scores", build=build, agreement=agreement, share=share)
