"""Files of faiss, written through our writer and read once their digests are checked."""

from collections.abc import Iterator
from pathlib import Path

import faiss
import numpy as np

from vfsearch.errors import DamagedError, VfsearchError
from vfsearch.index.faiss_lists import ListSource, fill_blocks, pieces_of_lists
from vfsearch.index.faiss_shape import TAIL_OF_NO_LISTS, FaissShape
from vfsearch.index.writer import IndexWriter

INDEX = "index.faiss"


def save(shape: FaissShape, role: str, writer: IndexWriter) -> None:
    """Write an index whole; a full disk is noticed at any piece.

    Raises:
        VfsearchError: the file cannot be written.
    """
    # faiss' own writer of files does not look whether its last buffer went to the disk.
    writer.add_streamed(role, lambda write: faiss.write_index(shape.index, faiss.PyCallbackIOWriter(write)))


def save_filled(shape: FaissShape, sources: list[ListSource], writer: IndexWriter) -> None:
    """Write an index whose lists come from elsewhere, list by list: whole rows are never all in memory.

    Args:
        shape: what was learned; it holds no rows.
        sources: parts of the lists; those of the first come first in each list.
        writer: takes the file.
    Raises:
        VfsearchError: the file cannot be written, or faiss lays out its files in another way than is known here.
    """
    if not shape.is_streamed:
        fill_blocks(shape.inner, sources)
        shape.count(sum(map(len, sources)))
        save(shape, INDEX, writer)
        return
    shape.count(sum(map(len, sources)))
    head = _head(shape, TAIL_OF_NO_LISTS)
    # Before the sizes of the lists stand their kind, number and code size, as they are in a file without rows.
    writer.add(INDEX, pieces_of_lists(head, sources))
    shape.count(0)


def save_with_codes(shape: FaissShape, rows: int, codes: Iterator[bytes], writer: IndexWriter) -> None:
    """As `save_filled`, for an index that is codes one after another.

    Args:
        shape: what was learned; it holds no rows.
        rows: how many.
        codes: of all rows, in pieces.
        writer: takes the file.
    """
    shape.count(rows)
    head = _head(shape, bytes(8))
    # faiss counts the numbers of whole rows, and the bytes of anything else.
    size = rows * shape.code_bytes // (4 if isinstance(shape.inner, faiss.IndexFlat) else 1)

    def pieces() -> Iterator[bytes]:
        yield head + np.int64(size).tobytes()
        yield from codes

    writer.add(INDEX, pieces())
    shape.count(0)


def _head(shape: FaissShape, tail: bytes) -> bytes:
    """The file of an index without rows, less its end, which says that there are none."""
    whole = faiss.serialize_index(shape.index).tobytes()
    if not whole.endswith(tail):
        raise VfsearchError(
            f"faiss {faiss.__version__} writes {type(shape.inner).__name__} in a way that is not known here; "
            "use a version from 1.8 to 1.15"
        )
    return whole[: -len(tail)]


def load(path: Path, mapped: bool = True) -> FaissShape:
    """Read an index whose digest was checked.

    Args:
        path: of the file.
        mapped: lists stay on disk, searches touch the pages that they need; else all is read, as it is where other
            codes are kept beside the lists.
    Raises:
        DamagedError: faiss cannot read it.
    """
    try:
        shape = FaissShape.of(faiss.read_index(str(path), faiss.IO_FLAG_MMAP if mapped else 0))
    except RuntimeError as error:
        raise DamagedError(
            f"{path} cannot be read by faiss {faiss.__version__}: {error}; make the index anew"
        ) from error
    if mapped and not shape.is_plain:
        return load(path, mapped=False)
    if shape.is_ivf and isinstance(shape.lists, faiss.OnDiskInvertedLists):
        # Otherwise each search starts 32 threads that read lists ahead: 16 times the time of a search of one probe.
        shape.lists.prefetch_nthread = 0
    return shape


def require_same(shape: FaissShape, rows: int, dimension: int, path: Path) -> None:
    """Refuse an index that is not the one that its list of files tells of.

    Raises:
        DamagedError: other rows, dimension or metric.
    """
    index = shape.index
    if (index.ntotal, index.d) != (rows, dimension) or index.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise DamagedError(
            f"{path} holds {index.ntotal} rows of {index.d} dimensions, metric {index.metric_type}; the index says "
            f"{rows} of {dimension}, metric {faiss.METRIC_INNER_PRODUCT} (inner product); make it anew"
        )
