"""Rows that lie in several arrays, read as if they were one."""

from collections.abc import Sequence

import numpy as np


class PartedVectors:
    """(n, d) float32 rows in parts, one after another, in memory or mapped; only what is asked for is copied.

    Args:
        parts: (n_i, d) float32 each, at least one.
        rows: (m,) the only ones that are there, by their number among all, in this order; None: all.

    Example:
        >>> rows = PartedVectors([np.zeros((2, 3), np.float32), np.ones((1, 3), np.float32)])
        >>> rows.shape, rows[1:3].tolist(), rows[np.array([2, 0])][:, 0].tolist()
        ((3, 3), [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [1.0, 0.0])
    """

    ndim, dtype = 2, np.dtype(np.float32)

    def __init__(self, parts: Sequence[np.ndarray], rows: np.ndarray | None = None) -> None:
        self.parts, self._rows = list(parts), rows
        self._ends = np.cumsum([len(part) for part in self.parts])
        self.shape = (int(self._ends[-1]) if rows is None else len(rows), self.parts[0].shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    def chosen(self, rows: np.ndarray) -> "PartedVectors":
        """Some rows, in the order given, of which none is copied."""
        rows = np.asarray(rows, dtype=np.int64)
        return PartedVectors(self.parts, rows if self._rows is None else self._rows[rows])

    def __getitem__(self, rows) -> np.ndarray:
        """Copies of a stretch, or of chosen rows in the order given."""
        if isinstance(rows, slice):
            first, last, step = rows.indices(len(self))
            if step == 1:
                return self._stretch(first, max(first, last))
            rows = np.arange(first, last, step)
        rows = np.asarray(rows)
        if rows.ndim == 0:
            return self._chosen(rows[None])[0]
        return self._chosen(np.flatnonzero(rows) if rows.dtype == bool else rows)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        """All rows, copied."""
        return np.asarray(self[:], dtype=dtype)

    def _stretch(self, first: int, last: int) -> np.ndarray:
        if self._rows is not None:
            return self._chosen(np.arange(first, last))
        starts = [0, *self._ends.tolist()]
        pieces = [part[max(first - start, 0) : max(last - start, 0)]
                  for start, part in zip(starts, self.parts, strict=False)]  # fmt: skip
        return np.concatenate(pieces)

    def _chosen(self, rows: np.ndarray) -> np.ndarray:
        rows = np.where(rows < 0, rows + len(self), rows)
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"rows {rows.min()} to {rows.max()} are asked for, there are {len(self)}")
        rows = rows if self._rows is None else self._rows[rows]
        found = np.empty((len(rows), self.shape[1]), np.float32)
        which = np.searchsorted(self._ends, rows, side="right")
        for number in np.unique(which).tolist():
            mine = which == number
            found[mine] = self.parts[number][rows[mine] - (self._ends[number] - len(self.parts[number]))]
        return found
