"""Candidates of a query that comes alone, among the lists that it looks at: one compiled call, memory made once.

A search of some ten thousand rows takes less time than making the arrays that many queries share, or than ten calls of
compiled code. What is computed is what `vfsearch.kernels.cpu.choosing` and `vfsearch.kernels.cpu.probing` compute; the
nearest lists are looked at first, so that the threshold is high for all others.
"""

import numpy as np

from vfsearch.kernels.cpu.candidates import kth_greatest, relative_error
from vfsearch.kernels.cpu.choosing import _choose, sums_of_tile
from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.lists import ListPanels
from vfsearch.kernels.cpu.packing import CODES, Panels, _pack_queries, aligned
from vfsearch.kernels.cpu.pairs import LINE, fetch
from vfsearch.kernels.cpu.probing import (
    _ALWAYS,
    _COUNT,
    _CROWDED,
    _FACTS,
    _THRESHOLD,
    SEED_PANELS,
    SPARE,
    _begin,
    _error,
    _hits_of_tile,
    _keep_hits,
    _lanes,
    _thin,
    _wanted,
    room_of,
)
from vfsearch.kernels.cpu.tiles import LANES, PANEL, ROWS


class Alone:
    """Memory for one query at a time.

    Args:
        panels: the rows.
        centres: of their lists, as numbers of the same kind.
        dimension: of rows and centres.
        k: how many best, at least 1.
        nprobe: lists to look at, at most as many as there are.
    """

    def __init__(self, panels: ListPanels, centres: Panels, dimension: int, k: int, nprobe: int) -> None:
        self._panels, self._centres, self._k = panels, centres, k
        self._relative = np.float32(relative_error(panels.kind, dimension))
        width, room = panels.kind.words(dimension), len(centres.words) * PANEL
        self._words, self._scratch = aligned((ROWS, width), np.uint32), np.zeros((2, width * 4), dtype=np.uint32)
        self._of_query, self._facts = np.zeros((4, ROWS), dtype=np.float32), aligned((1, _FACTS), np.float32)
        self._sums = aligned((ROWS, max(room, SEED_PANELS * PANEL)), np.int32)
        self._scores, self.chosen = np.empty(room, np.float32), np.empty((1, nprobe + 1), dtype=np.int32)
        self._found, self._masks = np.empty((room_of(k), 4), dtype=np.int32), aligned((ROWS,), np.uint64)
        self._bounds = np.empty(max(room_of(k), nprobe * LANES), dtype=np.float32)
        self._need, self._rows = aligned((ROWS,), np.int32), np.empty(room_of(k), dtype=np.int64)

    def candidates(self, query: np.ndarray, allowed: np.ndarray, near: int) -> np.ndarray | None:
        """Rows that may be among the k best of those that the nearest lists hold.

        Args:
            query: (1, d) float32, finite.
            allowed: (places,) uint8, which may be found; none: all.
            near: so many lists give the first threshold; 0 where not all rows may be found.
        Returns:
            Their numbers, to be used before the next call; None where there are more than there is room for.
        """
        panels, centres = self._panels, self._centres
        count = _ask(
            CODES[panels.kind], query, self._words, self._of_query, self._scratch, self._relative, centres.words,
            centres.scale, centres.rows, panels.words, panels.scale, panels.residual, panels.length, panels.first,
            panels.items, allowed, near, self._k, self.chosen, self._sums, self._scores, self._facts, self._found,
            self._bounds, self._need, self._masks, self._rows,
        )  # fmt: skip
        return None if count < 0 else self._rows[:count]


@compiled(borrows=True)
def _ask(
    code, query, words, of_query, scratch, relative, centres, centre_scale, lists, panels, scale, residual, length,
    first, items, allowed, near, k, chosen, sums, scores, facts, found, bounds, need, masks, rows,
):  # fmt: skip
    _pack_queries(code, query, words, of_query, False, scratch)
    scales, residuals, lengths, offsets = of_query[0], of_query[1], of_query[2], of_query[3]
    # How far from nought a product can be; no longer needed once the lists are chosen.
    bounds[0] = lengths[0] / scales[0] * np.float32(1.05) + np.float32(1e-30)
    wanted = chosen.shape[1] - 1
    _choose(code, words, offsets, bounds, centres, centre_scale, lists, min(near, wanted), chosen, sums, scores)
    _begin(scales, residuals, lengths, offsets, relative, 2 * k + SPARE, facts)
    _first_threshold(
        code, words, facts[0], panels, scale, residual, length, first, chosen[0, : min(near, wanted)], k, sums, bounds
    )
    _scan_chosen(
        code, words, facts[0], panels, scale, residual, length, first, allowed, chosen[0, :wanted], k, sums, need,
        masks, found, bounds,
    )  # fmt: skip
    whole = facts.view(np.int32)
    if whole[0, _CROWDED]:
        return -1
    _thin(k, facts[0], found, bounds)
    for place in range(whole[0, _COUNT]):
        rows[place] = items[found[place, 0]]
    return whole[0, _COUNT]


@compiled(borrows=True)
def _first_threshold(code, words, facts, panels, scale, residual, length, first, chosen, k, sums, lowest):
    """Find a score that k rows of the nearest lists reach (see `probing.seed`)."""
    width, panel_bytes, filled = words.shape[1], panels.shape[1] * panels.shape[2] * 4, 0
    for each in chosen:
        low, high = first[each], min(first[each + 1], first[each] + SEED_PANELS)
        if low == high:
            continue
        for panel in range(low, high):
            place, out = panels.ctypes.data + panel * panel_bytes, sums.ctypes.data + (panel - low) * PANEL * 4
            sums_of_tile(code, 1, words.ctypes.data, place, width, out, sums.strides[0])
        error = _error(facts, residual[each], length[each])
        _lanes(code, sums[0], (high - low) * PANEL, facts, scale[each], error, lowest[filled : filled + LANES])
        filled += LANES
    if filled >= k:
        facts[_THRESHOLD] = max(_ALWAYS, kth_greatest(lowest, filled, k))


@compiled(borrows=True)
def _scan_chosen(
    code, words, facts, panels, scale, residual, length, first, allowed, chosen, k, sums, need, masks, found, bounds
):  # fmt: skip
    width, panel_bytes, whole = words.shape[1], panels.shape[1] * panels.shape[2] * 4, facts.view(np.int32)
    address, out, bits = words.ctypes.data, sums.ctypes.data, masks.ctypes.data
    for turn in range(chosen.shape[0]):
        each = chosen[turn]
        low, high = first[each], first[each + 1]
        last = turn + 1 == chosen.shape[0]
        following = first[chosen[0 if last else turn + 1]]
        error = _error(facts, residual[each], length[each])
        need[0] = _wanted(code, facts[_THRESHOLD] - error, facts, scale[each])
        for panel in range(low, high):
            place = panels.ctypes.data + panel * panel_bytes
            # The processor itself fetches no further than a page of memory.
            next_ = panels.ctypes.data + (panel + 1 if panel + 1 < high else following) * panel_bytes
            for line in range(0, panel_bytes, LINE):
                fetch(next_ + line)
            if _hits_of_tile(code, 1, address, place, width, need.ctypes.data, out, bits) == 0:
                continue
            before = facts[_THRESHOLD]
            _keep_hits(code, panel, masks[0], sums[0], facts, scale[each], error, allowed, k, found, bounds)
            if whole[_CROWDED]:
                return
            if facts[_THRESHOLD] != before:
                need[0] = _wanted(code, facts[_THRESHOLD] - error, facts, scale[each])


AHEAD = 16
"""Lines of the next list that are fetched while one is looked at."""
