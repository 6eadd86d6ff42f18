"""Exact scores of listed pairs of rows on a device, with Triton or with torch alone."""

import torch

from vfsearch.kernels.cuda.device_rows import operands
from vfsearch.kernels.cuda.places import runs_triton, working_on

BLOCK = 16
PART = 128
ENTRIES = 2**21


def exact_scores(
    queries: torch.Tensor, rows: torch.Tensor, query_rows: torch.Tensor, row_numbers: torch.Tensor, metric: str
) -> torch.Tensor:
    """The scores of pairs as `vfsearch.kernels.topk.topk` defines them, bit for bit.

    Args:
        queries: (q, d) on the device.
        rows: (n, d) there too.
        query_rows: (t,) rows of `queries`.
        row_numbers: (t,) rows of `rows`.
        metric: "ip" or "l2".
    Returns:
        (t,) float64.
    """
    if len(query_rows) and runs_triton(rows.device):
        return _by_triton(queries, rows, query_rows, row_numbers, metric)
    step = max(1, ENTRIES // max(1, rows.shape[1]))
    parts = zip(query_rows.split(step), row_numbers.split(step), strict=True)
    found = [score_pairs(operands(queries[a], metric), operands(rows[b], metric), metric) for a, b in parts]
    return torch.cat([rows.new_zeros(0, dtype=torch.float64), *found])


def score_pairs(left: torch.Tensor, right: torch.Tensor, metric: str) -> torch.Tensor:
    """Scores of operands (..., d) along their last dimension; the two are broadcast."""
    if metric == "ip":
        return torch.einsum("...d,...d->...", left, right)
    total = torch.zeros((), dtype=torch.float64, device=left.device)
    for column in range(left.shape[-1]):
        # Two kernels: a fused multiply-add would round once where the definition rounds twice.
        square = (left[..., column] - right[..., column]).square()
        total = total + square
    return -total


def _by_triton(
    queries: torch.Tensor, rows: torch.Tensor, query_rows: torch.Tensor, row_numbers: torch.Tensor, metric: str
) -> torch.Tensor:
    from vfsearch.kernels.cuda.compiled.decision import distances, products

    count, d = len(query_rows), rows.shape[1]
    scores = rows.new_empty(count, dtype=torch.float64)
    arguments = (queries.contiguous(), rows, query_rows.contiguous(), row_numbers.contiguous(), scores, count, d)
    with working_on(rows.device):
        if metric == "ip":
            products[(-(-count // BLOCK),)](*arguments, BLOCK=BLOCK, PART=PART)
        else:
            distances[(-(-count // PART),)](*arguments, BLOCK=PART, enable_fp_fusion=False)
    return scores
