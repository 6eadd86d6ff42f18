"""Timing by turns: A, B, A, B, so that what else a shared machine does hits all ways alike."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds of one call.

    Args:
        median, least, most: of all calls.
        p95: the least that 95 % of the calls stayed within.
        processor: median processor time, of all threads together; what else ran on the machine is not in it.
        calls: how many.
    """

    median: float
    least: float
    most: float
    p95: float
    processor: float
    calls: int


def by_turns(
    ways: Sequence[Sequence[Callable[[], object]]], runs: int, finish: Callable[[], None], step: Callable[[], None]
) -> list[Times]:
    """Time the calls of every way, one way after the other, several times over.

    Args:
        ways: the calls that one turn of each consists of; they were warmed up.
        runs: turns of each.
        finish: waits until the device has done what a call began.
        step: called after each turn.

    Example:
        >>> [len_, sum_] = by_turns([[lambda: len("a")], [lambda: sum([1])] * 2], 3, lambda: None, lambda: None)
        >>> len_.calls, sum_.calls
        (3, 6)
    """
    seconds: list[list[tuple[float, float]]] = [[] for _ in ways]
    for _ in range(runs):
        for found, calls in zip(seconds, ways, strict=True):
            found.extend(seconds_of(call, finish) for call in calls)
            step()
    return [_times(found) for found in seconds]


def seconds_of(call: Callable[[], object], finish: Callable[[], None]) -> tuple[float, float]:
    """How long one call takes, by the clock and by the processors."""
    finish()
    worked, start = time.process_time(), time.perf_counter()
    call()
    finish()
    return time.perf_counter() - start, time.process_time() - worked


def _times(found: list[tuple[float, float]]) -> Times:
    ascending = sorted(seconds for seconds, _ in found)
    return Times(
        median=statistics.median(ascending),
        least=ascending[0],
        most=ascending[-1],
        p95=ascending[-(-95 * len(ascending) // 100) - 1],
        processor=statistics.median(seconds for _, seconds in found),
        calls=len(ascending),
    )
