"""Rows in temporary files, one a part, so that each part fits in memory."""

import contextlib
import weakref
from pathlib import Path

import numpy as np

from vfsearch.measure.pair_spill import RowFile, temporary_folder


class TemporaryPlace:
    """A folder for temporary files that goes with the object, at the latest when the process ends.

    Raises:
        VfsearchError: the file system refuses.
    """

    def __init__(self) -> None:
        closing = contextlib.ExitStack()
        self.folder = temporary_folder(None, closing)
        self.close = weakref.finalize(self, closing.close)


class PartedRows:
    """Rows that are told apart by a number.

    Args:
        folder: where files go.
        name: that they begin with.
        dtype: of a row.
    """

    def __init__(self, folder: Path, name: str, dtype: np.dtype) -> None:
        self._folder, self._name, self._dtype = folder, name, dtype
        self._files: dict[int, RowFile] = {}

    def add(self, rows: np.ndarray, parts: np.ndarray) -> None:
        """Add rows, each to its part.

        Args:
            rows: (n,) of the dtype.
            parts: (n,) numbers.
        Raises:
            VfsearchError: the disk is full, ...
        """
        order = np.argsort(parts, kind="stable")
        numbers, starts = np.unique(parts[order], return_index=True)
        for number, some in zip(numbers.tolist(), np.split(rows[order], starts[1:]), strict=True):
            if number not in self._files:
                self._files[number] = RowFile(self._folder / f"{self._name}-{number}", self._dtype)
            self._files[number].append(some)

    def __contains__(self, part: int) -> bool:
        return part in self._files

    def take(self, part: int) -> np.ndarray:
        """The rows of a part, in the order in which they were added; none for a part without any.

        Raises:
            VfsearchError: the file cannot be read.
        """
        file = self._files.get(part)
        return np.empty(0, self._dtype) if file is None else next(file.pieces(file.count))

    def remove(self) -> None:
        """Remove all files."""
        for file in self._files.values():
            file.remove()
        self._files.clear()
