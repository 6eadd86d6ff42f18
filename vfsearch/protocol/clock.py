"""Timing a protocol: in batches, and one probe at a time."""

import time
from collections.abc import Callable

import numpy as np

SINGLES = 200


def timed(work: Callable[[], object]) -> tuple[object, float]:
    """What `work` gives, and the seconds it took."""
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def single_latency(ask: Callable[[int], object], count: int, singles: int = SINGLES) -> tuple[float, float]:
    """Median and 95th percentile of the seconds that one question takes when it comes alone.

    Args:
        ask: asks question number i.
        count: how many questions there are.
        singles: how many of them to ask, spread evenly; the first is asked once before, to warm up.
    Returns:
        Seconds; NaN when there is no question.
    """
    if not count:
        return float("nan"), float("nan")
    chosen = np.unique(np.linspace(0, count - 1, min(count, singles)).astype(int))
    ask(int(chosen[0]))
    seconds = [timed(lambda number=number: ask(int(number)))[1] for number in chosen]
    median, late = np.percentile(seconds, [50, 95])
    return float(median), float(late)
