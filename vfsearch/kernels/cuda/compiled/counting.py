"""Scores counted by their place among a probe's thresholds."""

import triton
import triton.language as tl


@triton.jit(do_not_specialize=["n", "width"])
def counting(scores, thresholds, places, equals, n, width, BITS: tl.constexpr, BLOCK: tl.constexpr):
    """Count each score of a block by the number of thresholds below it, and those that equal one by which.

    The grid is (probes, blocks of BLOCK scores).

    Args:
        scores: (q, n) float64.
        thresholds: (q, width) float64, ascending.
        places: (q, width + 1) int32, added to; a score above no threshold is not counted.
        equals: (q, width) int32, added to at the first threshold that equals a score.
        BITS: with 2 to that power above width.
    """
    query = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    score = tl.load(scores + query * n + column, mask=column < n, other=float("-inf"))
    own = thresholds + query * width
    below = tl.zeros((BLOCK,), tl.int32)
    for bit in tl.static_range(BITS):
        reach = below + (1 << (BITS - 1 - bit))
        least = tl.load(own + reach - 1, mask=reach <= width, other=float("inf"))
        below = tl.where(least < score, reach, below)
    tl.atomic_add(places + query * (width + 1) + below, 1, mask=below > 0, sem="relaxed")
    next_up = tl.load(own + below, mask=below < width, other=float("inf"))
    tl.atomic_add(equals + query * width + below, 1, mask=(next_up == score) & (below < width), sem="relaxed")
