"""Which lists each query looks at: those whose centres have the greatest products with it."""

import numpy as np

from vfsearch.kernels.cpu.candidates import kth_greatest
from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.packing import CODES, Panels, Probes, aligned
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS, tile_sums

# Code for instructions that the processor lacks cannot even be compiled; such a kind is never asked for.
_INT8, _BF16 = (kind if kind.here else FLOAT32 for kind in (INT8, BF16))
_int8_sums, _bf16_sums, _float32_sums = (tile_sums(kind) for kind in (_INT8, _BF16, FLOAT32))
_int8_sums_of_one, _bf16_sums_of_one, _float32_sums_of_one = (tile_sums(kind, 1) for kind in (_INT8, _BF16, FLOAT32))


def choose(probes: Probes, queries: int, centres: Panels, wanted: int, near: int) -> np.ndarray:
    """The nearest lists of each query.

    Products are those of short numbers: which of two lists comes first whose centres are equally near, to a hundredth,
    depends on the processor.

    Args:
        probes: the queries, padded.
        queries: how many there are.
        centres: of the lists, of the probes' kind.
        wanted: how many lists, at most as many as there are.
        near: so many of the nearest come first.
    Returns:
        (q, wanted) int32, the others in the order of their numbers or nearly so.
    """
    room = len(centres.words) * PANEL
    # One more: the place behind the last is written to.
    chosen = np.empty((queries, wanted + 1), dtype=np.int32)
    reach = (probes.length / probes.scale * np.float32(1.05) + np.float32(1e-30)).astype(np.float32)
    _choose(
        CODES[probes.kind], probes.words, probes.offset, reach, centres.words, centres.scale, centres.rows,
        min(near, wanted), chosen, aligned((ROWS, room), np.int32), np.empty(room, dtype=np.float32),
    )  # fmt: skip
    return chosen[:, :wanted]


def by_list(chosen: np.ndarray, lists: int) -> tuple[np.ndarray, np.ndarray]:
    """The queries of each list.

    Args:
        chosen: (q, m) int32 lists of each query.
        lists: how many there are.
    Returns:
        (lists + 1,) int64 where the queries of each list begin, and (q * m,) int32 the queries, ascending in a list.
    """
    starts, members = np.empty(lists + 1, dtype=np.int64), np.empty(chosen.size, dtype=np.int32)
    _invert(np.ascontiguousarray(chosen), starts, members)
    return starts, members


@compiled(borrows=True)
def sums_of_tile(code, queries, address, place, width, out, stride):
    """Write the sums of a tile in which there are so many queries, at least 1 (see `tiles.tile_sums`)."""
    if code == 0:
        if queries == 1:
            _int8_sums_of_one(address, place, width, out, stride)
        else:
            _int8_sums(address, place, width, out, stride)
    elif code == 1:
        if queries == 1:
            _bf16_sums_of_one(address, place, width, out, stride)
        else:
            _bf16_sums(address, place, width, out, stride)
    elif queries == 1:
        _float32_sums_of_one(address, place, width, out, stride)
    else:
        _float32_sums(address, place, width, out, stride)


@compiled(borrows=True)
def _choose(code, words, offset, reach, centres, centre_scale, count, near, chosen, sums, scores):
    width, panel_bytes = words.shape[1], centres.shape[1] * centres.shape[2] * 4
    float_sums = sums.view(np.float32)
    for base in range(0, chosen.shape[0], ROWS):
        address = words.ctypes.data + base * width * 4
        for panel in range(centres.shape[0]):
            place, out = centres.ctypes.data + panel * panel_bytes, sums.ctypes.data + panel * PANEL * 4
            sums_of_tile(code, chosen.shape[0] - base, address, place, width, out, sums.strides[0])
        for row in range(min(ROWS, chosen.shape[0] - base)):
            query = base + row
            if code == 0:
                less = np.int32(offset[query])
                for panel in range(centres.shape[0]):
                    scale = centre_scale[panel]
                    for place in range(panel * PANEL, (panel + 1) * PANEL):
                        scores[place] = np.float32(sums[row, place] - less) * scale
            else:
                for place in range(scores.shape[0]):
                    scores[place] = float_sums[row, place]
            low, high = _cut(scores, count, chosen.shape[1] - 1, reach[query])
            _collect(scores, count, low, high, chosen[query])
            if 0 < near < chosen.shape[1] - 1:
                _put_first(scores, chosen[query], near, float_sums[row])


@compiled(borrows=True)
def _cut(scores, count, wanted, reach):
    """A score that just as many reach as are wanted, twice; where ties allow none, one that more and one that fewer do.

    Counting is quick, so a few rounds of it cost less than any sorting.
    """
    low, high = -reach, reach
    if wanted >= count:
        return low, low
    while True:
        middle = np.float32(low + (high - low) * np.float32(0.5))
        if not low < middle < high:
            return low, high
        found = _at_least(scores, count, middle)
        if found > wanted:
            low = middle
        elif found < wanted:
            high = middle
        else:
            return middle, middle


@compiled(borrows=True)
def _at_least(scores, count, least):
    found = np.int32(0)
    for place in range(count):
        found += np.int32(scores[place] >= least)
    return found


@compiled(borrows=True)
def _collect(scores, count, low, high, chosen):
    """Fill in the lists that reach the higher score, then, of those that reach the lower one, as many as fit."""
    held, wanted = 0, chosen.shape[0] - 1
    for place in range(count):
        # Without a branch: which lists are near cannot be foretold.
        chosen[held] = place
        held += scores[place] >= high
    if held < wanted:
        for place in range(count):
            if held < wanted and low <= scores[place] < high:
                chosen[held] = place
                held += 1


@compiled(borrows=True)
def _put_first(scores, chosen, near, scratch):
    """Put the nearest lists before the others."""
    wanted = chosen.shape[0] - 1
    for place in range(wanted):
        scratch[place] = scores[chosen[place]]
    least = kth_greatest(scratch, wanted, near)
    first = 0
    for place in range(wanted):
        each = chosen[place]
        if scores[each] >= least and first < near:
            chosen[place], chosen[first] = chosen[first], each
            first += 1


@compiled(borrows=True)
def _invert(chosen, starts, members):
    starts[:] = 0
    for query in range(chosen.shape[0]):
        for place in range(chosen.shape[1]):
            starts[chosen[query, place] + 1] += 1
    for each in range(starts.shape[0] - 1):
        starts[each + 1] += starts[each]
    for query in range(chosen.shape[0]):
        for place in range(chosen.shape[1]):
            each = chosen[query, place]
            members[starts[each]] = query
            starts[each] += 1
    # Each has moved on to where the next one begins.
    for each in range(starts.shape[0] - 1, 0, -1):
        starts[each] = starts[each - 1]
    starts[0] = 0
