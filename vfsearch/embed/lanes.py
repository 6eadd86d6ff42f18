"""Work in threads of this process that must keep its order: batches to encode, shards to write."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Self


class Lanes:
    """Several calls at once, their results in the order in which they were asked for.

    Args:
        count: how many at once.
        begin: called first in each thread.
    """

    def __init__(self, count: int, begin: Callable[[], object] | None = None) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, "vfsearch-embed", initializer=begin)
        self._asked: deque[Future] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        _wait_for(self._asked)

    def submit(self, work: Callable, *arguments: object) -> Future:
        """Begin a call as soon as a thread is free."""
        while self._asked and self._asked[0].done():
            self._asked.popleft()
        self._asked.append(self._pool.submit(work, *arguments))
        return self._asked[-1]


class Behind:
    """Calls one after another in a thread of their own, at most a few behind; leaving the block waits for them.

    Args:
        most: how many may wait.
    """

    def __init__(self, most: int = 2) -> None:
        self._pool, self._pending, self._most = ThreadPoolExecutor(1, "vfsearch-write"), deque(), most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, *exception: object) -> None:
        self._pool.shutdown(wait=False)
        _wait_for(self._pending)
        if kind is None:
            self._settle(0)

    def __call__(self, work: Callable, *arguments: object) -> None:
        """Ask for a call; an error of an earlier one is raised here."""
        self._settle(self._most - 1)
        self._pending.append(self._pool.submit(work, *arguments))

    def _settle(self, left: int) -> None:
        while len(self._pending) > left or (self._pending and self._pending[0].done()):
            self._pending.popleft().result()


def _wait_for(calls: Iterable[Future]) -> None:
    """Wait for calls that were not cancelled, never for their threads.

    An interrupt while Python 3.11 or 3.12 waits for a thread makes it take the thread for ended; it would not wait for
    it at its own end either, where a thread that is inside HDF5 holds the lock that the last objects need.
    """
    wait([call for call in calls if not call.cancelled()])
