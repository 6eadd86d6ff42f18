"""How many scores of each unit are above each threshold of a query, and equal to it: counted by place and unit.

As in `vfsearch.kernels.cpu.counting`, but every score is placed by itself: the bin says where, and only those in bins
near a threshold are placed again.
"""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.counting import AT_ONCE, leave_out
from vfsearch.kernels.cpu.places import BINS, EDGE, bin_of, bins_of, bins_wanted, bounds, first_from, place_from, table
from vfsearch.kernels.cpu.strips import exact, products
from vfsearch.kernels.cpu.tiles import PANEL


@compiled
def count_units(
    left, queries, panels, rows, thresholds, starts, sizes, own, skip, margin,
    span, strip, units, first, above, tied, beyond, equal,
):  # fmt: skip
    """Count the scores of some queries with the rows of some panels, by unit.

    Args:
        left, queries, panels, rows, thresholds, starts, sizes, own, skip, margin, span, strip, beyond, equal: as in
            `counting.count`; strips of less than 2^16 rows.
        units: (n,) int32 unit of each row.
        first: (q,) int64 where the blocks of each query are written.
        above: (m, U) int64, best block first; to each is added how many rows of a unit score above it.
        tied: (m, U) int64; those that are equal to it.
    """
    wide, room, count = strip.shape[1] // PANEL, np.max(sizes) + 1, above.shape[1]
    lower, upper = np.empty(room, np.float32), np.empty(room, np.float32)
    # The places below all thresholds, of which nobody asks, are EDGE lines: one alone would be waited for.
    table_ = np.empty((room + EDGE, count), np.uint16)
    running = np.empty(count, np.int64)
    scratch = (
        np.empty(BINS, np.uint8),
        np.empty(BINS, np.int32),
        np.empty((BINS, 3), np.int32),
        np.empty(AT_ONCE, np.uint16),
        np.empty(strip.shape[1] + 1, np.int32),
    )
    for query in range(0, queries.shape[0], strip.shape[0]):
        part = left[query : query + strip.shape[0]]
        for panel in range(span[0], span[1], wide):
            last = min(panel + wide, span[1])
            products(part, panels, panel, last, strip)
            first_row, width = panel * PANEL, (last - panel) * PANEL
            for each in range(query, min(query + strip.shape[0], queries.shape[0])):
                scores = strip[each - query, :width]
                leave_out(scores, first_row, own[each, 0], own[each, 1], skip[each])
                start, stop = starts[each], starts[each] + sizes[each]
                mine = thresholds[start:stop]
                low, high = lower[: len(mine) + 1], upper[: len(mine) + 1]
                bounds(mine, margin[each], low, high)
                lines = table_[: len(mine) + EDGE]
                blocks = slice(first[each], first[each] + sizes[each])
                _place_all(
                    scores, low, high, mine, queries, each, rows, first_row, scratch, units, lines,
                    tied[blocks], equal[start:stop],
                )  # fmt: skip
                _add_up(lines, running, above[blocks], beyond[start:stop])


@compiled
def _place_all(
    scores, low, high, thresholds, queries, query, rows, first_row, scratch, units, lines, tied, equal
):  # fmt: skip
    """Fill in the lines of scores by place and unit; add the ties."""
    near, line, clear, bins, found = scratch
    count = len(thresholds)
    wanted = bins_wanted(count, scores.shape[0])
    lowest, scale, top, runs = table(low, high, count, wanted, near, line, clear)
    _fill_lines(line, clear, runs)
    lines[:] = 0
    listed = 0
    for start in range(0, scores.shape[0], AT_ONCE):
        part = scores[start : start + AT_ONCE]
        bins_of(part, lowest, scale, top, bins)
        row = first_row + start
        here = min(part.shape[0], units.shape[0] - row)
        listed = _count_lines(bins[:here], units[row : row + here], line, near, lines, found, listed, start)
    for each in range(listed):
        column = found[each]
        score, unit = scores[column], units[first_row + column]
        start = line[bin_of(score, lowest, scale, top)]
        place = place_from(start, score, high)
        if score >= low[place]:
            decided = exact(queries, query, rows, first_row + column)
            place = first_from(place, decided, thresholds)
            if place < count and thresholds[place] == decided:
                equal[place] += 1
                tied[count - 1 - place, unit] += 1
        lines[EDGE - 1 + start, unit] -= np.uint16(1)
        lines[EDGE - 1 + place, unit] += np.uint16(1)


@compiled
def _fill_lines(line, clear, runs):
    """The place of every bin that is not near; the bins below all thresholds get lines of their own."""
    for run in range(runs):
        for each in range(clear[run, 0], clear[run, 1]):
            line[each] = clear[run, 2]
    for each in range(EDGE):
        line[each] = each - (EDGE - 1)


@compiled
def _count_lines(bins, units, line, near, lines, found, listed, start):
    """Count by line and unit, and list the columns of scores in near bins."""
    place, count = np.uint64(listed), lines.shape[1]
    flat = lines.reshape(lines.size)
    for column in range(bins.shape[0]):
        each = bins[column]
        flat[np.uint64((line[each] + (EDGE - 1)) * count + units[column])] += np.uint16(1)
        found[place] = np.int32(start + column)
        place += np.uint64(near[each])
    return np.int64(place)


@compiled
def _add_up(lines, running, above, beyond):
    """Add, to each threshold from the highest on, what is above it."""
    running[:] = 0
    count = above.shape[0]
    for block in range(count):
        line, total = EDGE + count - 1 - block, 0
        for unit in range(running.shape[0]):
            found = np.int64(lines[line, unit])
            running[unit] += found
            above[block, unit] += running[unit]
            total += found
        beyond[count - 1 - block] += total
