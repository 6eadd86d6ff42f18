"""Rows that may be among the k best of a query: all of them, and few others, found while their sums are in registers.

For each query a store keeps rows whose score may reach the k-th best, each with a lower and an upper bound of its
score. The k-th greatest lower bound is a threshold T: k rows score at least T, so a row whose upper bound is below T is
not among the k best. T only rises; a store that is full drops what fell below it. A query whose store stays full, since
too many rows lie within the bounds of its k-th best, is given up here (`crowded`) and asked with closer bounds.
"""

from dataclasses import dataclass

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.packing import CODES, Panels, Probes, aligned
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS, Kind, lowest_bit, tile_hits

# Code for instructions that the processor lacks cannot even be compiled; such a kind is never asked for.
_int8_hits = tile_hits(INT8 if INT8.here else FLOAT32)
_bf16_hits = tile_hits(BF16 if BF16.here else FLOAT32)
_float32_hits = tile_hits(FLOAT32)

CACHE_BYTES = 2**18
SPARE = 256
LEAST_NEW = 32
BYTES_OF_CANDIDATE = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Store:
    """Candidates of q' queries, found in several parts of a gallery.

    Args:
        rows: (parts, q', room) int64.
        lower, upper: (parts, q', room) float32 bounds of their scores.
        counts: (parts, q') how many there are.
        limits: (parts, q') counts at which a query's candidates are gone through.
        threshold: (parts, q') float32, k rows score at least as much; +inf where crowded.
        crowded: (parts, q') uint8, 1 where there was no room.
    """

    rows: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    counts: np.ndarray
    limits: np.ndarray
    threshold: np.ndarray
    crowded: np.ndarray


def room_of(k: int) -> int:
    """Candidates that a store has room for."""
    return 8 * k + SPARE


def new_store(parts: int, queries: int, k: int) -> Store:
    """Room for candidates; `empty` must come before its use."""
    shape = (parts, queries, room_of(k))
    return Store(
        rows=np.empty(shape, dtype=np.int64),
        lower=np.empty(shape, dtype=np.float32),
        upper=np.empty(shape, dtype=np.float32),
        counts=np.empty(shape[:2], dtype=np.int64),
        limits=np.empty(shape[:2], dtype=np.int64),
        threshold=np.empty(shape[:2], dtype=np.float32),
        crowded=np.empty(shape[:2], dtype=np.uint8),
    )


def empty(store: Store, k: int, queries: int) -> None:
    """Forget all candidates; only the first so many queries will find any, the others pad the last tile."""
    store.counts[:] = 0
    store.limits[:] = 2 * k + LEAST_NEW
    store.threshold[:] = -np.inf
    store.threshold[:, queries:] = np.inf
    store.crowded[:] = 0


def relative_error(kind: Kind, dimension: int) -> float:
    """The error of a product by the rounding of its sum, as a share of the product of the lengths.

    A float32 sum of d products in any order is off by at most d u / (1 - d u), u = 2^-24; the bfloat16 instruction
    rounds twice a pair, at most as much as twice that. A starting value is such a sum itself: it counts twice. 8-bit
    sums are exact. 2^-22 covers what bounds lose when they are themselves computed and kept in float32.

    Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1.
    """
    unit = {INT8: 0.0, BF16: 2.0**-23, FLOAT32: 2.0**-24}[kind] * (dimension + 3)
    return unit / (1 - unit) + 2.0**-22


def scan(
    probes: Probes,
    panels: Panels,
    store: Store,
    part: int,
    tiles: tuple[int, int],
    taken: tuple[int, int],
    k: int,
    exclude: np.ndarray,
    first_row: int,
    dimension: int,
    distances: bool,
) -> None:
    """Put candidates of some tiles of queries among some panels into a part of a store.

    Args:
        probes: all queries.
        panels: gallery rows, of the probes' kind.
        store: for all queries.
        part: which part of it; each is filled by one thread.
        tiles, taken: first and last + 1 of the tiles and panels.
        k: how many best.
        exclude: (q',) int64 row that each query must not get; -1 for none.
        first_row: row of the gallery that the panels begin with.
        dimension: of the rows.
        distances: as the panels were packed.
    """
    block = max(1, CACHE_BYTES // panels.words[:1].nbytes)
    _scan(
        CODES[probes.kind], probes.words, probes.scale, probes.residual, probes.length, probes.offset,
        panels.words, panels.scale, panels.residual, panels.length, panels.start, panels.rows,
        store.rows[part], store.lower[part], store.upper[part], store.counts[part], store.limits[part],
        store.threshold[part], store.crowded[part], tiles[0], tiles[1], taken[0], taken[1], k, exclude, first_row,
        np.float32(relative_error(probes.kind, dimension)), np.float32(dimension * 2.0**-50 if distances else 0.0),
        aligned((ROWS, PANEL), np.int32), aligned((ROWS, block), np.int32), aligned((ROWS,), np.uint64),
        np.empty(store.rows.shape[2], dtype=np.float32), np.empty((ROWS, 5), dtype=np.float32),
    )  # fmt: skip


@compiled(borrows=True)
def _scan(
    code, words, scale, residual, length, offset, panels, panel_scale, panel_residual, panel_length, panel_start, count,
    rows, lower, upper, counts, limits, threshold, crowded, first_tile, last_tile, first_panel, last_panel, k, exclude,
    first_row, relative, noise, sums, wanted, masks,
    scratch, factor,
):  # fmt: skip
    """Blocks of panels that stay in the cache while all tiles go over them."""
    width, block = words.shape[1], wanted.shape[1]
    float_sums, float_wanted = sums.view(np.float32), wanted.view(np.float32)
    # The error of a panel is linear in what is known of the panel; 1.00001 covers its own rounding.
    up = np.float32(1.00001)
    of_start = np.float32(2) * relative * up
    panel_bytes = panels.shape[1] * panels.shape[2] * 4
    for first in range(first_panel, last_panel, block):
        last = min(first + block, last_panel)
        for tile in range(first_tile, last_tile):
            base = tile * ROWS
            address = words.ctypes.data + base * width * 4
            for row in range(ROWS):
                query = base + row
                factor[row, 0] = length[query] * up
                factor[row, 1] = (residual[query] + relative * length[query]) * up
                factor[row, 2] = (noise * length[query] * length[query] + np.float32(1e-34)) * up
                factor[row, 3] = np.float32(1) / scale[query]
                # Lower by more than what float32 rounds in sums of 8-bit products, which stay below 2^25.
                factor[row, 4] = offset[query] - abs(offset[query]) * np.float32(1e-6) - np.float32(1)
            stale = True
            for panel in range(first, last):
                if stale:
                    rest = slice(panel, last)
                    facts = (panel_scale[rest], panel_residual[rest], panel_length[rest], panel_start[rest])
                    for row in range(ROWS):
                        least = threshold[base + row]
                        if code == 0:
                            _reach_in_int8(least, factor[row], facts, wanted[row, panel - first :])
                        else:
                            _reach(least, factor[row], of_start, facts, float_wanted[row, panel - first :])
                    stale = False
                place, reach = panels.ctypes.data + panel * panel_bytes, wanted.ctypes.data + (panel - first) * 4
                if code == 0:
                    hits = _int8_hits(address, place, width, reach, block * 4, sums.ctypes.data, masks.ctypes.data)
                elif code == 1:
                    hits = _bf16_hits(address, place, width, reach, block * 4, sums.ctypes.data, masks.ctypes.data)
                else:
                    hits = _float32_hits(address, place, width, reach, block * 4, sums.ctypes.data, masks.ctypes.data)
                if hits == 0:
                    continue
                for row in range(ROWS):
                    query = base + row
                    if (hits >> row) & 1 == 0 or query >= exclude.shape[0]:
                        continue
                    mask, before = masks[row], threshold[query]
                    error = (
                        factor[row, 0] * panel_residual[panel]
                        + factor[row, 1] * panel_length[panel]
                        + factor[row, 2]
                        + of_start * panel_start[panel]
                    )
                    while mask != 0:
                        lane = np.int64(lowest_bit(mask))
                        mask &= mask - np.uint64(1)
                        item = panel * PANEL + lane
                        if code == 0:
                            total = np.float64(sums[row, lane]) - np.float64(offset[query])
                            score = np.float32(total * np.float64(scale[query]) * np.float64(panel_scale[panel]))
                        else:
                            score = float_sums[row, lane]
                        if item < count and first_row + item != exclude[query] and not crowded[query]:
                            keep(
                                query, first_row + item, score, error, k, rows, lower, upper, counts, limits,
                                threshold, crowded, scratch,
                            )  # fmt: skip
                    stale |= threshold[query] != before


@compiled(borrows=True)
def _reach(threshold, factor, of_start, facts, wanted):
    """Fill in what a query's sums in each of some panels must reach, to be within the error of its threshold."""
    _, residual, length, start = facts
    whole, rounded, always = factor[0], factor[1], factor[2]
    for panel in range(residual.shape[0]):
        wanted[panel] = threshold - (
            whole * residual[panel] + rounded * length[panel] + always + of_start * start[panel]
        )


@compiled(borrows=True)
def _reach_in_int8(threshold, factor, facts, wanted):
    """The same in whole numbers."""
    scale, residual, length, _ = facts
    whole, rounded, always, inverse, offset = factor[0], factor[1], factor[2], factor[3], factor[4]
    least, most, slack = np.float32(-1e9), np.float32(1e9), np.float32(1e-6)
    for panel in range(scale.shape[0]):
        sum_ = (threshold - (whole * residual[panel] + rounded * length[panel] + always)) * inverse / scale[panel]
        # Written so that it needs no branch.
        sum_ = sum_ if sum_ > least else least
        sum_ = sum_ if sum_ < most else most
        wanted[panel] = np.int32(sum_ - abs(sum_) * slack + offset)


@compiled(borrows=True)
def keep(query, row, score, error, k, rows, lower, upper, counts, limits, threshold, crowded, scratch):
    """Put a row among a query's candidates if it may be among its k best."""
    if score + error >= threshold[query]:
        held = counts[query]
        rows[query, held] = row
        lower[query, held] = score - error
        upper[query, held] = score + error
        counts[query] = held + 1
        if held + 1 >= limits[query]:
            _drop(query, k, rows, lower, upper, counts, limits, threshold, crowded, scratch)


@compiled(borrows=True)
def _drop(query, k, rows, lower, upper, counts, limits, threshold, crowded, scratch):
    """Raise a query's threshold, and drop the candidates that are below it."""
    held, room = counts[query], rows.shape[1]
    for place in range(held):
        scratch[place] = lower[query, place]
    least = kth_greatest(scratch, held, k)
    kept = 0
    for place in range(held):
        if upper[query, place] >= least:
            rows[query, kept] = rows[query, place]
            lower[query, kept] = lower[query, place]
            upper[query, kept] = upper[query, place]
            kept += 1
    counts[query], threshold[query] = kept, least
    limits[query] = min(kept + max(kept // 2, LEAST_NEW), room)
    if kept > k + (room - k) * 3 // 4:
        crowded[query] = 1
        counts[query], threshold[query] = 0, np.inf


@compiled(borrows=True)
def kth_greatest(values, count, k):
    """The k-th greatest of the first `count` values, which are put in another order.

    Source: Hoare, Algorithm 65: FIND, 1961.
    """
    low, high, place = 0, count - 1, k - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] > pivot:
                left += 1
            while values[right] < pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if place <= right:
            high = right
        elif place >= left:
            low = left
        else:
            break
    return values[place]
