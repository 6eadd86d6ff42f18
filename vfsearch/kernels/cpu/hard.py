"""Counting by sorting exact scores, for queries whose float32 scores tell too little.

Where hundreds of rows are nearly or quite the same, most scores are within the margin of a threshold.
"""

import numpy as np

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.counting import leave_out
from vfsearch.kernels.cpu.places import first_from
from vfsearch.kernels.cpu.strips import exact_block
from vfsearch.kernels.cpu.tiles import PANEL

TOGETHER = 16


def count_by_sorting(
    hard: np.ndarray, facts: tuple[np.ndarray, ...], span: tuple[int, int], strip: np.ndarray,
    beyond: np.ndarray, equal: np.ndarray,
) -> None:  # fmt: skip
    """Count the scores of some queries with the rows of some panels.

    Args:
        hard: (h,) which queries.
        facts: the first arguments of `counting.count`.
        span: the first panel, and the one behind the last.
        strip: scratch of that function, as large as the scratch here may be.
        beyond, equal: (t,) int64; those of these queries are filled.
    """
    _, queries, _, rows, thresholds, starts, sizes, own, skip, _ = facts
    first, last = (min(panel * PANEL, len(rows)) for panel in span)
    wide = max(1, strip.size // (2 * TOGETHER))
    for start in range(0, len(hard), TOGETHER):
        some = hard[start : start + TOGETHER]
        for query in some:
            mine = slice(starts[query], starts[query] + sizes[query])
            beyond[mine] = equal[mine] = 0
        for row in range(first, last, wide):
            stop = min(row + wide, last)
            scores = np.empty((len(some), stop - row))
            exact_block(queries[some], 0, len(some), rows, row, stop, scores)
            for line, query in zip(scores, some, strict=True):
                leave_out(line, row, own[query, 0], own[query, 1], skip[query])
            scores.sort(axis=1)
            for line, query in zip(scores, some, strict=True):
                mine = slice(starts[query], starts[query] + sizes[query])
                _between(line, thresholds[mine], beyond[mine], equal[mine])


@compiled
def _between(ascending, thresholds, beyond, equal):
    """Add what `counting.count` adds, from scores in ascending order."""
    before = 0
    for each in range(thresholds.shape[0]):
        place = first_from(before, thresholds[each], ascending)
        after = first_from(place, np.nextafter(thresholds[each], np.inf), ascending)
        equal[each] += after - place
        if each > 0:
            beyond[each - 1] += after - before
        before = after
    if thresholds.shape[0] > 0:
        beyond[thresholds.shape[0] - 1] += ascending.shape[0] - before
