"""Building an index of faiss from rows that are read piece by piece, so that a killed build goes on where it was."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import faiss
import numpy as np

from vfsearch import devices
from vfsearch.index.faiss_centres import assigner, has_plain_centres, learned_centres
from vfsearch.index.faiss_factory import untrained
from vfsearch.index.faiss_files import INDEX, load, save, save_filled, save_with_codes
from vfsearch.index.faiss_lists import ListsInFile, ListSource, SortedLists, pieces_of_lists
from vfsearch.index.faiss_shape import FaissShape
from vfsearch.index.settings import BuildSettings
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import STEP, IndexWriter
from vfsearch.progress import Progress

TRAINED = f"{STEP}trained.faiss"
ROWS_AT_ONCE = 65_536
PART_ROWS = 16 * ROWS_AT_ONCE
"""Rows after which what is done is kept."""
PART_BYTES = 256 * 2**20
LEARNED_FROM = 512
"""Fewest rows that faiss is given to learn from: small galleries are repeated, product codes want 256."""
WHOLE = (faiss.IndexNSG, faiss.IndexNNDescent)
"""Types that take all their rows at once."""


def build(rows: VectorFile, settings: BuildSettings, writer: IndexWriter, progress: Progress) -> None:
    """Learn, then add all rows; what is learned and each part of the rows is kept in the writer.

    Args:
        rows: (n, d) unit rows.
        settings: as `settled` gave them.
        writer: takes `index.faiss`.
        progress: called with rows done.
    """
    if writer.has(INDEX):
        return
    faiss.omp_set_num_threads(devices.threads())
    fill(trained(rows, settings, writer, progress), rows, settings, writer, progress)


def trained(rows: VectorFile, settings: BuildSettings, writer: IndexWriter, progress: Progress) -> FaissShape:
    """An index that has learned its centres and codes."""
    if writer.has(TRAINED):
        return load(writer.path(TRAINED), mapped=False)
    shape = untrained(settings, rows.shape[1])
    if not shape.index.is_trained:
        count = settings.parameters["train_rows"]
        progress("rows learned from", 0, count)
        learn(shape, rows.sample(count, settings.seed), settings)
        progress("rows learned from", count, count)
    save(shape, TRAINED, writer)
    # What was not killed goes on with the same bytes as what was.
    return load(writer.path(TRAINED), mapped=False)


def learn(shape: FaissShape, sample: np.ndarray, settings: BuildSettings) -> None:
    """Learn centres and codes.

    Args:
        shape: what has learned nothing yet.
        sample: (m, d) unit rows.
        settings: as `settled` gave them.
    """
    if len(sample) < LEARNED_FROM:
        sample = np.resize(sample, (LEARNED_FROM, sample.shape[1]))
    if has_plain_centres(shape):
        centres = learned_centres(sample, shape.inner.nlist, settings.parameters["train_rounds"], settings.seed)
        with adding_threads(settings.parameters["repeatable"]):
            shape.inner.quantizer.add(centres)
    shape.index.train(sample)


def fill(
    shape: FaissShape, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, progress: Progress,
    before: Sequence[ListSource] = (),
) -> None:  # fmt: skip
    """Add rows, and write the index.

    Args:
        shape: an index that has learned, with the rows that it has already in memory.
        rows: all rows; those that the index has come first.
        settings: of the build.
        writer: takes `index.faiss`.
        progress: called with rows done.
        before: lists that the first rows are in already, for an index of lists on disk.
    """
    if shape.is_sorted and not shape.index.ntotal:
        _fill_lists(shape, rows, writer, progress, before)
    elif shape.is_flat and not shape.index.ntotal:
        save_with_codes(shape, len(rows), _codes(shape, rows, progress), writer)
    else:
        with adding_threads(settings.parameters["repeatable"]):
            _fill_memory(shape, rows, settings.seed, writer, progress)


def _fill_lists(
    shape: FaissShape, rows: VectorFile, writer: IndexWriter, progress: Progress, before: Sequence[ListSource]
) -> None:
    """Sort rows into lists part by part, then put the parts together list by list."""
    start, sources = sum(map(len, before)), list(before)
    todo = list(parts(start, len(rows), shape.code_bytes))
    assign = assigner(shape)
    for number, first, stop in todo:
        role = part_role(number, "lists")
        if not writer.has(role):
            part = sorted_lists(shape, assign, row_blocks(rows, first, stop, progress), stop - first)
            writer.add(role, pieces_of_lists(b"", [part]))
        sources.append(ListsInFile(writer.path(role), shape.inner.nlist, shape.code_bytes, stop - first))
    progress("lists put together", 0, 1)
    save_filled(shape, sources, writer)
    for number, _, _ in todo:
        writer.drop(part_role(number, "lists"))
    progress("lists put together", 1, 1)


def sorted_lists(
    shape: FaissShape, assign: Callable[[np.ndarray], np.ndarray], blocks: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
) -> SortedLists:  # fmt: skip
    """The lists of some rows, in memory as codes.

    Args:
        shape: an index that has learned.
        assign: gives the list of each row.
        blocks: (numbers, rows) of each block.
        count: of rows in all blocks.
    """
    inner, done = shape.inner, 0
    codes, ids = np.empty((count, shape.code_bytes), np.uint8), np.empty(count, np.int64)
    near = np.empty(count, np.int64)
    for numbers, block in blocks:
        place = slice(done, done + len(block))
        block = np.ascontiguousarray(shape.transformed(block))
        near[place], ids[place] = assign(block), numbers
        pointers = [faiss.swig_ptr(array) for array in (block, near[place], codes[place])]
        inner.encode_vectors(len(block), *pointers)
        done += len(block)
    return SortedLists(near, codes, ids, inner.nlist)


def row_blocks(
    rows: VectorFile, start: int, stop: int, progress: Progress
) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
    """(numbers, rows) of each block of a stretch of rows."""
    for first in range(start, stop, ROWS_AT_ONCE):
        last = min(stop, first + ROWS_AT_ONCE)
        yield np.arange(first, last), rows.read(first, last)
        progress("rows indexed", last, len(rows))


def chosen_blocks(rows: VectorFile, chosen: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(numbers, rows) of each block of some rows.

    Args:
        rows: all rows.
        chosen: (m,) ascending numbers of rows.
    """
    for first, block in rows.blocks(ROWS_AT_ONCE):
        numbers = chosen[slice(*np.searchsorted(chosen, [first, first + len(block)]))]
        if len(numbers):
            yield numbers, block[numbers - first]


def parts(start: int, stop: int, code_bytes: int | None) -> Iterator[tuple[int, int, int]]:
    """(number, first row, row after the last) of each part; the same whatever is done already.

    Args:
        start, stop: rows to add.
        code_bytes: of a row; parts of long codes have fewer rows.
    """
    affordable = PART_BYTES // ((code_bytes or 0) + 8) // ROWS_AT_ONCE * ROWS_AT_ONCE
    size = max(ROWS_AT_ONCE, min(PART_ROWS, affordable))
    for number, first in enumerate(range(start, stop, size)):
        yield number, first, min(stop, first + size)


def part_role(number: int, kind: str) -> str:
    """What the file of a part is called."""
    return f"{STEP}part-{number:05}.{kind}"


def _codes(shape: FaissShape, rows: VectorFile, progress: Progress) -> Iterator[bytes]:
    """The codes of all rows, in pieces."""
    for first, block in rows.blocks(ROWS_AT_ONCE):
        yield shape.index.sa_encode(block).tobytes()
        progress("rows indexed", first + len(block), len(rows))


def _fill_memory(shape: FaissShape, rows: VectorFile, seed: int, writer: IndexWriter, progress: Progress) -> None:
    """Add rows to an index in memory; it is written as it is every so often."""
    todo = list(parts(shape.index.ntotal, len(rows), None))
    kept = [role for number, _, _ in todo if writer.has(role := part_role(number, "faiss"))]
    if kept:
        shape = load(writer.path(kept[-1]), mapped=False)
    if isinstance(shape.inner, WHOLE):
        shape.index.add(rows.read(0, len(rows)))
    for number, first, stop in todo:
        if stop <= shape.index.ntotal:
            continue
        _add_part(shape, rows, max(first, shape.index.ntotal), stop, seed, progress)
        if stop < len(rows):
            _keep_instead(shape, part_role(number, "faiss"), kept, writer)
    save(shape, INDEX, writer)
    for role in kept:
        writer.drop(role)


def _add_part(shape: FaissShape, rows: VectorFile, start: int, stop: int, seed: int, progress: Progress) -> None:
    if shape.is_graph:
        # faiss does not keep how far its random numbers were: each part begins with its own.
        shape.inner.hnsw.rng = faiss.RandomGenerator(seed + start)
    for _, block in row_blocks(rows, start, stop, progress):
        shape.index.add(block)


def _keep_instead(shape: FaissShape, role: str, kept: list[str], writer: IndexWriter) -> None:
    """Keep an index as it is now in place of how it was."""
    save(shape, role, writer)
    for before in kept:
        writer.drop(before)
    kept[:] = [role]


@contextlib.contextmanager
def adding_threads(repeatable: bool) -> Iterator[None]:
    """Threads for adding rows to what may be a graph.

    Args:
        repeatable: the edges must not depend on which of several threads is first.
    """
    faiss.omp_set_num_threads(1 if repeatable else devices.threads())
    try:
        yield
    finally:
        faiss.omp_set_num_threads(devices.threads())
