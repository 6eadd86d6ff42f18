"""How many scores of each probe are above, and at least, each of its thresholds: nothing is sorted."""

import torch

from vfsearch.kernels.cuda.places import runs_triton, working_on

BLOCK = 1024


def mate_counts(scores: torch.Tensor, thresholds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each score is placed among its probe's thresholds by binary search, and counted by its place.

    Args:
        scores: (q, n) float64, contiguous; -inf for rows that are not compared.
        thresholds: (q, p) float64, p > 0, ascending, padded with +inf at the end.
    Returns:
        (q, p) int64 scores above each threshold, and (q, p) int64 scores at least as high; zeros at +inf.

    Example:
        >>> scores = torch.tensor([[0.5, 0.9, 0.7, 0.7, 0.1]], dtype=torch.float64)
        >>> mate_counts(scores, torch.tensor([[0.5, 0.7]], dtype=torch.float64))
        (tensor([[3, 1]]), tensor([[4, 3]]))
    """
    thresholds = thresholds.contiguous()
    counts = _by_triton if runs_triton(scores.device) else _by_torch
    places, equals = counts(scores, thresholds)
    # A score with more than t thresholds below it is above the threshold t.
    above = places[:, 1:].flip(1).cumsum(1).flip(1)
    # What equals a threshold was counted at the first of those that are equal.
    first = torch.searchsorted(thresholds, thresholds)
    return above, above + equals.gather(1, first)


def _by_triton(scores: torch.Tensor, thresholds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    from vfsearch.kernels.cuda.compiled.counting import counting

    (count, n), width = scores.shape, thresholds.shape[1]
    places = torch.zeros((count, width + 1), dtype=torch.int32, device=scores.device)
    equals = torch.zeros((count, width), dtype=torch.int32, device=scores.device)
    if count and n:
        grid = (count, -(-n // BLOCK))
        with working_on(scores.device):
            counting[grid](scores, thresholds, places, equals, n, width, BITS=width.bit_length(), BLOCK=BLOCK)
    return places.long(), equals.long()


def _by_torch(scores: torch.Tensor, thresholds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    count, width = thresholds.shape
    own = torch.arange(count, device=scores.device)[:, None]
    below = torch.searchsorted(thresholds, scores)
    places = torch.bincount((below + own * (width + 1)).flatten(), minlength=count * (width + 1))
    is_equal = thresholds.gather(1, below.clamp(max=width - 1)) == scores
    equals = torch.bincount((below + own * width)[is_equal], minlength=count * width)
    return places.view(count, width + 1), equals.view(count, width)
