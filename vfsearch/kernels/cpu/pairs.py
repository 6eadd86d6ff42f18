"""Scores of listed pairs of rows: read where they lie, rounded in registers, written once.

Pairs of a list are anywhere in memory. A processor that asks for a row only when its turn comes waits most of the time,
so the rows of pairs further on are fetched beforehand.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.exact import GRID
from vfsearch.kernels.rows import Rows
from vfsearch.kernels.threads import shared

PAIRS_AT_ONCE = 2**15
LINE = 64
BYTES_AHEAD = 2**14
"""Of rows that are fetched beforehand: they must not push each other out of the nearest cache."""
MOST_AHEAD = 16
_GRID, _UNIT = np.float32(GRID), 1 / GRID**2
_HALF = np.dtype("f2")


def scores_of_pairs(
    queries: Rows, vectors: Rows, query_rows: np.ndarray, rows: np.ndarray, scores: np.ndarray
) -> int | None:
    """Write the exact scores of pairs; nothing is read of a row that is not there.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows.
        query_rows, rows: (t,) whole numbers.
        scores: (t,) float64, to be written.
    Returns:
        The first pair found that names a row that is not there; None where all are.
    """
    left, right = readable(queries), readable(vectors)
    row_bytes = max(LINE, left.itemsize * left.shape[1] + right.itemsize * right.shape[1])
    ahead = max(1, min(MOST_AHEAD, BYTES_AHEAD // row_bytes))

    def part(start: int) -> int:
        chosen = slice(start, start + PAIRS_AT_ONCE)
        one, other = (np.array(numbers[chosen], dtype=np.int64, copy=None) for numbers in (query_rows, rows))
        bad = _scores(left, right, one, other, scores[chosen], ahead)
        return start + bad if bad >= 0 else -1

    return next((bad for bad in shared(part, range(0, len(rows), PAIRS_AT_ONCE)) if bad >= 0), None)


def readable(rows: Rows) -> np.ndarray:
    """The rows as compiled loops tell their types apart: float16 as uint16, bfloat16 as int16; nothing is copied."""
    if isinstance(rows.held, np.ndarray):
        return rows.held.view(np.uint16) if rows.held.dtype == _HALF else rows.held
    import torch

    return rows.held.detach().cpu().view(torch.int16).numpy()


def float32_of(entry):
    """The float32 number that an entry of `readable` rows is."""


@overload(float32_of)
def _float32_of_any(entry):
    return {types.uint16: _of_half, types.int16: _of_bfloat}.get(entry, lambda entry: np.float32(entry))


def _of_half(entry):
    # By whole numbers: not every processor has an instruction for it. 2^112 is what the exponents begin apart.
    bits = np.uint32(entry)
    size = np.uint32((bits & np.uint32(0x7FFF)) << np.uint32(13)).view(np.float32) * np.float32(2.0**112)
    if bits & np.uint32(0x7C00) == np.uint32(0x7C00):
        size = np.uint32(((bits & np.uint32(0x7FFF)) << np.uint32(13)) | np.uint32(0x7F800000)).view(np.float32)
    return -size if bits & np.uint32(0x8000) else size


def _of_bfloat(entry):
    return np.uint32(np.uint32(np.uint16(entry)) << np.uint32(16)).view(np.float32)


@intrinsic
def fetch(typing, address):
    """Begin to bring the line at an address near; where nothing is, nothing happens."""
    integer, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [pointer, integer, integer, integer])

    def generate(context, builder, signature, arguments):
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # To be read (0), into every cache (3), of data (1).
        builder.call(fetch, [builder.inttoptr(arguments[0], pointer), integer(0), integer(3), integer(1)])
        return context.get_dummy_value()

    return types.void(types.uintp), generate


# Sums of grid products are exact in any order, so they may be taken in vector registers.
@compiled(reassociate=True)
def _scores(queries, vectors, query_rows, rows, scores, ahead):
    """Fill the scores up to the first pair that names no row, whose number is returned; -1 for none."""
    dimension = vectors.shape[1]
    count, last = len(rows), len(rows) - ahead
    first_left, first_right = queries.ctypes.data, vectors.ctypes.data
    step_left, step_right = queries.strides[0], vectors.strides[0]
    width = dimension * max(queries.itemsize, vectors.itemsize)
    for pair in range(count):
        if pair < last:
            next_left = first_left + query_rows[pair + ahead] * step_left
            next_right = first_right + rows[pair + ahead] * step_right
            # By turns: that is a third quicker than one row after the other.
            for offset in range(0, width, LINE):
                fetch(next_left + offset)
                fetch(next_right + offset)
        one, other = query_rows[pair], rows[pair]
        if one < 0 or one >= queries.shape[0] or other < 0 or other >= vectors.shape[0]:
            return pair
        left, right = queries[one], vectors[other]
        total = 0.0
        for place in range(dimension):
            # A power of two times a float32 number, and its nearest whole number, are float32 numbers too.
            ours, theirs = np.rint(float32_of(left[place]) * _GRID), np.rint(float32_of(right[place]) * _GRID)
            total += np.float64(ours) * np.float64(theirs)
        scores[pair] = total * _UNIT
    return -1
