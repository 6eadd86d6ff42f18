"""The best of some candidates, by exact scores."""

import io
import mmap
from pathlib import Path

import numpy as np

from vfsearch.data.neighbors import Neighbors
from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.kernels.rows import Rows

LARGEST_MAP = 2**30
"""Bytes; rows of a larger mapped file are read, so that its pages do not fill the memory of the process."""


def best_of(queries: np.ndarray, vectors: np.ndarray, candidates: np.ndarray, k: int) -> Neighbors:
    """The k candidates of each query with the greatest exact scores (see `vfsearch.kernels.exact`).

    Args:
        queries: (q, d) unit rows of float32, float16, bfloat16 or float64 (rounded to float32).
        vectors: (n, d) unit rows likewise, in memory or mapped. Of a mapped file of more than `LARGEST_MAP` bytes the
            rows are read as the file has them.
        candidates: (q, m) whole numbers, rows of `vectors`, each at most once a query; -1 for none.
        k: how many.
    Returns:
        Neighbors, (q, k): best first, equal scores in the order of their rows, padded.
    Raises:
        SettingsError: k < 1, the shapes do not fit, or a candidate is a row that is not there.
        VfsearchError: the mapped file cannot be read.

    Example:
        >>> rows = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]], np.float32)
        >>> best_of(rows[:1], rows, np.array([[2, -1, 1]]), 2).rows.tolist()
        [[1, 2]]
    """
    _require_fitting(queries, vectors, candidates, k)
    count, listed = candidates.shape
    return best_of_lists(queries, vectors, np.arange(count + 1) * listed, candidates.reshape(-1), k)


def best_of_lists(
    queries: np.ndarray, vectors: np.ndarray, offsets: np.ndarray, candidates: np.ndarray, k: int
) -> Neighbors:
    """As `best_of`, of lists that differ in length.

    Args:
        queries, vectors, k: as there.
        offsets: (q + 1,) int64 where the candidates of each query begin.
        candidates: (c,) whole numbers.
    """
    from vfsearch.kernels.cpu.rescoring import best_of_listed, best_of_listed_in_file

    rows = np.ascontiguousarray(candidates, np.int64)
    best = np.empty((len(queries), k), np.int64), np.empty((len(queries), k))
    file = _opened(vectors)
    if file is None:
        bad = best_of_listed(Rows(queries), Rows(vectors), offsets, rows, best)
    else:
        with file[0]:
            where = (file[0].fileno(), file[1])
            try:
                bad = best_of_listed_in_file(Rows(queries), where, vectors.shape, offsets, rows, best)
            except OSError as error:
                raise VfsearchError(f"cannot read {file[0].name}: {error.strerror or error}") from error
    if bad >= 0:
        query = int(np.searchsorted(offsets, bad, "right")) - 1
        raise SettingsError(
            f"candidate {bad - offsets[query]} of query {query} is row {rows[bad]} of {len(vectors)}: there is no such "
            "row"
        )
    return Neighbors(rows=best[0], scores=best[1])


def _opened(vectors: np.ndarray) -> tuple[io.FileIO, int] | None:
    """The file of large mapped rows, and the byte that they begin at; None where the map itself is to be used."""
    place = place_in_file(vectors)
    if place is None:
        return None
    try:
        return place[0].open("rb", buffering=0), place[1]
    except FileNotFoundError:
        # It was replaced since it was mapped; the map still has what was there.
        return None


def place_in_file(vectors: np.ndarray) -> tuple[Path, int] | None:
    """The file that large rows are mapped from, and the byte that they begin at; None where they are to be used so.

    Args:
        vectors: (n, d) rows, perhaps a part of what is mapped.
    """
    if not isinstance(vectors, np.memmap) or vectors.nbytes <= LARGEST_MAP:
        return None
    whole = getattr(vectors, "_mmap", None)
    plain = vectors.dtype == np.float32 and vectors.flags.c_contiguous and vectors.mode in ("r", "c")
    if whole is None or not plain:
        return None
    # A map begins at a whole page of the file.
    begin = vectors.offset - vectors.offset % mmap.ALLOCATIONGRANULARITY
    first = np.frombuffer(whole, np.uint8, 1).ctypes.data
    return Path(vectors.filename), begin + vectors.ctypes.data - first


def _require_fitting(queries, vectors, candidates: np.ndarray, k: int) -> None:
    if k < 1:
        raise SettingsError(f"k is {k}, it must be at least 1")
    if queries.ndim != 2 or vectors.ndim != 2 or queries.shape[1] != vectors.shape[1]:
        raise SettingsError(
            f"the queries have the shape {tuple(queries.shape)}, the gallery {tuple(vectors.shape)}: wanted (q, d) and "
            "(n, d)"
        )
    if candidates.ndim != 2 or len(candidates) != len(queries) or candidates.dtype.kind not in "iu":
        raise SettingsError(
            f"the candidates are {candidates.dtype} {candidates.shape}, wanted whole numbers ({len(queries)}, m)"
        )
