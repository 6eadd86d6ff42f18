"""The samples of one modality by row number: decoded when they are asked for, kept while there is room."""

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError
from contextlib import closing
from typing import Protocol

import numpy as np

from vfsearch.media.preparation import Failure, Prepared, Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.train.sample_cache import SampleCache

logger = logging.getLogger(__name__)

CACHE_BYTES = 2 * 2**30
Stopped = Callable[[], bool]


def never() -> bool:
    """Nothing stops the work."""
    return False


class Source(Protocol):
    """The items of one modality; several threads may ask at once."""

    failures: dict[int, Failure]
    """What is known of the rows that gave no sample."""

    def samples(self, rows: Sequence[int], stopped: Stopped = never) -> list[np.ndarray | Failure]:
        """The sample of each row, or why there is none.

        Args:
            rows: row numbers; a row may come twice.
            stopped: asked after each file; once it is true, the work ends with `CancelledError`.
        """

    def name(self, row: int) -> str:
        """What to call an item in messages."""


class MediaSource:
    """Media files, decoded in processes that may die.

    Each distinct row of a call is decoded once, and not at all if the cache still has it. A row that failed is not
    tried again: what it gave stays its answer until the end of the process. Samples are read-only, because others may
    get the same array.

    Args:
        tasks: of every row.
        workers: of the modality's preparation; whoever made them closes them, after the last use of the source.
        cache_bytes: the most memory that samples kept for later take.
    Raises:
        SettingsError: `cache_bytes` is negative.
    """

    def __init__(self, tasks: Sequence[Task], workers: PreparationWorkers, cache_bytes: int = CACHE_BYTES) -> None:
        self._tasks, self._workers = tasks, workers
        self._cache = SampleCache(cache_bytes)
        self.failures: dict[int, Failure] = {}

    def samples(self, rows: Sequence[int], stopped: Stopped = never) -> list[np.ndarray | Failure]:
        """See `Source`.

        Raises:
            VfsearchError: the worker processes cannot start.
        """
        rows = [int(row) for row in rows]
        found = {row: self._known(row) for row in rows}
        missing = [row for row, sample in found.items() if sample is None]
        found.update(self._decoded(missing, stopped))
        return [found[row] for row in rows]

    def name(self, row: int) -> str:
        """The path, and the part of it if it is one."""
        task = self._tasks[row]
        part = (task.start_seconds, task.end_seconds)
        return f"{task.path}" if part == (None, None) else f"{task.path} ({part[0] or 0:g} s to {_end(part[1])})"

    def _known(self, row: int) -> np.ndarray | Failure | None:
        return self.failures[row] if row in self.failures else self._cache.get(row)

    def _decoded(self, rows: Sequence[int], stopped: Stopped) -> Iterable[tuple[int, np.ndarray | Failure]]:
        with closing(self._workers.prepare(self._tasks[row] for row in rows)) as results:
            for row, result in zip(rows, results, strict=True):
                # processes that are killed at the end must not leave their files behind as failed
                if stopped():
                    raise CancelledError
                yield row, self._kept(row, result)

    def _kept(self, row: int, result: Prepared | Failure) -> np.ndarray | Failure:
        if isinstance(result, Failure):
            logger.info("%s: %s", self.name(row), result.reason)
            self.failures[row] = result
            return result
        result.sample.flags.writeable = False
        self._cache.put(row, result.sample)
        return result.sample


def _end(seconds: float | None) -> str:
    return "the end" if seconds is None else f"{seconds:g} s"
