"""How many scores are above each threshold of a query, and equal to it, by counting: nothing is sorted or kept.

A strip of float32 scores is counted as soon as it is made, while it is in the cache. Few thresholds are compared with
every score; of many, the scores are counted by bins (`vfsearch.kernels.cpu.places`). Scores within the margin of a
threshold, one in some hundreds usually, are computed again exactly, so that the counts are those of exact scores.
"""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.places import (
    BINS,
    bin_of,
    bins_in_all,
    bins_of,
    bins_wanted,
    bounds,
    first_from,
    place_from,
    table,
)
from vfsearch.kernels.cpu.strips import exact, products
from vfsearch.kernels.cpu.tiles import PANEL

FEW = 8
"""Up to so many thresholds are compared with every score."""
AT_ONCE = 1024
ALWAYS_UNSURE = 512
MANY = 1024
"""More thresholds than this and a quarter of the scores are left as well: nearly every score is near one."""


@compiled
def count(left, queries, panels, rows, thresholds, starts, sizes, own, skip, margin, span, strip, beyond, equal, hard):
    """Count the scores of some queries with the rows of some panels.

    Args:
        left: (q', d) float32 aligned queries, padded to whole tiles.
        queries: (q, d) float64, the same.
        panels: (p, d + 1, PANEL) float32 aligned, of `rows`.
        rows: (n, d) float32.
        thresholds: (t,) float64 exact scores, those of each query side by side, distinct and ascending.
        starts: (q + 1,) int64 where those of each query begin.
        sizes: (q,) int64 how many it has.
        own: (q, 2) int64 from which to which row a query's mates stand, which are not counted.
        skip: (q,) int64 one further row that is not counted, -1 for none.
        margin: (q,) float64 how far a float32 score may be from the exact one.
        span: the first panel, and the one behind the last.
        strip: (s, w) float32 aligned, scratch: s queries, a multiple of ROWS, and w rows are looked at together.
        beyond: (t,) int64; to each threshold is added how many scores are above it but not above the next one.
        equal: (t,) int64; to each is added how many scores are equal to it.
        hard: (q,) bool; set for queries with so many thresholds, or scores within the margin of one, that they were
            left: what is added for them means nothing.
    """
    room = np.max(sizes) + 1
    lower, upper, placed = np.empty(room, np.float32), np.empty(room, np.float32), np.empty(room, np.int64)
    scratch = (
        np.empty(BINS, np.uint8),
        np.empty(BINS, np.int32),
        np.empty((BINS, 3), np.int32),
        np.empty(BINS, np.uint32),
        np.empty(AT_ONCE, np.uint16),
        np.empty(strip.shape[1] + 1, np.int32),
    )
    wide = strip.shape[1] // PANEL
    for query in range(0, queries.shape[0], strip.shape[0]):
        part = left[query : query + strip.shape[0]]
        for panel in range(span[0], span[1], wide):
            last = min(panel + wide, span[1])
            products(part, panels, panel, last, strip)
            first_row, width = panel * PANEL, (last - panel) * PANEL
            for each in range(query, min(query + strip.shape[0], queries.shape[0])):
                if sizes[each] > max(MANY, width // 4):
                    hard[each] = True
                if hard[each]:
                    continue
                scores = strip[each - query, :width]
                leave_out(scores, first_row, own[each, 0], own[each, 1], skip[each])
                start, stop = starts[each], starts[each] + sizes[each]
                mine = thresholds[start:stop]
                low, high = lower[: len(mine) + 1], upper[: len(mine) + 1]
                bounds(mine, margin[each], low, high)
                asks = (queries, each, rows, first_row)
                if sizes[each] <= FEW:
                    hard[each] |= _compare(scores, low, high, mine, asks, placed, equal[start:stop])
                else:
                    hard[each] |= _by_bins(scores, low, high, mine, asks, scratch, placed, equal[start:stop])
                for place in range(sizes[each]):
                    beyond[start + place] += placed[place + 1]


@compiled
def leave_out(scores, first_row, start, stop, skip):
    """Make the scores of a query's mates, and of one row more, count nowhere."""
    for column in range(max(start - first_row, 0), min(stop - first_row, scores.shape[0])):
        scores[column] = -np.inf
    if first_row <= skip < first_row + scores.shape[0]:
        scores[skip - first_row] = -np.inf


@compiled
def _compare(scores, low, high, thresholds, asks, placed, equal):
    """Fill in how many scores have each place, by comparing every score with every threshold; whether it is hard."""
    queries, query, rows, first_row = asks
    placed[: thresholds.shape[0] + 1] = 0
    unsure, most = 0, most_unsure(scores)
    for start in range(0, scores.shape[0], AT_ONCE):
        part = scores[start : start + AT_ONCE]
        before = 0
        for place in range(thresholds.shape[0] - 1, -1, -1):
            surely, perhaps = _reaching(part, low[place], high[place])
            unsure += perhaps - surely
            if unsure > most:
                return True
            if surely < perhaps:
                for column in range(part.shape[0]):
                    if low[place] <= part[column] <= high[place]:
                        decided = exact(queries, query, rows, first_row + start + column)
                        surely += decided > thresholds[place]
                        equal[place] += decided == thresholds[place]
            placed[place + 1] += surely - before
            before = surely
    return False


@compiled
def _reaching(scores, low, high):
    """How many scores are above the one, and at least the other."""
    surely, perhaps = np.int32(0), np.int32(0)
    for column in range(scores.shape[0]):
        surely += np.int32(scores[column] > high)
        perhaps += np.int32(scores[column] >= low)
    return np.int64(surely), np.int64(perhaps)


@compiled
def _by_bins(scores, low, high, thresholds, asks, scratch, placed, equal):
    """As `_compare`, but by counting bins; scores in bins near a threshold are placed one by one."""
    queries, query, rows, first_row = asks
    near, first, clear, counts, bins, found = scratch
    count = thresholds.shape[0]
    wanted = bins_wanted(count, scores.shape[0])
    lowest, scale, top, runs = table(low, high, count, wanted, near, first, clear)
    counts[: bins_in_all(wanted)] = 0
    listed = 0
    for start in range(0, scores.shape[0], AT_ONCE):
        part = scores[start : start + AT_ONCE]
        bins_of(part, lowest, scale, top, bins)
        listed = _count_bins(bins[: part.shape[0]], counts, near, found, listed, start)
    placed[: count + 1] = 0
    _add_runs(counts, clear, runs, placed)
    unsure = 0
    for each in range(listed):
        column = found[each]
        score = scores[column]
        place = place_from(first[bin_of(score, lowest, scale, top)], score, high)
        placed[place] += 1
        found[unsure] = column
        unsure += np.int64(score >= low[place])
    if unsure > most_unsure(scores):
        return True
    for each in range(unsure):
        column = found[each]
        score = scores[column]
        place = place_from(first[bin_of(score, lowest, scale, top)], score, high)
        placed[place] -= 1
        decided = exact(queries, query, rows, first_row + column)
        place = first_from(place, decided, thresholds)
        placed[place] += 1
        if place < count:
            equal[place] += decided == thresholds[place]
    return False


@compiled
def most_unsure(scores):
    """So many scores at most are computed exactly one by one; for more it is quicker to sort all exact scores."""
    return max(ALWAYS_UNSURE, scores.shape[0] // 8)


@compiled
def _count_bins(bins, counts, near, found, listed, start):
    """Count the bins and list the columns of scores in near ones: for each score, without a branch to guess."""
    # Unsigned, so that it is not tried whether the place counts from the end.
    place = np.uint64(listed)
    for column in range(bins.shape[0]):
        each = bins[column]
        counts[each] += np.uint32(1)
        found[place] = np.int32(start + column)
        place += np.uint64(near[each])
    return np.int64(place)


@compiled
def _add_runs(counts, clear, runs, placed):
    """Add the counts of the bins that are near no threshold to the places of their scores."""
    for run in range(runs):
        total = np.uint32(0)
        for each in range(clear[run, 0], clear[run, 1]):
            total += counts[each]
        placed[clear[run, 2]] += np.int64(total)
