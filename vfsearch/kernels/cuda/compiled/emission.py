"""Product and selection in one kernel: scores stay in registers, chunks that may matter are written down."""

import triton
import triton.language as tl


@triton.jit(do_not_specialize=["tiles", "stride", "n"])
def emission(
    queries, rows, bias, thresholds, counts, maxima, chunks, tiles, stride, n, capacity,
    D: tl.constexpr, PART: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, G: tl.constexpr, GROWTH: tl.constexpr,
    BIASED: tl.constexpr,
):  # fmt: skip
    """Append each chunk (see `vfsearch.kernels.cuda.chunks`) whose maximum reaches its probe's threshold.

    The grid is (blocks of BM probes, any number): the second shares the tiles. A block of probes stays in shared memory
    while tiles of BN rows pass by.

    Args:
        queries: (multiple of BM, D) float16.
        rows: (multiple of BN, D) float16.
        bias: a float32 for each row, added if BIASED.
        thresholds: a float32 for each probe, finite or +inf.
        counts: an int32 for each probe: chunks found so far; may end above the capacity.
        maxima, chunks: (probes, capacity) float32 and int32.
        tiles: how many to look at.
        stride: the tiles are multiples of it; with GROWTH > 1 those that are no multiples of GROWTH times it.
        n: rows that there are.
        capacity: places a probe.
        D, PART: columns, and how many are multiplied at once.
        G: 8 G rows make four chunks.
    """
    query = tl.program_id(0).to(tl.int64) * BM + tl.arange(0, BM)
    step = tl.arange(0, PART)
    column = tl.arange(0, BN)
    left_at = queries + query[:, None] * D + step[None, :]
    threshold = tl.load(thresholds + query)[:, None, None]
    BLOCKS: tl.constexpr = BN // (8 * G)
    number = tl.arange(0, BLOCKS)[None, :, None] * 4 + tl.arange(0, 4)[None, None, :] + tl.zeros((BM, 1, 1), tl.int32)
    if D == PART:
        left = tl.load(left_at)
    for index in range(tl.program_id(1), tiles, tl.num_programs(1)):
        tile = index
        if GROWTH > 1:
            tile += index // (GROWTH - 1) + 1
        first = tile * stride * BN
        right_at = rows + first.to(tl.int64) * D + column[None, :] * D + step[:, None]
        if D == PART:
            score = tl.dot(left, tl.load(right_at))
        else:
            score = tl.zeros((BM, BN), tl.float32)
            for part in range(0, D, PART):
                score = tl.dot(tl.load(left_at + part), tl.load(right_at + part), score)
        if BIASED:
            score += tl.load(bias + first + column)[None, :]
        if first + BN > n:
            score = tl.where((first + column < n)[None, :], score, float("-inf"))
        best = tl.max(tl.max(score.reshape(BM, BLOCKS, G, 4, 2), 4), 2)
        hit = best >= threshold
        place = tl.atomic_add((counts + query)[:, None, None] + number * 0, 1, mask=hit, sem="relaxed")
        hit = hit & (place < capacity)
        slot = query[:, None, None] * capacity + place
        tl.store(maxima + slot, best, mask=hit)
        tl.store(chunks + slot, first // (2 * G) + number, mask=hit)
