"""How time and memory grow with the number of scores: to be linear, and flat."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from vfsearch.bench.alternation import by_turns
from vfsearch.bench.contender import size_of
from vfsearch.bench.measuring import compile_kernels, waiting
from vfsearch.bench.memory import rise
from vfsearch.bench.oracle import Oracle
from vfsearch.bench.problem import Problem, make_problem
from vfsearch.bench.report import Growth, GrowthPoint
from vfsearch.bench.settings import KernelBench, Task
from vfsearch.kernels.rank_gallery import rank_gallery
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk
from vfsearch.progress import Progress, silent

FIRST, MOST = 1e8, 1e11
ANY_MEMORY = 2**62
ROWS_A_PROBE = 1000
"""So many that what a probe costs whatever the gallery (its first rows, its results) counts for little."""


def growing_tasks(kernel: str, settings: KernelBench, most: float) -> list[Task]:
    """Sizes from 10^8 scores (a thousandth of `most`, if that is under 10^9) to `most`, each 3.2 times the last."""
    first = FIRST if most >= 10 * FIRST else most / 1000
    steps = int(2 * math.log10(most / first) + 1e-9)
    found = []
    for step in range(steps + 1):
        rows = max(1, round(math.sqrt(ROWS_A_PROBE * first * 10 ** (step / 2))))
        k = (10 if 10 in settings.k else settings.k[0]) if kernel == "topk" else 0
        found.append(Task(kernel=kernel, rows=rows, probes=max(1, round(rows / ROWS_A_PROBE)), k=k))
    return found


def measure_growth(kernel: str, settings: KernelBench, most: float = MOST, progress: Progress = silent) -> Growth:
    """Time, memory and exactness of one kernel, in galleries made ready beforehand, at growing sizes.

    Args:
        kernel: topk or ranks.
        settings: of them rows, probes and pairs do not count, and of k only 10, or the first.
        most: scores of the largest size.
        progress: told of each run.
    """
    tasks = growing_tasks(kernel, settings, most)
    compile_kernels(tasks[0], settings)
    largest = make_problem(tasks[-1], settings)
    name, total, done = f"growth of {kernel}", len(tasks) * (1 + settings.runs), 0

    def step() -> None:
        nonlocal done
        done += 1
        progress(name, done, total)

    points = [_point(_first_of(largest, task), settings, step) for task in tasks]
    return Growth(kernel=kernel, points=tuple(points), exponent=_exponent(points))


def _first_of(largest: Problem, task: Task) -> Problem:
    """The first rows and probes of a larger problem, with identities of its own, so that mates stay as many."""
    random = np.random.default_rng(largest.settings.seed)
    people = max(2, task.rows // largest.settings.mates)
    return replace(
        largest,
        task=task,
        queries=largest.queries[: task.probes],
        held=largest.held[: task.rows],
        vectors=largest.vectors[: task.rows],
        query_identities=random.integers(0, people, task.probes),
        identities=random.integers(0, people, task.rows),
    )


def _call(problem: Problem) -> Callable[[], object]:
    """The search, in a gallery that is made ready here."""
    if problem.task.kernel == "ranks":
        ranked = rank_gallery(problem.held, problem.identities, problem.device, max_memory=ANY_MEMORY)
        return lambda: mate_ranks(problem.queries, ranked, problem.query_identities, problem.identities)
    searched = search_gallery(problem.held, problem.device, metric=problem.metric)
    topk(problem.queries[:1], searched, problem.task.k)
    return lambda: topk(problem.queries, searched, problem.task.k)


def _point(problem: Problem, settings: KernelBench, step: Callable[[], None]) -> GrowthPoint:
    call, kept = rise(lambda: _call(problem), problem.device)
    answer, peak = rise(call, problem.device)
    step()
    (times,) = by_turns([[call]], settings.runs, waiting(settings.device), step)
    oracle = Oracle(problem)
    if problem.task.kernel == "ranks":
        agreement = oracle.of_ranks(answer)
    else:
        agreement = oracle.of_neighbors(np.arange(problem.task.probes), answer.rows, answer.scores)
    return GrowthPoint(
        probes=problem.task.probes,
        rows=problem.task.rows,
        seconds=times.median,
        peak_bytes=peak,
        kept_bytes=kept,
        result_bytes=size_of(answer),
        exact=agreement.exact,
    )


def _exponent(points: list[GrowthPoint]) -> float:
    if len(points) < 2:
        return math.nan
    logarithms = np.log([[point.scores, point.seconds] for point in points])
    return float(np.polyfit(logarithms[:, 0], logarithms[:, 1], 1)[0])
