"""Strips of float32 scores: products of some queries with many rows, and how far from the exact scores they may be.

Rows and queries are rounded to the grid of `vfsearch.kernels.exact` first, which float32 holds without loss, so that
the sums are the only thing that is rounded. Each sum is taken in the order of the dimensions; its k-th step is off by
at most u = 2^-24 times the length of the first k entries of the one row times that of the other. Over all steps that
is, by Cauchy-Schwarz, at most u times the product of what is called *reach* here, the root of the sum of those squared
lengths: about half of the bound that d steps of full length give.

Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1, with the partial sums kept.
"""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.tiles import FLOAT32, PANEL, ROWS, tile_sums

_SUMS = tile_sums(FLOAT32)
_GRID = np.float32(2**26)
_STEP = np.float32(2**-26)
_ROWS_AT_ONCE = 256


def margins(reach: np.ndarray, length: np.ndarray, most_reach: float, most_length: float, dimension: int) -> np.ndarray:
    """How far a float32 score, or a float32 number beside an exact score, may be from the exact score.

    Three more roundings of a full score: of the products where there is no fused multiply-add, and of a threshold that
    a margin was added to, with its own error.

    Args:
        reach, length: (q,) of the queries.
        most_reach, most_length: the greatest of the rows.
        dimension: of both.
    """
    rounding = 2.0**-24 * 1.001 / (1 - dimension * 2.0**-24)
    return rounding * (reach * most_reach + 3 * length * most_length) + 1e-30


@compiled
def put(rows, places, out):
    """Write rows to their places, rounded to the grid; (greatest reach, greatest length), NaN if one is not finite."""
    dimension = rows.shape[1]
    most_reach, most_length = 0.0, 0.0
    for row in range(rows.shape[0]):
        target = out[places[row]]
        for column in range(dimension):
            target[column] = np.rint(rows[row, column] * _GRID) * _STEP
        reach, length = _lengths(target)
        # Written so that NaN stays.
        most_reach = most_reach if reach <= most_reach else reach
        most_length = most_length if length <= most_length else length
        if most_length != most_length:
            break
    return np.sqrt(most_reach), np.sqrt(most_length)


@compiled
def lengths(rows, reach, length):
    """Fill in (q,) the reach and the length of each row."""
    for row in range(reach.shape[0]):
        squares = _lengths(rows[row])
        reach[row], length[row] = np.sqrt(squares[0]), np.sqrt(squares[1])


@compiled(reassociate=True)
def _lengths(row):
    """The squares of reach and length."""
    reach, length = 0.0, 0.0
    dimension = row.shape[0]
    for column in range(dimension):
        square = np.float64(row[column]) * np.float64(row[column])
        reach += (dimension - column) * square
        length += square
    return reach, length


@compiled
def pack(rows, first, panels):
    """Fill panels with rows from `first` on; where there are no more rows, scores will be -inf."""
    count, dimension = rows.shape
    for panel in range(panels.shape[0]):
        start = first + panel * PANEL
        for lane in range(PANEL):
            panels[panel, 0, lane] = np.float32(0) if start + lane < count else np.float32(-np.inf)
        for column in range(dimension):
            for lane in range(min(PANEL, count - start)):
                panels[panel, column + 1, lane] = rows[start + lane, column]


@compiled
def products(left, panels, first, last, out):
    """Scores of a few queries with the rows of some panels.

    Args:
        left: (q, d) float32 aligned queries, q a multiple of ROWS.
        panels: (p, d + 1, PANEL) float32, aligned.
        first, last: which panels.
        out: (at least q, at least (last - first) * PANEL) float32, aligned, with rows of a multiple of 64 bytes.
    """
    words = left.shape[1]
    stride = out.strides[0]
    # Addresses are unsigned; mixed with signed numbers they would become floats.
    queries, rows, scores = np.int64(left.ctypes.data), np.int64(panels.ctypes.data), np.int64(out.ctypes.data)
    for panel in range(first, last):
        right = rows + panel * (words + 1) * PANEL * 4
        column = scores + (panel - first) * PANEL * 4
        for row in range(0, left.shape[0], ROWS):
            _SUMS(queries + row * words * 4, right, words, column + row * stride, stride)


@compiled(reassociate=True)
def exact(queries, query, rows, row):
    """The exact score of a query in float64 and a row in float32, both on the grid: right in any order."""
    total = 0.0
    for column in range(rows.shape[1]):
        total += queries[query, column] * np.float64(rows[row, column])
    return total


@compiled(reassociate=True)
def exact_of_four(queries, query, rows, row):
    """The exact scores of four queries, from `query` on, with one row, which is read and widened once."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    for column in range(rows.shape[1]):
        entry = np.float64(rows[row, column])
        one += queries[query, column] * entry
        two += queries[query + 1, column] * entry
        three += queries[query + 2, column] * entry
        four += queries[query + 3, column] * entry
    return one, two, three, four


@compiled
def exact_block(queries, first, last, rows, start, stop, out):
    """Exact scores of some queries with some rows.

    Args:
        queries: (q, d) float64.
        first, last: which queries.
        rows: (n, d) float32.
        start, stop: which rows.
        out: (at least last - first, at least stop - start) float64, filled.
    """
    whole = first + (last - first) // 4 * 4
    # A few rows at a time, which stay in the cache while the queries go by.
    for part in range(start, stop, _ROWS_AT_ONCE):
        behind = min(part + _ROWS_AT_ONCE, stop)
        for query in range(first, whole, 4):
            for row in range(part, behind):
                four = exact_of_four(queries, query, rows, row)
                for each in range(4):
                    out[query - first + each, row - start] = four[each]
        for query in range(whole, last):
            for row in range(part, behind):
                out[query - first, row - start] = exact(queries, query, rows, row)
