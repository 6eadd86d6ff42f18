"""Scores that are the same whatever the block, the batch, the thread or the machine.

A float32 product of one pair of rows depends on where the pair stands in its block, because the order of the sum
does; equal rows then get unequal scores and ties are lost. Here the entries are rounded to multiples of 2^-26 first
(an error of 7.5e-9, that of float32 itself at 0.1). A product of two is a multiple of 2^-52 and, by Cauchy-Schwarz,
no partial sum of a unit row's products exceeds 1 by more than rounding: every one fits the 53 bits of float64, so
the sum is exact in any order, with or without fused multiply-add, on a CPU or a GPU.
"""

import numpy as np
import torch

GRID = float(2**26)


def on_device(vectors: np.ndarray | torch.Tensor, device: str | torch.device = "cpu") -> torch.Tensor:
    """(n, d) float32 rows on a device; not copied where they are so already."""
    # torch takes no array with negative strides.
    rows = vectors if isinstance(vectors, torch.Tensor) else np.ascontiguousarray(vectors)
    return torch.as_tensor(rows).to(device, torch.float32)


def grid(vectors: np.ndarray | torch.Tensor, device: str | torch.device = "cpu") -> torch.Tensor:
    """Unit rows as exact operands.

    Args:
        vectors: (n, d) unit rows, of any float type; float64 is rounded to float32, in which rows are stored.
        device: where to put them.
    Returns:
        (n, d) float64 multiples of 2^-26.
    """
    return on_device(vectors, device).double().mul_(GRID).round_().div_(GRID)


def score_block(queries: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Every score of two sets of exact operands.

    Args:
        queries: (q, d) from `grid`.
        vectors: (n, d) from `grid`.
    Returns:
        (q, n) float64, exact.
    """
    return queries @ vectors.T
