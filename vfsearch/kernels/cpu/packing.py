"""Rows as operands of tile products, with what the rounding of their entries can change.

The bound that everything rests on: for a query q and a row x, rounded to q' and x',
|q x - q' x'| <= |q| |x - x'| + |q - q'| |x'| (Cauchy-Schwarz). The lengths of both differences are measured, row by
row, while the rows are packed; nothing is assumed of the data.
"""

import math
from dataclasses import dataclass

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS, Kind
from vfsearch.kernels.threads import shared

LINE = 64
PANELS_AT_ONCE = 64
MOST_INT8_DIMENSIONS = 1024
"""Sums of 8-bit products of more dimensions would not be whole numbers of float32."""
CODES = {INT8: 0, BF16: 1, FLOAT32: 2}
# What is lost by measuring lengths in float32, and by storing bounds in it.
_INFLATED = np.float32(1.001)


def aligned(shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Zeros that begin at a multiple of 64 bytes, as tile products want them."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE, dtype=np.uint8)
    start = -memory.ctypes.data % LINE
    return memory[start : start + size].view(dtype).reshape(shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class Panels:
    """Gallery rows as operands: p panels of PANEL rows each.

    Args:
        kind: of the numbers.
        words: (p, words + 1, PANEL) uint32; starting values first, then the rows word by word.
        scale: (p,) what an 8-bit number counts; 1 for others.
        residual: (p,) the longest difference that rounding made to a row.
        length: (p,) the greatest length of a rounded row.
        start: (p,) the greatest absolute starting value.
        rows: how many rows they hold.
        bad: the first row that is not finite, or longer than the caller allowed; -1 for none.
    """

    kind: Kind
    words: np.ndarray
    scale: np.ndarray
    residual: np.ndarray
    length: np.ndarray
    start: np.ndarray
    rows: int
    bad: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Probes:
    """Queries as operands, padded with zeros to whole tiles.

    Args:
        kind: of the numbers.
        words: (q', words) uint32.
        scale: (q',) what an 8-bit number counts; 1 for others.
        residual, length: (q',) of the difference that rounding made, and of the query.
        offset: (q',) what a sum is too large by, because 8-bit rows are stored without sign.
    """

    kind: Kind
    words: np.ndarray
    scale: np.ndarray
    residual: np.ndarray
    length: np.ndarray
    offset: np.ndarray


def bytes_of_panels(kind: Kind, rows: int, dimension: int) -> int:
    """Memory that the panels of some rows take."""
    panels = -(-rows // PANEL)
    return panels * ((kind.words(dimension) + 1) * PANEL * 4 + 16)


def pack_rows(kind: Kind, read, start: int, stop: int, dimension: int, distances: bool, longest: float) -> Panels:
    """The panels of some rows.

    Args:
        kind: of the numbers.
        read: (first, last) -> (last - first, dimension) float32 rows.
        start, stop: which rows.
        dimension: of the rows.
        distances: sums begin at minus half the squared length of a row, so that their order is that of distances.
        longest: the greatest length that a row may have.
    """
    count = -(-(stop - start) // PANEL)
    words = aligned((count, kind.words(dimension) + 1, PANEL), np.uint32)
    facts = np.zeros((4, count), dtype=np.float32)

    def part(first: int) -> int:
        last = min(first + PANELS_AT_ONCE, count)
        rows = read(start + first * PANEL, min(start + last * PANEL, stop))
        scratch = np.zeros((2, (words.shape[1] - 1) * 4), dtype=np.uint32)
        bad = _pack_panels(CODES[kind], rows, words[first:last], facts[:, first:last], distances, longest, scratch)
        return start + first * PANEL + bad if bad >= 0 else -1

    found = [bad for bad in shared(part, range(0, count, PANELS_AT_ONCE)) if bad >= 0]
    scale, residual, length, greatest = facts
    return Panels(
        kind=kind, words=words, scale=scale, residual=residual, length=length, start=greatest,
        rows=stop - start, bad=min(found, default=-1),
    )  # fmt: skip


def pack_queries(kind: Kind, queries: np.ndarray, distances: bool) -> Probes:
    """Queries as operands.

    Args:
        kind: of the numbers.
        queries: (q, d) float32, finite.
        distances: what they are asked for.
    """
    padded = -(-len(queries) // ROWS) * ROWS
    words = aligned((padded, kind.words(queries.shape[1])), np.uint32)
    facts = np.zeros((4, padded), dtype=np.float32)
    facts[0] = 1
    scratch = np.zeros((2, words.shape[1] * 4), dtype=np.uint32)
    _pack_queries(CODES[kind], queries, words, facts, distances, scratch)
    scale, residual, length, offset = facts
    return Probes(kind=kind, words=words, scale=scale, residual=residual, length=length, offset=offset)


def int8_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows as 8-bit numbers, each row with a scale of its own.

    Args:
        rows: (n, d) float32, finite, contiguous.
    Returns:
        (n, d) int8, and (n,) float32 what one of them counts.
    """
    short, scales = np.empty(rows.shape, np.int8), np.empty(len(rows), np.float32)
    _shorten(rows, short, scales)
    return short, scales


@compiled(reassociate=True, borrows=True)
def _shorten(rows, short, scales):
    for row in range(rows.shape[0]):
        scales[row] = max(greatest_of(rows[row]) / np.float32(127), np.float32(1e-30))
        inverse = np.float32(1) / scales[row]
        for place in range(rows.shape[1]):
            short[row, place] = np.int8(np.rint(rows[row, place] * inverse))


@compiled(reassociate=True, borrows=True)
def _pack_panels(code, rows, words, facts, distances, longest, scratch):
    """Fill panels; the first row that is too long or not finite, or -1."""
    bad = -1
    count, dimension = rows.shape
    width = words.shape[1] - 1
    lost_length = lost_length_of(dimension, distances)
    for panel in range(words.shape[0]):
        first = panel * PANEL
        last = min(first + PANEL, count)
        scale = np.float32(1)
        if code == 0:
            greatest = np.float32(0)
            for row in range(first, last):
                greatest = max(greatest, greatest_of(rows[row]))
            scale = max(greatest / np.float32(127), np.float32(1e-30))
        facts[0, panel] = scale
        starts = words[panel, 0].view(np.float32)
        for row in range(first, last):
            square, lost = words_of(code, rows[row], scale, scratch, 128)
            length = np.sqrt(square) * _INFLATED + lost_length
            if not length <= longest and bad < 0:
                bad = row
            residual = np.sqrt(lost) * _INFLATED + lost_length
            facts[1, panel] = max(facts[1, panel], residual)
            facts[2, panel] = max(facts[2, panel], length + residual)
            for place in range(width):
                words[panel, place + 1, row - first] = scratch[0, place]
            if distances:
                half = np.float32(0.5) * square
                facts[3, panel] = max(facts[3, panel], half)
                starts[row - first] = -half
    return bad


@compiled(reassociate=True, borrows=True)
def _pack_queries(code, queries, words, facts, distances, scratch):
    dimension = queries.shape[1]
    width = words.shape[1]
    lost_length = lost_length_of(dimension, distances)
    for row in range(queries.shape[0]):
        scale = np.float32(1)
        if code == 0:
            scale = max(greatest_of(queries[row]) / np.float32(127), np.float32(1e-30))
        square, lost = words_of(code, queries[row], scale, scratch, 0)
        facts[0, row] = scale
        facts[1, row] = np.sqrt(lost) * _INFLATED + lost_length
        facts[2, row] = np.sqrt(square) * _INFLATED + lost_length
        for place in range(width):
            words[row, place] = scratch[0, place]
        if code == 0:
            total = 0
            signed = words[row].view(np.int8)
            for place in range(dimension):
                total += np.int64(signed[place])
            facts[3, row] = np.float32(128 * total)


@compiled(borrows=True)
def lost_length_of(dimension, distances):
    """What the lengths miss: squares too small for float32, and the rounding to the grid of exact scores."""
    least = 1e-18 if distances else 1e-18 + 2.0**-27
    return np.float32(least * np.sqrt(dimension)) * _INFLATED


@compiled(reassociate=True, borrows=True)
def greatest_of(row):
    """The greatest absolute entry of a row."""
    greatest = np.float32(0)
    for place in range(row.shape[0]):
        greatest = max(greatest, abs(row[place]))
    return greatest


@compiled(reassociate=True, borrows=True)
def words_of(code, row, scale, scratch, above):
    """Write the words of one row to scratch[0]; its squared length, and that of the difference by rounding."""
    square, lost = np.float32(0), np.float32(0)
    dimension = row.shape[0]
    bits = row.view(np.uint32)
    for place in range(dimension):
        square += row[place] * row[place]
    if code == 0:
        bytes_ = scratch[0].view(np.uint8)
        inverse = np.float32(1) / scale
        for place in range(dimension):
            near = np.rint(row[place] * inverse)
            difference = row[place] - near * scale
            lost += difference * difference
            bytes_[place] = np.uint8(np.int32(near) + above)
    elif code == 1:
        halves, rounded = scratch[0].view(np.uint16), scratch[1].view(np.float32)
        for place in range(dimension):
            # To the nearest, of two equally near to the even one.
            half = (bits[place] + np.uint32(0x7FFF) + ((bits[place] >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
            halves[place] = np.uint16(half)
            scratch[1, place] = np.uint32(half << np.uint32(16))
        for place in range(dimension):
            difference = row[place] - rounded[place]
            lost += difference * difference
    else:
        for place in range(dimension):
            scratch[0, place] = bits[place]
    return square, lost
