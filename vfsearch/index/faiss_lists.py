"""Inverted lists read from one place and written to another, a list at a time.

Layout of faiss ("full"): how many lists, the size of each, then of each list its codes and its ids (int64).
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np

BUFFER_BYTES = 4 * 2**20


class ListSource(ABC):
    """Lists of codes and ids.

    Args:
        sizes: (lists,) int64 entries of each.
        code_bytes: of a code.
    """

    def __init__(self, sizes: np.ndarray, code_bytes: int) -> None:
        self.sizes = sizes
        self.code_bytes = code_bytes

    def __len__(self) -> int:
        return int(self.sizes.sum())

    @abstractmethod
    def codes(self, number: int) -> np.ndarray:
        """(m, code_bytes) uint8 of one list."""

    @abstractmethod
    def ids(self, number: int) -> np.ndarray:
        """(m,) int64 of one list."""


class ListsOfIndex(ListSource):
    """Lists that faiss has open; what is given out is no copy.

    Args:
        lists: of faiss; they must live as long as this.
    """

    def __init__(self, lists: faiss.InvertedLists) -> None:
        sizes = np.fromiter(map(lists.list_size, range(lists.nlist)), np.int64, lists.nlist)
        super().__init__(sizes, lists.code_size)
        self._lists = lists

    def codes(self, number: int) -> np.ndarray:
        """See `ListSource.codes`."""
        size = int(self.sizes[number])
        held = (
            faiss.rev_swig_ptr(self._lists.get_codes(number), size * self.code_bytes) if size else np.empty(0, np.uint8)
        )
        return held.reshape(size, self.code_bytes)

    def ids(self, number: int) -> np.ndarray:
        """See `ListSource.ids`."""
        size = int(self.sizes[number])
        return faiss.rev_swig_ptr(self._lists.get_ids(number), size) if size else np.empty(0, np.int64)


class ListsInFile(ListSource):
    """Lists at the end of a file, read piece by piece: none of the file counts as memory of the process.

    Args:
        path: of the file.
        lists: how many.
        code_bytes: of a code.
        entries: in all lists.
    """

    def __init__(self, path: Path, lists: int, code_bytes: int, entries: int) -> None:
        self._file = path.open("rb", buffering=0)
        start = path.stat().st_size - entries * (code_bytes + 8)
        super().__init__(self._read(start - 8 * lists, lists, np.int64), code_bytes)
        self.starts = start + (np.cumsum(self.sizes) - self.sizes) * (code_bytes + 8)

    def _read(self, start: int, count: int, kind: type) -> np.ndarray:
        held = os.pread(self._file.fileno(), count * np.dtype(kind).itemsize, start)
        return np.frombuffer(held, kind, count)

    def codes(self, number: int) -> np.ndarray:
        """See `ListSource.codes`."""
        size = int(self.sizes[number])
        return self._read(int(self.starts[number]), size * self.code_bytes, np.uint8).reshape(size, self.code_bytes)

    def ids(self, number: int) -> np.ndarray:
        """See `ListSource.ids`."""
        size = int(self.sizes[number])
        return self._read(int(self.starts[number]) + size * self.code_bytes, size, np.int64)


class SortedLists(ListSource):
    """Rows in memory, seen as the lists that they belong to; in a list they have the order that they came in.

    Args:
        near: (m,) the list of each row.
        codes: (m, code_bytes) uint8.
        ids: (m,) numbers of the rows.
        lists: how many.
    """

    def __init__(self, near: np.ndarray, codes: np.ndarray, ids: np.ndarray, lists: int) -> None:
        super().__init__(np.bincount(near, minlength=lists).astype(np.int64), codes.shape[1])
        self._codes, self._ids = codes, ids
        self._order = np.argsort(near, kind="stable")
        self._ends = np.concatenate([[0], np.cumsum(self.sizes)])

    def codes(self, number: int) -> np.ndarray:
        """See `ListSource.codes`."""
        return self._codes[self._order[self._ends[number] : self._ends[number + 1]]]

    def ids(self, number: int) -> np.ndarray:
        """See `ListSource.ids`."""
        return self._ids[self._order[self._ends[number] : self._ends[number + 1]]]


class KeptLists(ListSource):
    """Lists less the rows that are removed; those that stay have the numbers that they get by it.

    Args:
        source: the lists as they are.
        keep: (n,) bool, which rows stay.
        without: numbers of lists that shall be empty.
    """

    def __init__(self, source: ListSource, keep: np.ndarray, without: np.ndarray) -> None:
        self._source, self._keep = source, keep
        self._new = np.cumsum(keep) - 1
        sizes = kept_sizes(source, keep)
        sizes[without] = 0
        super().__init__(sizes, source.code_bytes)

    def codes(self, number: int) -> np.ndarray:
        """See `ListSource.codes`."""
        return self._source.codes(number)[self._keep[self._source.ids(number)]]

    def ids(self, number: int) -> np.ndarray:
        """See `ListSource.ids`."""
        ids = self._source.ids(number)
        return self._new[ids[self._keep[ids]]]


def kept_sizes(source: ListSource, keep: np.ndarray) -> np.ndarray:
    """(lists,) how many entries of each list stay.

    Args:
        source: the lists.
        keep: (n,) bool, which rows stay.
    """
    return np.array([int(keep[source.ids(number)].sum()) for number in range(len(source.sizes))], np.int64)


def pieces_of_lists(head: bytes, sources: list[ListSource]) -> Iterator[bytes]:
    """The bytes of a file whose end are lists, put together from several sources.

    Args:
        head: what stands before.
        sources: each with the same number of lists.
    """
    sizes = np.sum([source.sizes for source in sources], axis=0, dtype=np.int64)
    yield head + b"full" + np.int64(len(sizes)).tobytes() + sizes.tobytes()
    waiting = bytearray()
    for number in range(len(sizes)):
        parts = [source for source in sources if source.sizes[number]]
        for part in (*(source.codes(number) for source in parts), *(source.ids(number) for source in parts)):
            waiting += memoryview(np.ascontiguousarray(part)).cast("B")
        if len(waiting) >= BUFFER_BYTES:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def fill_blocks(index: faiss.IndexIVFFastScan, sources: list[ListSource]) -> None:
    """Put lists into an index that scans codes of several rows at once, as it would order them itself.

    Args:
        index: it has learned, and holds no rows.
        sources: each with as many lists as the index.
    """
    blocks, packer = faiss.downcast_InvertedLists(index.invlists), index.get_CodePacker()
    for number in np.flatnonzero(np.sum([source.sizes for source in sources], axis=0)).tolist():
        ids = np.concatenate([source.ids(number) for source in sources])
        packed = packed_codes(np.concatenate([source.codes(number) for source in sources]), packer)
        blocks.add_entries(number, len(ids), faiss.swig_ptr(ids), faiss.swig_ptr(packed))
        index.ntotal += len(ids)


def packed_codes(codes: np.ndarray, packer: faiss.CodePacker) -> np.ndarray:
    """(blocks, block bytes) uint8 of codes; places that no code has are zero.

    Args:
        codes: (m, code_bytes) uint8.
        packer: of faiss.
    """
    count = -(-len(codes) // packer.nvec)
    whole = np.zeros((count, packer.nvec, codes.shape[1]), np.uint8)
    whole.reshape(-1, codes.shape[1])[: len(codes)] = codes
    blocks = np.zeros((count, packer.block_size), np.uint8)
    for flat, block in zip(whole, blocks, strict=True):
        packer.pack_all(faiss.swig_ptr(flat), faiss.swig_ptr(block))
    return blocks
