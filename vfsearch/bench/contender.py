"""One way to do a task, and what is found of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.bench.alternation import Times

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How near an answer is to the oracle's, on the probes that the oracle was asked.

    Args:
        exact: every id and every score is the same number.
        same: share of the ids that are the same, place by place; NaN where there are none.
        error: the greatest difference of a score; NaN where there is none.
    """

    exact: bool
    same: float = NAN
    error: float = NAN


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """One way to do a task.

    Args:
        name: what the table calls it.
        build: makes what is kept from one call to the next, and gives the calls of one turn.
        agreement: of what the calls of one turn gave; None where nothing is found, as by a product alone.
        share: of the task that one turn does; its time is divided by it.
        ours: a kernel of ours; others may fail, and are then left out.
    """

    name: str
    build: Callable[[], Sequence[Callable[[], object]]]
    agreement: Callable[[list], Agreement] | None
    share: float = 1.0
    ours: bool = False


@dataclass(frozen=True, kw_only=True)
class Way:
    """What was found of one way to do a task.

    Args:
        name: what the table calls it.
        ours: a kernel of ours.
        seconds: median time of the whole task, or of one probe for "single".
        times: of the calls as they were made.
        share: of the task that was done; below 1 the seconds are extrapolated.
        build_seconds: to make what is kept.
        kept_bytes, peak_bytes: by which memory rose for what is kept, and at most during one turn; NaN if not known.
        result_bytes: of the peak, what the results take.
        agreement: with the oracle; None where nothing is found.
    """

    name: str
    ours: bool
    seconds: float
    times: Times
    share: float
    build_seconds: float
    kept_bytes: float
    peak_bytes: float
    result_bytes: int
    agreement: Agreement | None


def size_of(answer: object) -> int:
    """Bytes of the arrays in an answer: an array, a tuple or list, or a value with arrays as fields."""
    if isinstance(answer, np.ndarray):
        return answer.nbytes
    if isinstance(answer, (list, tuple)):
        return sum(map(size_of, answer))
    return sum(map(size_of, vars(answer).values())) if hasattr(answer, "__dict__") else 0
