"""One task done in every way, by turns, in one run."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from vfsearch.bench.alternation import Times, by_turns
from vfsearch.bench.contender import Agreement, Contender, Way, size_of
from vfsearch.bench.kernels_pairs import pairs_contenders
from vfsearch.bench.kernels_ranks import ranks_contenders
from vfsearch.bench.kernels_topk import single_contenders, topk_contenders
from vfsearch.bench.memory import rise
from vfsearch.bench.oracle import Oracle
from vfsearch.bench.problem import Problem, make_problem
from vfsearch.bench.settings import KernelBench, Task
from vfsearch.progress import Progress, silent

CONTENDERS: dict[str, Callable[[Problem, Oracle], list[Contender]]] = {
    "topk": topk_contenders,
    "ranks": ranks_contenders,
    "pairs": pairs_contenders,
    "single": single_contenders,
}
SMALL_ROWS, SMALL_PROBES, SMALL_PAIRS = 8192, 256, 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ready:
    contender: Contender
    calls: Sequence[Callable[[], object]]
    build_seconds: float
    kept_bytes: float
    peak_bytes: float
    result_bytes: int
    agreement: Agreement | None


def measure(task: Task, settings: KernelBench, progress: Progress = silent) -> tuple[list[Way], list[str]]:
    """The ways to do a task, ours first, and which were left out, with the reason.

    Every way is made ready and run once, during which memory is looked at and the answer checked; then all are timed.
    """
    compile_kernels(task, settings)
    problem = make_problem(task, settings)
    oracle = Oracle(problem)
    contenders = CONTENDERS[task.kernel](problem, oracle)
    steps = _steps(task.name, len(contenders) * (1 + settings.runs), progress)
    ready, left_out = [], []
    for contender in contenders:
        with _leaving_out(contender, left_out):
            ready.append(_make_ready(contender, settings.device))
        next(steps)
    turns = [each.calls for each in ready]
    times = by_turns(turns, settings.runs, waiting(settings.device), lambda: next(steps))
    progress(task.name, 1, 1)
    return [_way(*each) for each in zip(ready, times, strict=True)], left_out


def compile_kernels(task: Task, settings: KernelBench) -> None:
    """Do a small task of the same kind, so that no build and no run waits for a compiler or for threads to start."""
    small = replace(task, rows=min(task.rows, SMALL_ROWS + 16 * task.k), probes=min(task.probes, SMALL_PROBES))
    problem = make_problem(small, replace(settings, pairs=min(settings.pairs, SMALL_PAIRS)))
    for contender in CONTENDERS[task.kernel](problem, Oracle(problem)):
        with _leaving_out(contender, []):
            for call in contender.build():
                call()


def waiting(device: str) -> Callable[[], None]:
    """What waits until a device has done what it was told."""
    return (lambda: None) if device == "cpu" else lambda: torch.cuda.synchronize(device)


@contextlib.contextmanager
def _leaving_out(contender: Contender, left_out: list[str]) -> Iterator[None]:
    """Another's way may not be able to do a task, for example for want of memory; ours must."""
    try:
        yield
    except (MemoryError, RuntimeError, ValueError) as error:
        if contender.ours:
            raise
        _log.debug("%s left out", contender.name, exc_info=True)
        left_out.append(f"{contender.name}: {str(error).strip().splitlines()[0] if str(error) else 'out of memory'}")


def _make_ready(contender: Contender, device: str) -> _Ready:
    start = time.perf_counter()
    calls, kept = rise(contender.build, device)
    seconds = time.perf_counter() - start
    answers, peak = rise(lambda: [call() for call in calls], device)
    return _Ready(
        contender=contender,
        calls=calls,
        build_seconds=seconds,
        kept_bytes=kept,
        peak_bytes=peak,
        result_bytes=size_of(answers),
        agreement=contender.agreement(answers) if contender.agreement else None,
    )


def _way(ready: _Ready, times: Times) -> Way:
    return Way(
        name=ready.contender.name,
        ours=ready.contender.ours,
        seconds=times.median / ready.contender.share,
        times=times,
        share=ready.contender.share,
        build_seconds=ready.build_seconds,
        kept_bytes=ready.kept_bytes,
        peak_bytes=ready.peak_bytes,
        result_bytes=ready.result_bytes,
        agreement=ready.agreement,
    )


def _steps(name: str, total: int, progress: Progress) -> Iterator[None]:
    done = 0
    while True:
        progress(name, min(done, total), total)
        done += 1
        yield
