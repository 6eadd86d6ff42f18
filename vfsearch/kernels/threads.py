"""Work shared by threads of Python: compiled loops hold no lock, so they need no OpenMP runtime of their own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from vfsearch.devices import threads

T = TypeVar("T")
R = TypeVar("R")


def shared(work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """What `work` gives for each part, in their order, on as many threads as `devices.threads` says.

    Parts are handed out one after the other, so several to a thread even out what one thread is held up.
    """
    workers = min(threads(), len(parts)) if len(parts) > 1 else 1
    if workers <= 1:
        return [work(part) for part in parts]
    with ThreadPoolExecutor(workers, thread_name_prefix="vfsearch-kernel") as pool:
        return list(pool.map(work, parts))
