"""Where float32 scores stand among a query's thresholds: a table of bins that most scores need to look at once.

The bins divide the range of the thresholds evenly. All scores of a bin stand in the same place, that is between the
same two thresholds, unless the bin comes within the margin of one: such a bin is *near*, and its scores are looked at
one by one. Numbers of bins are taken by the same float32 steps for thresholds and for scores, each of which keeps the
order, so that no score can be on the wrong side.
"""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled

EDGE = 16
"""Bins beyond each end. One alone would be counted up by one score after the other, each waiting for the last."""
MOST_BINS = 4096
LEAST_BINS = 256
BINS_PER_THRESHOLD = 32
BINS = MOST_BINS + 2 * EDGE + 2


@compiled
def bounds(thresholds, margin, low, high):
    """Fill in what a score must be below, or above, to be surely below, or above, each threshold.

    Args:
        thresholds: (p,) float64.
        margin: how far a score may be from the exact one.
        low, high: (p + 1,) float32; +inf follows the last.
    """
    count = thresholds.shape[0]
    for place in range(count):
        low[place] = np.float32(thresholds[place] - margin)
        high[place] = np.float32(thresholds[place] + margin)
    low[count], high[count] = np.inf, np.inf


@compiled
def table(low, high, count, wanted, near, first, clear):
    """Lay out the bins of a query.

    Args:
        low, high: from `bounds`, ascending.
        count: of thresholds, at least 1.
        wanted: how many bins.
        near: (BINS,) uint8, filled with 1 where scores must be looked at, else 0.
        first: (BINS,) int32, filled for near bins with the first threshold that may be there.
        clear: (BINS, 3) int32, filled with the first bin, the one behind the last, and the place, of each run of bins
            that are not near: all of its scores are above so many thresholds.
    Returns:
        (lowest, scale, top) for `bins_of`, and the number of runs.
    """
    lowest = low[0]
    width = max(high[count - 1] - lowest, np.float32(1e-30))
    scale = np.float32(wanted) / width
    top = np.float32(EDGE + wanted)
    near[: bins_in_all(wanted)] = 0
    unfilled, runs = 0, 0
    for place in range(count):
        start = max(bin_of(low[place], lowest, scale, top), unfilled)
        stop = bin_of(high[place], lowest, scale, top) + 1
        if unfilled < start:
            clear[runs, 0], clear[runs, 1], clear[runs, 2] = unfilled, start, place
            runs += 1
        for each in range(start, stop):
            near[each], first[each] = 1, place
        unfilled = max(unfilled, stop)
    clear[runs, 0], clear[runs, 1], clear[runs, 2] = unfilled, bins_in_all(wanted), count
    return lowest, scale, top, runs + 1


@compiled
def bins_wanted(thresholds, scores):
    """How many bins so many thresholds and scores are worth: making the table takes time as well."""
    wanted = LEAST_BINS
    while wanted < MOST_BINS and wanted < min(thresholds * BINS_PER_THRESHOLD, scores):
        wanted *= 2
    return wanted


@compiled
def bins_in_all(wanted):
    """So many bins within the range of the thresholds and those beyond its ends."""
    return wanted + 2 * EDGE + 2


@compiled
def bin_of(score, lowest, scale, top):
    """The bin of a score within the range of the thresholds."""
    place = (score - lowest) * scale + np.float32(EDGE)
    place = place if place > np.float32(EDGE) else np.float32(EDGE)
    return np.int64(place if place < top else top)


@compiled
def bins_of(scores, lowest, scale, top, bins):
    """Fill in the bin of each score; those beyond an end take turns with its EDGE bins."""
    for column in range(scores.shape[0]):
        turn = np.float32(np.int32(column) & np.int32(EDGE - 1))
        place = (scores[column] - lowest) * scale + np.float32(EDGE)
        # Written so that NaN gets a bin too.
        place = place if place > turn else turn
        last = top + np.float32(1) + turn
        place = place if place < last else last
        bins[column] = np.uint16(np.int32(place))


@compiled
def place_from(start, score, high):
    """How many thresholds a score is surely above.

    Args:
        start: so many it is known to be above; a few more at most, usually.
        score: float32.
        high: from `bounds`.
    """
    place = start + np.int64(high[start] < score)
    return first_from(place, score, high) if high[place] < score else place


@compiled
def first_from(start, score, values):
    """The first place from `start` on whose value is not below the score, or how many values there are.

    It takes steps that double, then halves the last one: few where the place is near, and never many.
    """
    place, step = start, 1
    while place + step <= values.shape[0] and values[place + step - 1] < score:
        place += step
        step *= 2
    stop = min(place + step, values.shape[0])
    while place < stop:
        middle = (place + stop) // 2
        if values[middle] < score:
            place = middle + 1
        else:
            stop = middle
    return place
