"""Adding rows to a graph of SVS, and taking rows out of it, without building it anew.

SVS's dynamic index does it, under numbers of its own. What it makes of the graph is put in the order of the index's
rows and kept as a graph of the static kind, which is searched faster.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vfsearch.errors import VfsearchError
from vfsearch.index.svs_files import CONFIG, GRAPH_FILE, LINK, content, file_bytes, header
from vfsearch.index.vector_file import VectorFile
from vfsearch.progress import Progress

NUMBERS = np.dtype([("given", "<u8"), ("own", "<u4")])
ROWS_AT_ONCE = 10_000
ADDED_AT_ONCE = 50
"""Rows that are added together do not see one another: with 2,000 of 20,000 at a time recall of the new ones was 0.70
where a graph built anew had 0.93, with 100 at a time 0.91."""
NONE = -1


def change(graph, keep: np.ndarray, rows: VectorFile, progress: Progress) -> None:
    """Take rows out of a dynamic index and put others in.

    Args:
        graph: svs.DynamicVamana of the old rows, each under its number.
        keep: (n,) which of them stay.
        rows: those that stay, then the new ones; a new row gets the number that it has in n + new rows.
        progress: called with rows done.
    """
    kept, old = int(keep.sum()), len(keep)
    if kept < old:
        graph.delete(np.flatnonzero(~keep).astype(np.uint64))
        graph.consolidate()
        graph.compact(ROWS_AT_ONCE)
    for start in range(kept, len(rows), ADDED_AT_ONCE):
        block = rows.read(start, start + ADDED_AT_ONCE)
        graph.add(block, np.arange(start, start + len(block), dtype=np.uint64) + np.uint64(old - kept))
        progress("rows in the graph", start + len(block), len(rows))


class Renumbered:
    """A graph that a dynamic index wrote, in the order of the index's rows.

    Args:
        folder: with its "config" and "graph".
        numbers: what row each number that was given is now; -1 for removed ones.
        rows: how many rows there are now.
        degree: most links of a row.
    Raises:
        VfsearchError: a file is not whole.
    """

    def __init__(self, folder: Path, numbers: np.ndarray, rows: int, degree: int) -> None:
        settings = _settings(folder / "config" / CONFIG)
        names = _whole(folder / "config" / Path(settings["translation"]["filename"]).name, rows * NUMBERS.itemsize)
        path = _whole(folder / "graph" / GRAPH_FILE, file_bytes(rows, degree + 1, LINK))
        pairs = np.fromfile(names, NUMBERS)
        self._links = content(path, rows, degree + 1, LINK)
        self._row_of = np.full(rows, NONE, np.int64)
        self._row_of[pairs["own"]] = numbers[pairs["given"].astype(np.int64)]
        self._own_of = np.argsort(self._row_of)
        self.entry = int(self._row_of[settings["parameters"]["entry_point"]])

    @property
    def whole(self) -> bool:
        """Whether every row has an entry, and no link leads to a row that was removed."""
        if not np.array_equal(self._row_of[self._own_of], np.arange(len(self._links))):
            return False
        rows, width = self._links.shape
        fits = ((part[:, 0] < width).all() and (part[:, 1:] < rows).all() for part in self._parts())
        return self.entry != NONE and all(fits)

    def pieces(self) -> Iterator[bytes]:
        """A file of the static kind."""
        yield header(*self._links.shape)
        yield from (part.tobytes() for part in self._parts())

    def _parts(self) -> Iterator[np.ndarray]:
        rows, width = self._links.shape
        for start in range(0, rows, ROWS_AT_ONCE):
            part = self._links[self._own_of[start : start + ROWS_AT_ONCE]]
            there = np.arange(width - 1) < part[:, :1]
            # A link to a removed row becomes the greatest number of all, which `whole` finds.
            part[:, 1:] = (self._row_of[np.where(there, part[:, 1:], 0)] * there).astype(LINK)
            yield part


def numbers_after(keep: np.ndarray, added: int) -> np.ndarray:
    """(n + added,) what row each is once some are removed; -1 for those.

    Example:
        >>> numbers_after(np.array([True, False, True]), 2).tolist()
        [0, -1, 1, 2, 3]
    """
    kept = np.where(keep, np.cumsum(keep) - 1, NONE)
    return np.append(kept, np.arange(added) + keep.sum())


def static_settings(graph: str, config: str, rows: int, entry: int) -> dict[str, str]:
    """The settings of a static graph after a change of its rows."""
    return {
        "graph": re.sub(r"num_vertices = \d+", f"num_vertices = {rows}", graph),
        "config": re.sub(r"entry_point = \d+", f"entry_point = {entry}", config),
    }


def _settings(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text("utf-8"))["object"]
    except (OSError, ValueError, KeyError) as error:
        raise VfsearchError(f"SVS did not write {path} whole: {error}; free some space and run it again") from error


def _whole(path: Path, size: int) -> Path:
    got = path.stat().st_size if path.exists() else 0
    if got != size:
        raise VfsearchError(f"SVS wrote {got:,} of {size:,} bytes of {path}; free some space and run it again")
    return path
