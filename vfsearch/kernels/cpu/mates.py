"""The exact scores of mates, and what their counts become: blocks of ties, best first."""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.strips import exact_block

_QUERIES, _ROWS = 8, 256


@compiled
def mate_scores(queries, rows, own, skip, starts, filled, out):
    """Write the exact scores of the mates among some rows behind those that are there already.

    Args:
        queries: (q, d) float64, on the grid.
        rows: (n, d) float32, on the grid.
        own: (q, 2) int64 from which to which row the mates of each query stand.
        skip: (q,) int64 one row that is no mate, -1 for none.
        starts: (q,) int64 where the scores of each query begin.
        filled: (q,) int64 how many are there; added to.
        out: (t,) float64 scores.
    """
    block = np.empty((_QUERIES, _ROWS), np.float64)
    query = 0
    while query < queries.shape[0]:
        start, stop = own[query]
        last = query + 1
        # Queries of one identity have the same mates, which are read once for several.
        while last < min(query + _QUERIES, queries.shape[0]) and own[last, 0] == start and own[last, 1] == stop:
            last += 1
        for row in range(start, stop, _ROWS):
            behind = min(row + _ROWS, stop)
            exact_block(queries, query, last, rows, row, behind, block)
            for each in range(query, last):
                _keep(block[each - query], row, behind, skip[each], starts[each], filled[each : each + 1], out)
        query = last


@compiled
def _keep(scores, row, behind, skip, start, filled, out):
    place = start + filled[0]
    for each in range(row, behind):
        if each != skip:
            out[place] = scores[each - row]
            place += 1
    filled[0] = place - start


def sort_each(scores: np.ndarray, starts: np.ndarray) -> None:
    """Sort the scores of each query: those of queries side by side with equally many are one matrix to numpy.

    Args:
        scores: (t,) float64, written over.
        starts: (q + 1,) int64 where those of each query begin, and where the last end.
    """
    widths = np.diff(starts)
    first = np.flatnonzero(np.diff(widths, prepend=-1))
    for start, stop in zip(first, [*first[1:], len(widths)], strict=True):
        scores[starts[start] : starts[stop]].reshape(stop - start, -1).sort(axis=1)


@compiled
def keep_distinct(scores, starts, sizes, times):
    """Keep each score of a query once.

    Args:
        scores: (t,) float64 ascending for each query, written over.
        starts: (q + 1,) int64 where those of each query begin, and where the last end.
        sizes: (q,) int64, filled with how many different ones.
        times: (t,) int64, filled with how often each is there.
    """
    for query in range(sizes.shape[0]):
        start, size = starts[query], 0
        for place in range(start, starts[query + 1]):
            if size > 0 and scores[start + size - 1] == scores[place]:
                times[start + size - 1] += 1
            else:
                scores[start + size], times[start + size] = scores[place], 1
                size += 1
        sizes[query] = size


@compiled
def blocks(starts, sizes, beyond, equal, times, first, above, tied, mates_above, mates_tied):
    """Write the blocks of ties of some queries, best first.

    Args:
        starts, sizes: (q,) int64 where the thresholds of each query stand.
        beyond, equal: (t,) int64 from counting; mates are not in them.
        times: (t,) int64 mates at each threshold.
        first: (q,) int64 where the blocks of each query are written.
        above, tied, mates_above, mates_tied: (m,) int64, filled.
    """
    for query in range(sizes.shape[0]):
        others, mates, out = 0, 0, first[query]
        for place in range(starts[query] + sizes[query] - 1, starts[query] - 1, -1):
            others += beyond[place]
            above[out], tied[out] = others + mates, equal[place] + times[place]
            mates_above[out], mates_tied[out] = mates, times[place]
            mates += times[place]
            out += 1
