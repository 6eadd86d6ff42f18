"""Timing a protocol: in batches, and one probe at a time."""

import time
from collections.abc import Callable

import numpy as np

SINGLES = 200
REPEAT_SECONDS = 0.3
REPEATS = 20
ONCE_SECONDS = 10 * REPEAT_SECONDS
"""What takes longer is done once; what takes less may have spent that on what only the first call has to do."""


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What `work` gives, and the seconds it takes: the median of several runs when one is short.

    Work of less than `ONCE_SECONDS` is done once before, to warm up, and, where it is short, repeated for
    `REPEAT_SECONDS`.
    """
    result, first = _once(work)
    if first > ONCE_SECONDS:
        return result, first
    seconds: list[float] = []
    while sum(seconds) < REPEAT_SECONDS and len(seconds) < REPEATS:
        seconds.append(_once(work)[1])
    return result, float(np.median(seconds))


def _once(work: Callable[[], object]) -> tuple[object, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def single_latency(ask: Callable[[int], object], count: int, singles: int = SINGLES) -> tuple[float, float, float]:
    """Median, 95th and 99th percentile of the seconds that one question takes when it comes alone.

    Args:
        ask: asks question number i.
        count: how many questions there are.
        singles: how many of them to ask, spread evenly; the first is asked once before, to warm up.
    Returns:
        Seconds; NaN when there is no question.
    """
    if not count:
        return (float("nan"),) * 3
    chosen = np.unique(np.linspace(0, count - 1, min(count, singles)).astype(int))
    ask(int(chosen[0]))
    seconds = [_once(lambda number=number: ask(int(number)))[1] for number in chosen]
    median, late, latest = np.percentile(seconds, [50, 95, 99])
    return float(median), float(late), float(latest)
