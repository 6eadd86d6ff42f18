"""Work in threads of this process that must keep its order: batches to encode, shards to write."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, work: Callable, *arguments: object) -> Future:
        """Begin a call as soon as a thread is free."""
        return self._pool.submit(work, *arguments)


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
        self._pool.shutdown(wait=True)
        if kind is None:
            self._settle(0)

    def __call__(self, work: Callable, *arguments: object) -> None:
        """Ask for a call; an error of an earlier one is raised here."""
        self._settle(self._most - 1)
        self._pending.append(self._pool.submit(work, *arguments))

    def _settle(self, left: int) -> None:
        while len(self._pending) > left or (self._pending and self._pending[0].done()):
            self._pending.popleft().result()
