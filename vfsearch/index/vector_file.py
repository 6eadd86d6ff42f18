"""The rows of an index in their file: read in pieces, or mapped."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfsearch.errors import DamagedError

ROWS_AT_ONCE = 65_536


class VectorFile:
    """(n, d) float32 rows in a .npy file.

    Reading in pieces keeps no more of the file in memory than the pieces; a map's pages count as the process's memory
    once they are touched.

    Args:
        path: of the file.
    Raises:
        DamagedError: it holds no such rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            try:
                np.lib.format.read_magic(file)
                shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
            except ValueError as error:
                raise DamagedError(f"{path} holds no rows: {error}") from error
            self._start = file.tell()
        if fortran or dtype != np.dtype("<f4") or len(shape) != 2:
            raise DamagedError(f"{path} holds {dtype} {shape}, wanted float32 rows")
        self.shape: tuple[int, int] = shape

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, start: int, stop: int) -> np.ndarray:
        """(stop - start, d) rows, in memory of their own."""
        rows = np.empty((max(0, min(stop, len(self)) - start), self.shape[1]), np.float32)
        with self.path.open("rb", buffering=0) as file:
            file.seek(self._start + start * self.shape[1] * 4)
            left = memoryview(rows).cast("B") if rows.size else b""
            while left:
                left = left[file.readinto(left) or self._short() :]
        return rows

    def _short(self) -> int:
        raise DamagedError(f"{self.path} is shorter than its header says")

    def blocks(self, rows: int = ROWS_AT_ONCE) -> Iterator[tuple[int, np.ndarray]]:
        """(first row, rows) of each piece in turn."""
        return ((start, self.read(start, start + rows)) for start in range(0, len(self), rows))

    def sample(self, count: int, seed: int) -> np.ndarray:
        """(m, d) rows drawn from all over the file, each at most once, in their order; all where there are no more."""
        if count >= len(self):
            return self.read(0, len(self))
        chosen = np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False, shuffle=False))
        parts = [rows[chosen[slice(*np.searchsorted(chosen, [start, start + len(rows)]))] - start]
                 for start, rows in self.blocks()]  # fmt: skip
        return np.concatenate(parts)

    def mapped(self) -> np.ndarray:
        """(n, d) rows as they lie in the file."""
        # Copy-on-write: torch wants memory that could be written to, and the file stays as it is.
        return np.load(self.path, mmap_mode="c", allow_pickle=False)

    def forget(self) -> None:
        """Tell the system that pages of this file need not stay in its cache."""
        with self.path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def npy_header(shape: tuple[int, int]) -> bytes:
    """What stands before float32 rows in a .npy file."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
    return file.getvalue()
