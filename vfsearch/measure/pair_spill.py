"""Verification trials on a disk, where there are more of them than memory should hold."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vfsearch.data.scored import ScoredPairs
from vfsearch.errors import SettingsError, VfsearchError

ROW = np.dtype([("score", "<f8"), ("probe", "<i4"), ("item", "<i4"), ("mated", "?")])
ROWS_PER_PIECE = 2**19
_PLACES = 64


class RowFile:
    """Rows of trials in a temporary file, in the order in which they were added.

    Args:
        path: of the file; it appears with the first rows.
        dtype: of a row.
    """

    def __init__(self, path: Path, dtype: np.dtype = ROW) -> None:
        self.path, self.dtype = path, dtype
        self.count = 0

    def append(self, rows: np.ndarray) -> None:
        """Add rows.

        Raises:
            VfsearchError: the disk is full, ...
        """
        try:
            with self.path.open("ab") as file:
                file.write(rows.tobytes())
        except OSError as error:
            raise VfsearchError(
                f"cannot keep {self.count + len(rows):,} trials in {self.path}: {error.strerror}; free some space, or "
                f"set TMPDIR to a folder with more"
            ) from error
        self.count += len(rows)

    def pieces(self, most: int = ROWS_PER_PIECE) -> Iterator[np.ndarray]:
        """The rows, at most so many at a time.

        Raises:
            VfsearchError: the file cannot be read, or is not as long as it was written.
        """
        for start in range(0, self.count, most):
            yield self.read(start, min(most, self.count - start))

    def sample(self, most: int) -> np.ndarray:
        """At most so many rows from all over the file: lists may be sorted.

        Raises:
            VfsearchError: as `pieces`.
        """
        places = min(most, self.count, _PLACES)
        starts = np.linspace(0, self.count, places, endpoint=False).astype(np.int64).tolist()
        ends = [*starts[1:], self.count]
        each = max(most // places, 1)
        return np.concatenate([self.read(a, min(each, b - a)) for a, b in zip(starts, ends, strict=True)])

    def read(self, start: int, count: int) -> np.ndarray:
        """So many rows from a place on.

        Raises:
            VfsearchError: as `pieces`.
        """
        try:
            rows = np.fromfile(self.path, self.dtype, count, offset=start * self.dtype.itemsize)
        except OSError as error:
            raise VfsearchError(f"cannot read the temporary file {self.path}: {error.strerror}") from error
        if len(rows) < count:
            raise VfsearchError(f"the temporary file {self.path} lost trials while it was in use; run again")
        return rows

    def remove(self) -> None:
        """Remove the file, if there is one."""
        self.path.unlink(missing_ok=True)


def rows_of(pairs: ScoredPairs) -> np.ndarray:
    """(t,) trials as rows of dtype `ROW`."""
    rows = np.empty(len(pairs), dtype=ROW)
    for name, values in zip(ROW.names, (pairs.scores, pairs.probes, pairs.items, pairs.mated), strict=True):
        rows[name] = values
    return rows


class PairSpill:
    """Trials in a temporary file; what `ScoredPairs` is, for any number of them. A context manager.

    Args:
        folder: where the file goes, None for the system's folder of temporary files.
    Example:
        >>> with PairSpill() as spill:
        ...     spill.add(ScoredPairs(scores=np.array([0.5, 0.1]), mated=np.array([True, False]),
        ...                           probes=np.array([0, 0]), items=np.array([0, 1]), identities=["a", "b"]))
        ...     [piece.scores.tolist() for piece in spill.chunks()], len(spill), spill.identities
        ([[0.5, 0.1]], 2, ['a', 'b'])
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._closing = contextlib.ExitStack()
        self._file: RowFile | None = None
        self.identities: Sequence[str] = ()

    def __enter__(self) -> "PairSpill":
        self._file = RowFile(temporary_folder(self._folder, self._closing) / "pairs")
        return self

    def __exit__(self, *_error: object) -> None:
        self._closing.close()

    def __len__(self) -> int:
        return self._file.count if self._file else 0

    def add(self, pairs: ScoredPairs) -> None:
        """Add some trials.

        Args:
            pairs: their identities are numbered as in those added before; there may be more of them.
        Raises:
            SettingsError: used outside of its `with`, or there are fewer identities than before.
            VfsearchError: the disk is full, ...
        """
        if self._file is None or len(pairs.identities) < len(self.identities):
            raise SettingsError(
                f"a PairSpill is used inside its `with`, each part with the identities of those before and more: got "
                f"{len(pairs.identities)} after {len(self.identities)}"
            )
        self.identities = pairs.identities
        self._file.append(rows_of(pairs))

    def chunks(self) -> Iterator[ScoredPairs]:
        """The trials in pieces that fit in memory, in the order in which they were added."""
        for rows in self._file.pieces() if self._file else ():
            yield ScoredPairs(
                scores=rows["score"], mated=rows["mated"], probes=rows["probe"].astype(np.int64),
                items=rows["item"].astype(np.int64), identities=self.identities,
            )  # fmt: skip


def temporary_folder(folder: Path | None, closing: contextlib.ExitStack) -> Path:
    """A new folder for its owner alone that goes when `closing` closes.

    Raises:
        VfsearchError: the file system refuses.
    """
    try:
        return Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="vfsearch-", dir=folder)))
    except OSError as error:
        raise VfsearchError(f"cannot make a folder for temporary files: {error.strerror}; set TMPDIR") from error
