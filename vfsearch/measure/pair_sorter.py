"""Verification trials from the highest score to the lowest, a bounded number in memory at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfsearch.measure.pair_spill import RowFile, temporary_folder


class PairSorter:
    """Sorts rows of trials by score through files, each of one range of scores. A context manager.

    The first rows say where to cut; a file that gets too long is cut again at a score that it holds, and what has that
    very score needs no sorting.

    Args:
        expected: about how many rows will come.
        most: rows that are sorted in memory at a time.
        folder: where files go, None for the system's folder of temporary files.
    """

    def __init__(self, expected: int, most: int, folder: Path | None = None) -> None:
        self._expected, self._most, self._folder = expected, most, folder
        self._closing = contextlib.ExitStack()
        self._place: Path | None = None
        self._waiting: list[np.ndarray] = []
        self._cuts: np.ndarray | None = None
        self._files: list[RowFile] = []
        self._made = 0

    def __enter__(self) -> "PairSorter":
        self._place = temporary_folder(self._folder, self._closing)
        return self

    def __exit__(self, *_error: object) -> None:
        self._closing.close()

    def add(self, rows: np.ndarray) -> None:
        """Add rows in any order."""
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= self._most:
            self._flush()

    def pieces(self) -> Iterator[np.ndarray]:
        """Every row once, by descending score, at most `most` rows a piece; equal scores may be cut apart."""
        if self._cuts is None:
            if self._waiting:
                yield _descending(np.concatenate(self._waiting))
            return
        self._flush()
        for file in self._files:
            yield from self._sorted(file)

    def _flush(self) -> None:
        """Write what waits to the files of its scores."""
        rows = np.concatenate(self._waiting) if self._waiting else None
        self._waiting = []
        if rows is None:
            return
        if self._cuts is None:
            self._cuts = self._cuts_of(rows["score"])
            self._files = [self._file() for _ in range(len(self._cuts) + 1)]
        rows = _descending(rows)
        # The first file takes what scores at least the highest cut.
        ends = np.searchsorted(-rows["score"], -self._cuts[::-1], side="right")
        for file, part in zip(self._files, np.split(rows, ends), strict=True):
            if len(part):
                file.append(part)

    def _cuts_of(self, scores: np.ndarray) -> np.ndarray:
        """Ascending scores that part the rows into files of about half of what is sorted at a time."""
        files = min(-(-2 * self._expected // self._most), 4096)
        shares = np.linspace(0, len(scores) - 1, files + 1)[1:-1].astype(np.int64)
        return np.unique(np.sort(scores)[shares])

    def _file(self) -> RowFile:
        self._made += 1
        return RowFile(self._place / f"{self._made}")

    def _sorted(self, file: RowFile) -> Iterator[np.ndarray]:
        if not file.count:
            return
        if file.count <= self._most:
            rows = next(file.pieces(file.count))
            file.remove()
            yield _descending(rows)
            return
        above, equal, below = self._parted(file)
        yield from self._sorted(above)
        yield from equal.pieces(self._most)
        equal.remove()
        yield from self._sorted(below)

    def _parted(self, file: RowFile) -> tuple[RowFile, RowFile, RowFile]:
        """The rows above, at and below a score in the middle of them."""
        parts = self._file(), self._file(), self._file()
        some = np.sort(file.sample(self._most)["score"])
        middle = some[len(some) // 2]
        for rows in file.pieces(self._most):
            scores = rows["score"]
            for part, chosen in zip(parts, (scores > middle, scores == middle, scores < middle), strict=True):
                if chosen.any():
                    part.append(rows[chosen])
        file.remove()
        return parts


def _descending(rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(-rows["score"], kind="stable")]
