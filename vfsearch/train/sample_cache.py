"""Prepared samples kept in memory, so that a corpus that fits is decoded once."""

import threading
from collections import OrderedDict

import numpy as np

from vfsearch.errors import SettingsError


class SampleCache:
    """Samples by row, within a number of bytes: those used longest ago leave first.

    Several threads may use it at once. What it gives is shared with its other users: not to be written to.

    Args:
        bytes: the most that all samples together take (their `nbytes`); 0: none is kept.

    Example:
        >>> cache = SampleCache(16)
        >>> for row in range(3):
        ...     cache.put(row, np.zeros(8, np.uint8))
        >>> cache.get(0) is None, cache.get(2) is None, cache.bytes_held
        (True, False, 16)
    """

    def __init__(self, bytes: int) -> None:
        if bytes < 0:
            raise SettingsError(f"the cache of samples is to hold {bytes} bytes, it must be 0 or more")
        self._most = bytes
        self._samples: OrderedDict[int, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()
        self.bytes_held = 0

    def get(self, row: int) -> np.ndarray | None:
        """The sample of a row, or None."""
        with self._lock:
            if row in self._samples:
                self._samples.move_to_end(row)
            return self._samples.get(row)

    def put(self, row: int, sample: np.ndarray) -> None:
        """Keep a sample; one that is larger than the cache is not kept."""
        sample = _alone(sample)
        with self._lock:
            self._drop(row)
            if sample.nbytes > self._most:
                return
            while self.bytes_held + sample.nbytes > self._most:
                self._drop(next(iter(self._samples)))
            self._samples[row] = sample
            self.bytes_held += sample.nbytes

    def _drop(self, row: int) -> None:
        if row in self._samples:
            self.bytes_held -= self._samples.pop(row).nbytes


def _alone(sample: np.ndarray) -> np.ndarray:
    """The sample without the larger array that it is a part of, which would stay in memory with it."""
    whole = sample.base
    if not isinstance(whole, np.ndarray) or whole.nbytes <= sample.nbytes:
        return sample
    copy = sample.copy()
    copy.flags.writeable = sample.flags.writeable
    return copy
