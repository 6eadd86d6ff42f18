"""Exact scores of listed pairs of rows."""

import triton
import triton.language as tl


@triton.jit
def _on_grid(entries):
    """The nearest multiples of 2^-26, halves to even: adding 1.5 x 2^52 leaves no place for a fraction."""
    return (entries.to(tl.float64) * 67108864.0 + 6755399441055744.0) - 6755399441055744.0


@triton.jit(do_not_specialize=["count"])
def products(queries, rows, query_rows, row_numbers, scores, count, d, BLOCK: tl.constexpr, PART: tl.constexpr):
    """Float64 products of grid rows, exact in any order: `vfsearch.kernels.exact`.

    Args:
        queries, rows: (q, d) and (n, d) of any float type.
        query_rows, row_numbers: (count,) int32 or int64.
        scores: (count,) float64, filled.
    """
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    is_pair = place < count
    left_at = queries + tl.load(query_rows + place, mask=is_pair, other=0).to(tl.int64)[:, None] * d
    right_at = rows + tl.load(row_numbers + place, mask=is_pair, other=0).to(tl.int64)[:, None] * d
    total = tl.zeros((BLOCK,), tl.float64)
    for first in range(0, d, PART):
        step = first + tl.arange(0, PART)[None, :]
        left = _on_grid(tl.load(left_at + step, mask=step < d, other=0.0))
        right = _on_grid(tl.load(right_at + step, mask=step < d, other=0.0))
        total += tl.sum(left * right, axis=1)
    tl.store(scores + place, total * 2.220446049250313e-16, mask=is_pair)


@triton.jit(do_not_specialize=["count"])
def distances(queries, rows, query_rows, row_numbers, scores, count, d, BLOCK: tl.constexpr):
    """Minus the squared distances, dimension after dimension; to be compiled without fused multiply-add.

    Args: see `products`.
    """
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    is_pair = place < count
    left_at = queries + tl.load(query_rows + place, mask=is_pair, other=0).to(tl.int64) * d
    right_at = rows + tl.load(row_numbers + place, mask=is_pair, other=0).to(tl.int64) * d
    total = tl.zeros((BLOCK,), tl.float64)
    for step in range(0, d):
        difference = tl.load(left_at + step).to(tl.float64) - tl.load(right_at + step).to(tl.float64)
        total += difference * difference
    tl.store(scores + place, -total, mask=is_pair)
