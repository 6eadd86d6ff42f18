"""Centres of lists, around which the rows of a gallery lie."""

import numpy as np

from vfsearch.index.vector_file import VectorFile
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk
from vfsearch.progress import Progress


def spherical_centres(rows: np.ndarray, lists: int, rounds: int, seed: int, progress: Progress) -> np.ndarray:
    """Directions that rows lie around: k-means by the inner product.

    A centre that no row is nearest to becomes the row that is farthest from its own; the same arguments give the same
    centres, whatever the threads.

    Args:
        rows: (m, d) float32 unit rows.
        lists: how many centres, at most m.
        rounds: of putting each row to its centre, and each centre amid its rows.
        seed: of the choice of the first centres.
        progress: called with rounds done.
    Returns:
        (lists, d) float32 unit rows.
    Source: Dhillon and Modha, Concept decompositions for large sparse text data using clustering, 2001.
    """
    random = np.random.default_rng(seed)
    centres = rows[np.sort(random.choice(len(rows), lists, replace=False, shuffle=False))]
    for done in range(rounds):
        found = topk(rows, search_gallery(centres), 1)
        nearest = found.rows[:, 0]
        sums, counts = np.zeros(centres.shape), np.zeros(lists, dtype=np.int64)
        add_rows(rows, nearest, sums, counts)
        centres = directions(sums)
        left = np.flatnonzero(counts == 0)
        centres[left] = rows[np.argsort(found.scores[:, 0], kind="stable")[: len(left)]]
        progress("rounds of clustering", done + 1, rounds)
    return centres


def add_rows(rows: np.ndarray, lists: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> None:
    """Add rows to the sums of their lists, in their order.

    Args:
        rows: (m, d) float32.
        lists: (m,) the list of each.
        sums: (lists, d) float64.
        counts: (lists,) int64, rows of each list.
    """
    order = np.argsort(lists, kind="stable")
    found, first = np.unique(lists[order], return_index=True)
    if len(found):
        sums[found] += np.add.reduceat(rows[order], first, axis=0, dtype=np.float64)
        counts += np.bincount(lists, minlength=len(counts))


def directions(sums: np.ndarray) -> np.ndarray:
    """(lists, d) float32 unit rows; where rows cancel one another out, the row stays as short as it is."""
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return (sums / np.where(lengths > 1e-6, lengths, 1)).astype(np.float32)


def put_into_lists(
    rows: VectorFile, first: int, centres: np.ndarray, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """The list whose centre is nearest to each row; memory holds one block of rows.

    Args:
        rows: (n, d) unit rows.
        first: the row to begin with.
        centres: (lists, d) float32 unit rows.
        progress: called with rows done.
    Returns:
        (n - first,) int32 lists, and (lists, d) float64 the sums of their rows.
    """
    gallery, sums = search_gallery(centres), np.zeros(centres.shape)
    lists, counts = np.empty(len(rows) - first, dtype=np.int32), np.zeros(len(centres), dtype=np.int64)
    for start, block in rows.blocks():
        block = block[max(0, first - start) :]
        if len(block):
            place = max(start, first) - first
            lists[place : place + len(block)] = topk(block, gallery, 1).rows[:, 0]
            add_rows(block, lists[place : place + len(block)], sums, counts)
        progress("rows put into lists", start + len(block), len(rows))
    return lists, sums
