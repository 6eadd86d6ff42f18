"""Lists of candidates cut down to those that may still matter."""

import triton
import triton.language as tl


@triton.jit(do_not_specialize=["last"])
def narrowing(maxima, chunks, counts, bounds, floors, errors, last, CAPACITY: tl.constexpr):
    """Of one probe's list: the bound that its greatest maxima give, and the entries that reach it, moved to the front.

    Args:
        maxima, chunks: (q, CAPACITY) float32 and int32.
        counts: an int32 for each probe; left alone above CAPACITY, which says that entries were lost.
        bounds: a float32 for each probe, written: max(floor, m - 2 error) with the maximum m that `last` are above.
        floors, errors: (q,) float64.
        last: from 0.
    """
    query = tl.program_id(0).to(tl.int64)
    place = tl.arange(0, CAPACITY)
    count = tl.load(counts + query)
    own = query * CAPACITY + place
    value = tl.load(maxima + own, mask=place < count, other=float("-inf"))
    chunk = tl.load(chunks + own, mask=place < count, other=0)
    # Whole numbers in the order of the floats they stand for, and the one with `last` above it, bit by bit.
    bits = value.to(tl.int32, bitcast=True)
    key = tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    found = tl.where(tl.sum((key >= 0).to(tl.int32), 0) > last, 0, -0x7FFFFFFF - 1)
    for bit in tl.static_range(31):
        trial = found + (1 << (30 - bit))
        found = tl.where(tl.sum((key >= trial).to(tl.int32), 0) > last, trial, found)
    least = tl.where(found < 0, found ^ 0x7FFFFFFF, found).to(tl.float32, bitcast=True).to(tl.float64)
    floor = tl.load(floors + query)
    bound = least - 2 * tl.load(errors + query)
    bound = tl.where(floor > bound, floor, bound).to(tl.float32)
    keep = (place < count) & (value >= bound)
    slot = query * CAPACITY + tl.cumsum(keep.to(tl.int32), 0) - 1
    # Entries move to places that others were read from.
    tl.debug_barrier()
    tl.store(maxima + slot, value, mask=keep)
    tl.store(chunks + slot, chunk, mask=keep)
    tl.store(bounds + query, bound)
    tl.store(counts + query, tl.where(count > CAPACITY, count, tl.sum(keep.to(tl.int32), 0)))
