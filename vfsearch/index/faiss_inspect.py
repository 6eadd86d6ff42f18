"""Looking into an index of faiss: whether its entries are its rows, and what it keeps in memory."""

from pathlib import Path

import faiss
import numpy as np

from vfsearch.index.faiss_lists import ListsInFile, ListsOfIndex, ListSource
from vfsearch.index.faiss_shape import FaissShape


def faults(shape: FaissShape, rows: int, path: Path) -> list[str]:
    """What is wrong in an index that its digests do not see; empty: nothing.

    Args:
        shape: the index, open.
        rows: that it should hold.
        path: of its file.
    """
    if is_mapped(shape):
        found = faults_of_places(shape, path)
        if not found:
            lists = ListsInFile(path, shape.inner.nlist, shape.code_bytes, shape.inner.ntotal)
            found = faults_of_entries(lists, rows)
    else:
        found = faults_of_entries(ListsOfIndex(shape.lists), rows) if shape.is_ivf else faults_of_count(shape, rows)
        found += faults_of_size(shape, path)
    return [f"{path}: {fault}" for fault in found]


def is_mapped(shape: FaissShape) -> bool:
    """Whether lists are searched where they lie in the file."""
    return shape.is_ivf and isinstance(shape.lists, faiss.OnDiskInvertedLists)


def faults_of_entries(lists: ListSource, rows: int) -> list[str]:
    """Entries of no row, rows with no entry or with several.

    Args:
        lists: of the index.
        rows: that it should hold.
    """
    counts = np.zeros(rows + 1, np.int64)
    for number in np.flatnonzero(lists.sizes).tolist():
        ids = lists.ids(number)
        np.add.at(counts, np.where((ids >= 0) & (ids < rows), ids, rows), 1)
    missing, doubled = np.flatnonzero(counts[:-1] == 0), np.flatnonzero(counts[:-1] > 1)
    said = [f"{counts[-1]} entries of no row"] if counts[-1] else []
    said += [f"{len(missing)} rows without an entry, the first is row {missing[0]}"] if len(missing) else []
    return said + ([f"{len(doubled)} rows with several entries, the first is row {doubled[0]}"] if len(doubled) else [])


def faults_of_places(shape: FaissShape, path: Path) -> list[str]:
    """Lists that do not lie one after another up to the end of the file: something would be between or behind them."""
    places = [shape.lists.lists.at(number) for number in range(shape.inner.nlist)]
    entry, wanted = shape.code_bytes + 8, path.stat().st_size
    for number, place in reversed([each for each in enumerate(places) if each[1].size]):
        wanted -= place.size * entry
        if place.offset != wanted or place.capacity != place.size:
            return [f"list {number} is at byte {place.offset}, its entries would be at {wanted}"]
    return []


def faults_of_count(shape: FaissShape, rows: int) -> list[str]:
    """Another number of rows than there should be."""
    held = shape.inner.storage.ntotal if shape.is_graph else shape.inner.ntotal
    return [] if held == rows else [f"{held} rows, {rows} are listed"]


def faults_of_size(shape: FaissShape, path: Path) -> list[str]:
    """A file that is longer or shorter than what the index holds takes."""
    size = 0

    def count(piece: bytes) -> None:
        nonlocal size
        size += len(piece)

    faiss.write_index(shape.index, faiss.PyCallbackIOWriter(count))
    found = path.stat().st_size
    return [] if found == size else [f"{found} bytes, what it holds takes {size}"]


def memory_of(shape: FaissShape, path: Path) -> int:
    """Bytes that searches keep in memory: the file, less lists that are mapped."""
    lists = shape.inner.ntotal * (shape.code_bytes + 8) if is_mapped(shape) else 0
    return path.stat().st_size - lists
