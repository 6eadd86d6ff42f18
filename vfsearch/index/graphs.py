"""What indices have in common whose library keeps a graph of its own: files it wrote, and queries that it gave up."""

from pathlib import Path

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.errors import DamagedError, VfsearchError
from vfsearch.index.base import Opened

STEP = 1.2
"""Ratio of neighbouring values on a ladder: the cost of a search about follows them."""


def ladder(low: int, high: int, rows: int) -> tuple[int, ...]:
    """Widths of a search worth trying: every fifth more, none of more than all rows.

    Example:
        >>> ladder(8, 20, 1000)
        (8, 9, 11, 13, 15, 17, 20)
        >>> ladder(8, 20, 3)
        (8,)
    """
    count = int(np.ceil(np.log(high / low) / np.log(STEP) - 1e-9))
    values = sorted({round(float(value)) for value in np.geomspace(low, high, count + 1)})
    return tuple(value for value in values if value == low or value <= rows)


def file_with_role(opened: Opened, role: str) -> Path:
    """A file that the back end wrote.

    Raises:
        DamagedError: the index does not list it.
    """
    if role not in opened.paths:
        raise DamagedError(f"the index {opened.folder} has no {role}; make it anew with `vfsearch index build`")
    return opened.paths[role]


def require_written(temporary: Path, size: int, path: Path, library: str) -> None:
    """Refuse a file that a library did not write to its end; neither hnswlib nor SVS notices a full disk.

    Args:
        temporary: what it wrote; removed when it is refused.
        size: bytes that it must have.
        path: what it was to become.
        library: who wrote it.
    Raises:
        VfsearchError: it has another size.
    """
    got = temporary.stat().st_size if temporary.exists() else 0
    if got != size:
        temporary.unlink(missing_ok=True)
        raise VfsearchError(
            f"cannot write {path}: {library} wrote {got:,} of {size:,} bytes; free some space and run it again"
        )


def fill_gaps(queries: np.ndarray, vectors: np.ndarray, found: np.ndarray, scores: np.ndarray) -> None:
    """Answer, exactly and in place, the queries for which a graph search came across too few rows.

    A graph of many equal rows falls into pieces that no search leaves.

    Args:
        queries: (q, d) float32.
        vectors: (n, d) float32 unit rows, k of them at least.
        found, scores: (q, k) what was found; a query lacks rows if its last one is -1.
    """
    short = np.flatnonzero(found[:, -1] == NO_ROW)
    if len(short):
        from vfsearch.kernels.topk import topk

        exact = topk(queries[short], vectors, found.shape[1])
        found[short], scores[short] = exact.rows, exact.scores
