"""The k best of scored rows, in their order: the greater score, of equal ones the first row."""

import torch

from vfsearch.data.neighbors import NO_ROW


def first_best(scores: torch.Tensor, k: int) -> torch.Tensor:
    """The places of the k best of each row, ascending; of equal ones at the end the first.

    Args:
        scores: (q, n) without NaN, n >= k.
        k: how many.
    Returns:
        (q, k) int64.

    Example:
        >>> first_best(torch.tensor([[1.0, 3.0, 2.0, 2.0]]), 2).tolist()
        [[1, 2]]
    """
    last = torch.topk(scores, k, dim=1, sorted=False).values.amin(dim=1, keepdim=True)
    above, equal = scores > last, scores == last
    spare = k - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (torch.cumsum(equal, dim=1, dtype=torch.int32) <= spare))
    return torch.nonzero(chosen)[:, 1].view(len(scores), k)


def ordered(rows: torch.Tensor, scores: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best by (score descending, row ascending).

    Args:
        rows: (q, c) int64, in any order.
        scores: (q, c) float64; -inf is no row.
        k: how many.
    Returns:
        (q, k) rows, NO_ROW where there is none, and their scores.
    """
    rows, by_row = torch.sort(rows, dim=1)
    scores, order = torch.sort(scores.gather(1, by_row), dim=1, descending=True, stable=True)
    rows, scores = rows.gather(1, order)[:, :k], scores[:, :k]
    rows = rows.masked_fill(scores == -torch.inf, NO_ROW)
    short = (0, k - rows.shape[1])
    return torch.nn.functional.pad(rows, short, value=NO_ROW), torch.nn.functional.pad(scores, short, value=-torch.inf)


def merged(
    rows: torch.Tensor, scores: torch.Tensor, more_rows: torch.Tensor, more_scores: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best of two lists of k, both as `ordered` gives them."""
    return ordered(torch.cat([rows, more_rows], dim=1), torch.cat([scores, more_scores], dim=1), rows.shape[1])
