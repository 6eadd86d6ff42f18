"""The best of listed rows: read where they lie, scored exactly, kept in a heap; scores are not written down.

Rows of a file that is larger than memory are read into a buffer: pages of a map stay with the process once they are
touched, and sixteen are mapped for each one that is.
"""

import os
from itertools import pairwise

import numpy as np
from numba import types

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.pairs import LINE, fetch, float32_of, readable
from vfsearch.kernels.exact import GRID
from vfsearch.kernels.rows import Rows
from vfsearch.kernels.threads import shared

LISTED_AT_ONCE = 2**14
AHEAD = 16
_GRID, _UNIT = np.float32(GRID), 1 / GRID**2
_NOT_WAITING, _WILL_NEED = 8, 3
_pread = types.ExternalFunction("pread", types.intp(types.intc, types.uintp, types.intp, types.int64))
_preadv2 = types.ExternalFunction("preadv2", types.intp(types.intc, types.uintp, types.intc, types.int64, types.intc))
_advise = types.ExternalFunction("posix_fadvise", types.intc(types.intc, types.int64, types.int64, types.intc))


def best_of_listed(queries: Rows, vectors: Rows, offsets: np.ndarray, rows: np.ndarray, best: tuple) -> int:
    """Find the best rows of each query's list.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows.
        offsets: (q + 1,) int64 where each query's list begins.
        rows: (c,) int64 the lists one after another, each row at most once a list; -1 for none.
        best: (q, k) int64 and (q, k) float64, filled: rows, best first, -1 where there is none, and their scores.
    Returns:
        The first place in the lists that names a row that is not there; -1 where all are.
    """
    left, right = readable(queries), readable(vectors)

    def part(span: tuple[int, int]) -> int:
        return _best(left, right, offsets, rows, rows, *span, 0, *best, np.empty(right.shape[1]))

    if len(offsets) == 2:
        # A query that comes alone waits for whatever it does not need.
        return part((0, 1))
    return _first(shared(part, _spans(offsets)))


def best_of_listed_in_file(
    queries: Rows, file: tuple[int, int], shape: tuple[int, int], offsets: np.ndarray, rows: np.ndarray, best: tuple
) -> int:
    """As `best_of_listed`, of float32 rows that lie one after another in a file; memory holds a few thousand.

    Args:
        file: its descriptor, and the byte that the rows begin at.
        shape: (n, d) of the rows.
        queries, offsets, rows, best: as there.
    Raises:
        OSError: the file is too short, or cannot be read.
    """
    left = readable(queries)

    def part(span: tuple[int, int]) -> int:
        begin, end = offsets[span[0]], offsets[span[1]]
        held, listed = np.empty((end - begin, shape[1]), np.float32), rows[begin:end]
        outside = np.flatnonzero((listed < -1) | (listed >= shape[0]))
        if len(outside):
            return int(begin + outside[0])
        bad = _read(*file, listed, held, np.empty(2, np.uintp), np.empty(len(listed), np.int64))
        if bad >= 0:
            raise OSError(f"row {listed[bad]} of {shape[0]} cannot be read")
        return _best(left, held, offsets, rows, np.arange(len(held)), *span, begin, *best, np.empty(shape[1]))

    os.posix_fadvise(file[0], 0, 0, os.POSIX_FADV_RANDOM)
    return _first(shared(part, _spans(offsets)))


def _spans(offsets: np.ndarray) -> list[tuple[int, int]]:
    """First and last + 1 of the queries of each piece of work."""
    count = len(offsets) - 1
    pieces = min(count, max(1, int(offsets[-1]) // LISTED_AT_ONCE))
    if pieces <= 1:
        return [(0, count)][:count]
    edges = np.searchsorted(offsets, np.arange(1, pieces) * (offsets[-1] / pieces))
    edges = np.unique([0, *edges, count]).tolist()
    return list(pairwise(edges))


def _first(found: list[int]) -> int:
    return next((bad for bad in found if bad >= 0), -1)


# Sums of grid products are exact in any order, so they may be taken in vector registers.
@compiled(reassociate=True, borrows=True)
def _best(queries, vectors, offsets, rows, places, first, last, begin, best_rows, best_scores, left):
    """Fill in the best of some queries; places[at - begin] is the place in `vectors` of the row listed at `at`."""
    dimension, k = vectors.shape[1], best_rows.shape[1]
    address, step, width = vectors.ctypes.data, vectors.strides[0], dimension * vectors.itemsize
    end = offsets[last]
    for query in range(first, last):
        for column in range(dimension):
            # A power of two times a float32 number, and its nearest whole number, are float32 numbers too.
            left[column] = np.float64(np.rint(float32_of(queries[query, column]) * _GRID))
        held = 0
        for at in range(offsets[query], offsets[query + 1]):
            if at + AHEAD < end:
                following = address + places[at + AHEAD - begin] * step
                for offset in range(0, width, LINE):
                    fetch(following + offset)
            row, place = rows[at], places[at - begin]
            if row == -1:
                continue
            if place < 0 or place >= vectors.shape[0]:
                return at
            total = 0.0
            for column in range(dimension):
                total += left[column] * np.float64(np.rint(float32_of(vectors[place, column]) * _GRID))
            score = total * _UNIT
            if held < k:
                _rise(best_rows, best_scores, query, held, row, score)
                held += 1
            elif score > best_scores[query, 0] or (score == best_scores[query, 0] and row < best_rows[query, 0]):
                _sink(best_rows, best_scores, query, k, row, score)
        for place in range(held, k):
            best_rows[query, place], best_scores[query, place] = -1, -np.inf
        while held > 1:
            # The worst goes behind the others, which leaves the best in front.
            held -= 1
            row, score = best_rows[query, held], best_scores[query, held]
            best_rows[query, held], best_scores[query, held] = best_rows[query, 0], best_scores[query, 0]
            _sink(best_rows, best_scores, query, held, row, score)
    return -1


@compiled(borrows=True)
def _rise(rows, scores, query, place, row, score):
    """Add a row to a heap of `place` rows, the worst of which stands first.

    Source: Williams, Algorithm 232: Heapsort, 1964.
    """
    while place > 0:
        above = (place - 1) // 2
        if scores[query, above] < score or (scores[query, above] == score and rows[query, above] > row):
            break
        rows[query, place], scores[query, place] = rows[query, above], scores[query, above]
        place = above
    rows[query, place], scores[query, place] = row, score


@compiled(borrows=True)
def _sink(rows, scores, query, held, row, score):
    """Put a row in the place of the worst of a heap of `held` rows."""
    place = 0
    while 2 * place + 1 < held:
        below = 2 * place + 1
        other = min(below + 1, held - 1)
        if scores[query, other] < scores[query, below] or (
            scores[query, other] == scores[query, below] and rows[query, other] > rows[query, below]
        ):
            below = other
        if score < scores[query, below] or (score == scores[query, below] and row > rows[query, below]):
            break
        rows[query, place], scores[query, place] = rows[query, below], scores[query, below]
        place = below
    rows[query, place], scores[query, place] = row, score


@compiled(borrows=True)
def _read(descriptor, start, rows, held, vector, late):
    """Read listed rows of a file; the first that cannot be read, or -1.

    Those that are not in the system's cache are all asked for before the first is waited for, so that a disk has
    something to do.
    """
    size, waiting = held.shape[1] * held.itemsize, 0
    for at in range(rows.shape[0]):
        if rows[at] >= 0:
            vector[0], vector[1] = held.ctypes.data + at * size, size
            place = start + rows[at] * size
            if _preadv2(descriptor, vector.ctypes.data, 1, place, _NOT_WAITING) != size:
                _advise(descriptor, place, size, _WILL_NEED)
                late[waiting] = at
                waiting += 1
    for each in range(waiting):
        at, done = late[each], 0
        while done < size:
            got = _pread(descriptor, held.ctypes.data + at * size + done, size - done, start + rows[at] * size + done)
            if got <= 0:
                return at
            done += got
    return -1
