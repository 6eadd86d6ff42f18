"""Removing rows from an index of faiss and adding others, with what it has learned.

What is learned tells of the rows: a centre is the mean of those around it. Where most of them are removed, the centre
is forgotten too; where all that is learned comes from few rows, it is learned again.
"""

import faiss
import numpy as np

from vfsearch import devices
from vfsearch.index.base import Opened
from vfsearch.index.faiss_build import WHOLE, build, chosen_blocks, fill, sorted_lists
from vfsearch.index.faiss_centres import assigner
from vfsearch.index.faiss_factory import settled, with_fewer_lists
from vfsearch.index.faiss_files import INDEX, load
from vfsearch.index.faiss_lists import KeptLists, ListsInFile, ListsOfIndex, ListSource, kept_sizes, pieces_of_lists
from vfsearch.index.faiss_shape import FaissShape
from vfsearch.index.settings import BuildSettings
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import STEP, IndexWriter
from vfsearch.progress import Progress

FEWEST_TO_HIDE_IN = 10_000
"""Rows; of fewer, centres and product codes may be learned from so few that they are the removed rows."""
MOST_FORGOTTEN = 1 / 4
"""Share of the lists whose centres can be forgotten; with more, new ones are learned."""
MOVED = f"{STEP}moved.lists"


def rewritten(
    old: Opened, keep: np.ndarray, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, progress: Progress
) -> str:
    """Write an index of other rows; see `Index.rewrite`.

    Args:
        old, keep, rows, settings, writer, progress: as there.
    Returns:
        How it was done.
    """
    faiss.omp_set_num_threads(devices.threads())
    shape = load(old.paths[INDEX])
    reason = reason_to_build_anew(shape, keep)
    fading = np.empty(0, np.int64) if reason or not shape.is_ivf else fading_lists(_lists(shape, old), keep)
    if reason or (len(fading) and len(fading) > MOST_FORGOTTEN * shape.inner.nlist):
        build(rows, settled(with_fewer_lists(settings, len(rows)), *rows.shape), writer, progress)
        return f"built anew: {reason or 'most rows of too many lists are removed'}"
    if shape.is_streamed:
        _rewrite_lists(shape, old, keep, fading, rows, settings, writer, progress)
        return "in place: lists without the rows that left, and with those that came; nothing learned again"
    return _refill(load(old.paths[INDEX], mapped=False), keep, fading, rows, settings, writer, progress)


def reason_to_build_anew(shape: FaissShape, keep: np.ndarray) -> str:
    """Why what is there cannot be used; empty: it can.

    Args:
        shape: the index as it is.
        keep: (n,) bool, which of its rows stay.
    """
    if isinstance(shape.inner, WHOLE):
        return f"{type(shape.inner).__name__} of faiss takes all its rows at once"
    if keep.all() or shape.is_flat:
        return ""
    if shape.is_graph:
        return "faiss cannot take rows out of a graph"
    few = len(keep) < FEWEST_TO_HIDE_IN
    return f"what is learned from fewer than {FEWEST_TO_HIDE_IN} rows may show the removed ones" if few else ""


def fading_lists(lists: ListSource, keep: np.ndarray) -> np.ndarray:
    """The numbers of lists that most of their rows leave, or that have none; none where no row leaves."""
    if keep.all():
        return np.empty(0, np.int64)
    return np.flatnonzero(kept_sizes(lists, keep) * 2 <= lists.sizes)


def _lists(shape: FaissShape, old: Opened) -> ListSource:
    """The lists of an index that is open."""
    if shape.is_streamed:
        return ListsInFile(old.paths[INDEX], shape.inner.nlist, shape.code_bytes, shape.index.ntotal)
    return ListsOfIndex(shape.lists)


def _rewrite_lists(
    shape: FaissShape, old: Opened, keep: np.ndarray, fading: np.ndarray, rows: VectorFile, settings: BuildSettings,
    writer: IndexWriter, progress: Progress,
) -> None:  # fmt: skip
    """Copy lists from file to file, less the removed rows, then add the new ones."""
    lists = _lists(shape, old)
    sources = [KeptLists(lists, keep, without=fading)]
    shape.emptied()
    forget_centres(shape, fading)
    moved = np.sort(np.concatenate([ids[keep[ids]] for ids in map(lists.ids, fading.tolist())] or [fading]))
    if len(moved):
        blocks = chosen_blocks(rows, (np.cumsum(keep) - 1)[moved])
        writer.add(MOVED, pieces_of_lists(b"", [sorted_lists(shape, assigner(shape), blocks, len(moved))]))
        sources.append(ListsInFile(writer.path(MOVED), shape.inner.nlist, shape.code_bytes, len(moved)))
    fill(shape, rows, settings, writer, progress, sources)


def _refill(
    shape: FaissShape, keep: np.ndarray, fading: np.ndarray, rows: VectorFile, settings: BuildSettings,
    writer: IndexWriter, progress: Progress,
) -> str:  # fmt: skip
    """Add to an index in memory; where rows leave, all that stay are added again, so that no byte of others is left."""
    how = "added in place"
    if not keep.all():
        shape.emptied()
        forget_centres(shape, fading)
        how = "codes made anew of the rows that stay, with what was learned before"
    fill(shape, rows, settings, writer, progress)
    return how


def forget_centres(shape: FaissShape, lists: np.ndarray) -> None:
    """Make the centres of some lists zero, where centres are kept one by one.

    Args:
        shape: an index without rows.
        lists: numbers of lists; none for an index that has none.
    """
    if not len(lists):
        return
    coarse = shape.coarse_graph
    flat = faiss.downcast_index(coarse.storage if coarse is not None else shape.inner.quantizer)
    if isinstance(flat, faiss.IndexFlat):
        centres = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(flat.ntotal, flat.d)
        centres[lists] = 0
