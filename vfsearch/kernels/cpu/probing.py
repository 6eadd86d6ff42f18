"""Candidates of many queries among the lists that each looks at: every list is met once, by all of its queries.

Queries look at different lists, so a tile of queries is put together for each list; the words of a query are few, and
a panel that was read serves all of them. What is kept of a candidate and when it is dropped is as in
`vfsearch.kernels.cpu.candidates`; but what is known of a query stands together here, since a query's turn comes once
for each of its lists, and each time other queries have filled the cache in between.
"""

from dataclasses import dataclass

import numpy as np

from vfsearch.kernels.cpu.candidates import kth_greatest, relative_error
from vfsearch.kernels.cpu.choosing import sums_of_tile
from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.lists import ListPanels
from vfsearch.kernels.cpu.packing import CODES, Probes, aligned
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, LANES, PANEL, ROWS, lowest_bit, tile_hits

# Code for instructions that the processor lacks cannot even be compiled; such a kind is never asked for.
_INT8, _BF16 = (kind if kind.here else FLOAT32 for kind in (INT8, BF16))
_int8_hits, _bf16_hits, _float32_hits = (tile_hits(kind) for kind in (_INT8, _BF16, FLOAT32))
_int8_hits_of_one, _bf16_hits_of_one, _float32_hits_of_one = (tile_hits(kind, 1) for kind in (_INT8, _BF16, FLOAT32))

SEED_PANELS = 8
"""So many panels of a list give a query its first threshold."""
SPARE, LEAST_NEW = 64, 32
BYTES_OF_CANDIDATE = 16
_THRESHOLD, _WHOLE, _ROUNDED, _SCALE, _INVERSE, _OFFSET, _LOWERED, _COUNT, _LIMIT, _CROWDED = range(10)
_FACTS = 16
_NEVER_BITS = int(np.float32(3e38).view(np.int32))
_NEVER, _ALWAYS = np.float32(3e38), np.float32(-1e38)
"""Sums at places without a row are lower still."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Asking:
    """Queries in the course of being asked.

    Args:
        probes: the queries, padded.
        facts: (q, 16) float32, some of them as int32: threshold, what the bounds are made of, candidates so far, how
            many there may be before they are gone through, whether there was no room.
        found: (q, room, 4) int32 candidates: place in the panels; lower and upper bound of the score as float32.
    """

    probes: Probes
    facts: np.ndarray
    found: np.ndarray

    @property
    def crowded(self) -> np.ndarray:
        """(q,) bool, which queries have too many candidates to tell apart."""
        return self.facts.view(np.int32)[:, _CROWDED] != 0


def room_of(k: int) -> int:
    """Candidates that a query has room for.

    Example:
        >>> room_of(10)
        336
    """
    return 8 * k + 4 * SPARE


def asking(probes: Probes, queries: int, dimension: int, k: int, found: np.ndarray) -> Asking:
    """Begin to ask.

    Args:
        probes: the queries, padded.
        queries: how many there are.
        dimension: of the rows.
        k: how many best.
        found: (at least q, room_of(k), 4) int32 memory to use.
    """
    facts = aligned((queries, _FACTS), np.float32)
    relative = np.float32(relative_error(probes.kind, dimension))
    _begin(probes.scale, probes.residual, probes.length, probes.offset, relative, 2 * k + SPARE, facts)
    return Asking(probes=probes, facts=facts, found=found[:queries])


def again(asked: Asking, found: np.ndarray) -> Asking:
    """The same queries with what is known of them, to be asked of other lists.

    Args:
        asked: queries without candidates.
        found: memory, as for `asking`.
    """
    facts = aligned(asked.facts.shape, np.float32)
    facts[:] = asked.facts
    return Asking(probes=asked.probes, facts=facts, found=found[: len(facts)])


def seed(asked: Asking, panels: ListPanels, near: int, starts: np.ndarray, members: np.ndarray, k: int) -> None:
    """Give every query a threshold that k rows of its nearest lists reach, before anything is kept.

    Of each list the greatest sum in each lane of a vector is taken: they are sums of different rows, so the k-th
    greatest of them is one that k rows reach.

    Args:
        asked: queries without candidates.
        panels: the rows.
        near: how many lists each query has in `members`.
        starts, members: queries of each list, from `choosing.by_list`.
        k: how many best.
    """
    lowest, filled = np.empty((len(asked.facts), near * LANES), dtype=np.float32), np.zeros(len(asked.facts), np.int64)
    _seed(
        CODES[panels.kind], asked.probes.words, asked.facts, panels.words, panels.scale, panels.residual,
        panels.length, panels.first, starts, members, lowest, filled, aligned((ROWS, SEED_PANELS * PANEL), np.int32),
        *_tile(asked),
    )  # fmt: skip
    _settle(asked.facts, lowest, filled, k)


def scan_lists(
    asked: Asking, panels: ListPanels, allowed: np.ndarray, lists: tuple[int, int], starts: np.ndarray,
    members: np.ndarray, k: int,
) -> None:  # fmt: skip
    """Find the candidates of some lists.

    Args:
        asked: the queries.
        panels: the rows.
        allowed: (places,) uint8, which may be found; none: all.
        lists: the first, and the one behind the last.
        starts, members: queries of each list, from `choosing.by_list`.
        k: how many best.
    """
    _scan(
        CODES[panels.kind], asked.probes.words, asked.facts, panels.words, panels.scale, panels.residual,
        panels.length, panels.first, allowed, starts, members, *lists, asked.found, k,
        aligned((ROWS, PANEL), np.int32), aligned((ROWS,), np.int32), aligned((ROWS,), np.uint64),
        np.empty(asked.found.shape[1], dtype=np.float32), *_tile(asked),
    )  # fmt: skip


def raise_thresholds(parts: list[Asking]) -> None:
    """Let each part of the lists know what the others found of the same queries."""
    least = np.max([part.facts[:, _THRESHOLD] for part in parts], axis=0)
    for part in parts:
        part.facts[:, _THRESHOLD] = least


def survivors(asked: Asking, panels: ListPanels, k: int) -> tuple[np.ndarray, np.ndarray]:
    """What is left of the candidates.

    Returns:
        (q + 1,) int64 where the rows of each query begin, and the rows; none of crowded queries.
    """
    offsets = np.zeros(len(asked.facts) + 1, dtype=np.int64)
    rows = np.empty(int(asked.facts.view(np.int32)[:, _COUNT].sum()), dtype=np.int64)
    _finish(asked.facts, asked.found, panels.items, k, offsets, rows, np.empty(asked.found.shape[1], np.float32))
    return offsets, rows[: offsets[-1]]


def _tile(asked: Asking) -> tuple[np.ndarray, np.ndarray]:
    """Memory for the words of one tile of queries, and for their numbers."""
    return aligned((ROWS, asked.probes.words.shape[1]), np.uint32), np.empty(ROWS, dtype=np.int64)


@compiled(borrows=True)
def _begin(scale, residual, length, offset, relative, limit, facts):
    # 1.00001 covers the rounding of what the bounds are worked out with.
    up = np.float32(1.00001)
    whole = facts.view(np.int32)
    for query in range(facts.shape[0]):
        facts[query, _THRESHOLD] = _ALWAYS
        facts[query, _WHOLE] = length[query] * up
        facts[query, _ROUNDED] = (residual[query] + relative * length[query]) * up
        facts[query, _SCALE] = scale[query]
        facts[query, _INVERSE] = np.float32(1) / scale[query]
        facts[query, _OFFSET] = offset[query]
        # Lower by more than what float32 rounds in sums of 8-bit products, which stay below 2^25.
        facts[query, _LOWERED] = offset[query] - abs(offset[query]) * np.float32(1e-6) - np.float32(1)
        whole[query, _COUNT], whole[query, _LIMIT], whole[query, _CROWDED] = 0, limit, 0


@compiled(borrows=True)
def _error(facts, residual, length):
    """How far the score of a row of a list may be from the exact one."""
    return facts[_WHOLE] * residual + facts[_ROUNDED] * length + np.float32(1e-34)


@compiled(borrows=True)
def _wanted(code, least, facts, scale):
    """The bits of the sum that is reached by a score that may be as high as `least`."""
    if code != 0:
        return np.float32(least).view(np.int32)
    sum_ = least * facts[_INVERSE] / scale
    sum_ = max(sum_, np.float32(-1e9))
    sum_ = min(sum_, np.float32(1e9))
    return np.int32(sum_ - abs(sum_) * np.float32(1e-6) + facts[_LOWERED])


@compiled(borrows=True)
def _score(code, sum_, facts, scale):
    """The score that the bits of a sum stand for."""
    if code != 0:
        return np.int32(sum_).view(np.float32)
    whole = np.float64(sum_) - np.float64(facts[_OFFSET])
    return np.float32(whole * np.float64(facts[_SCALE]) * np.float64(scale))


@compiled(borrows=True)
def _gather(words, members, tile, own):
    """Put the words of a few queries together."""
    for row in range(members.shape[0]):
        query = np.int64(members[row])
        own[row] = query
        for word in range(words.shape[1]):
            tile[row, word] = words[query, word]


@compiled(borrows=True)
def _seed(
    code, words, facts, panels, scale, residual, length, first, starts, members, lowest, filled, sums, tile, own
):  # fmt: skip
    width, panel_bytes = words.shape[1], panels.shape[1] * panels.shape[2] * 4
    most = sums.shape[1] // PANEL
    for each in range(starts.shape[0] - 1):
        low, high = first[each], min(first[each + 1], first[each] + most)
        if low == high:
            continue
        for base in range(starts[each], starts[each + 1], ROWS):
            asked = min(ROWS, starts[each + 1] - base)
            _gather(words, members[base : base + asked], tile, own)
            for panel in range(low, high):
                place, out = panels.ctypes.data + panel * panel_bytes, sums.ctypes.data + (panel - low) * PANEL * 4
                sums_of_tile(code, asked, tile.ctypes.data, place, width, out, sums.strides[0])
            for row in range(asked):
                query, at = own[row], filled[own[row]]
                error = _error(facts[query], residual[each], length[each])
                _lanes(
                    code, sums[row], (high - low) * PANEL, facts[query], scale[each], error,
                    lowest[query, at : at + LANES],
                )  # fmt: skip
                filled[query] += LANES


@compiled(borrows=True)
def _lanes(code, sums, count, facts, scale, error, lowest):
    """Scores that a row of each lane reaches at least: that of its greatest sum, less what rounding may have added."""
    if code == 0:
        _fold(sums, count)
    else:
        _fold(sums.view(np.float32), count)
    for lane in range(LANES):
        lowest[lane] = _score(code, sums[lane], facts, scale) - error


@compiled(borrows=True)
def _fold(sums, count):
    """Leave the greatest sum of each lane in the first vector."""
    for start in range(LANES, count, LANES):
        for lane in range(LANES):
            one, other = sums[lane], sums[start + lane]
            sums[lane] = one if one > other else other


@compiled(borrows=True)
def _settle(facts, lowest, filled, k):
    for query in range(filled.shape[0]):
        if filled[query] >= k:
            # Places without a row may be among the greatest, where there are fewer rows than k.
            facts[query, _THRESHOLD] = max(_ALWAYS, kth_greatest(lowest[query], filled[query], k))


@compiled(borrows=True)
def _scan(
    code, words, facts, panels, scale, residual, length, first, allowed, starts, members, first_list, last_list, found,
    k, sums, wanted, masks, scratch, tile, own,
):  # fmt: skip
    width, panel_bytes = words.shape[1], panels.shape[1] * panels.shape[2] * 4
    whole = facts.view(np.int32)
    address, need, out, bits = tile.ctypes.data, wanted.ctypes.data, sums.ctypes.data, masks.ctypes.data
    for each in range(first_list, last_list):
        low, high = first[each], first[each + 1]
        if low == high:
            continue
        for base in range(starts[each], starts[each + 1], ROWS):
            asked = min(ROWS, starts[each + 1] - base)
            _gather(words, members[base : base + asked], tile, own)
            for row in range(asked):
                mine = facts[own[row]]
                least = mine[_THRESHOLD] - _error(mine, residual[each], length[each])
                wanted[row] = _wanted(code, least, mine, scale[each])
            for row in range(asked, ROWS):
                wanted[row] = 2**31 - 1 if code == 0 else _NEVER_BITS
            for panel in range(low, high):
                place = panels.ctypes.data + panel * panel_bytes
                hits = _hits_of_tile(code, asked, address, place, width, need, out, bits)
                if hits == 0:
                    continue
                for row in range(asked):
                    query = own[row]
                    if (hits >> row) & 1 == 0 or whole[query, _CROWDED]:
                        continue
                    mine, before = facts[query], facts[query, _THRESHOLD]
                    error = _error(mine, residual[each], length[each])
                    _keep_hits(
                        code, panel, masks[row], sums[row], mine, scale[each], error, allowed, k, found[query], scratch
                    )
                    if mine[_THRESHOLD] != before:
                        wanted[row] = _wanted(code, mine[_THRESHOLD] - error, mine, scale[each])


@compiled(borrows=True)
def _hits_of_tile(code, queries, address, place, width, need, out, bits):
    """Which sums of a tile of so many queries reach what they must (see `tiles.tile_hits`)."""
    if code == 0:
        if queries == 1:
            return _int8_hits_of_one(address, place, width, need, 4, out, bits)
        return _int8_hits(address, place, width, need, 4, out, bits)
    if code == 1:
        if queries == 1:
            return _bf16_hits_of_one(address, place, width, need, 4, out, bits)
        return _bf16_hits(address, place, width, need, 4, out, bits)
    if queries == 1:
        return _float32_hits_of_one(address, place, width, need, 4, out, bits)
    return _float32_hits(address, place, width, need, 4, out, bits)


@compiled(borrows=True)
def _keep_hits(code, panel, mask, sums, facts, scale, error, allowed, k, found, scratch):
    """Put the rows of a panel that a mask names among a query's candidates if they may be among its k best."""
    while mask != 0:
        lane = np.int64(lowest_bit(mask))
        mask &= mask - np.uint64(1)
        item = panel * PANEL + lane
        if allowed.shape[0] == 0 or allowed[item]:
            _keep(item, _score(code, sums[lane], facts, scale), error, k, facts, found, scratch)


@compiled(borrows=True)
def _keep(item, score, error, k, facts, found, scratch):
    """Put a row among a query's candidates if it may be among its k best."""
    if score + error >= facts[_THRESHOLD]:
        whole, bounds = facts.view(np.int32), found.view(np.float32)
        held = whole[_COUNT]
        found[held, 0], bounds[held, 1], bounds[held, 2] = item, score - error, score + error
        whole[_COUNT] = held + 1
        if held + 1 >= whole[_LIMIT]:
            _thin(k, facts, found, scratch)
            kept, room = whole[_COUNT], found.shape[0]
            whole[_LIMIT] = min(kept + max(kept // 2, LEAST_NEW), room)
            if kept > k + (room - k) * 3 // 4:
                whole[_CROWDED], whole[_COUNT], facts[_THRESHOLD] = 1, 0, _NEVER


@compiled(borrows=True)
def _thin(k, facts, found, scratch):
    """Raise a query's threshold, and drop the candidates that are below it."""
    whole, bounds = facts.view(np.int32), found.view(np.float32)
    held, least, kept = whole[_COUNT], facts[_THRESHOLD], np.int32(0)
    if held >= k:
        for place in range(held):
            scratch[place] = bounds[place, 1]
        least = max(least, kth_greatest(scratch, held, k))
    for place in range(held):
        if bounds[place, 2] >= least:
            found[kept, 0], found[kept, 1], found[kept, 2] = found[place, 0], found[place, 1], found[place, 2]
            kept += 1
    whole[_COUNT], facts[_THRESHOLD] = kept, least


@compiled(borrows=True)
def _finish(facts, found, items, k, offsets, rows, scratch):
    whole, total = facts.view(np.int32), 0
    for query in range(facts.shape[0]):
        _thin(k, facts[query], found[query], scratch)
        for place in range(whole[query, _COUNT]):
            rows[total] = items[found[query, place, 0]]
            total += 1
        offsets[query + 1] = total
