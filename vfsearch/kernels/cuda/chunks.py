"""Chunks of gallery rows: of each only the greatest score is looked at until the chunk may matter.

A block of 8 G rows makes four chunks of 2 G rows. Chunk t of a block has the rows 8 g + 2 t and 8 g + 2 t + 1 for every
g < G: those whose scores one thread holds after a product on tensor cores, so that their maximum moves no data.
"""

import torch


def chunk_rows(groups: int) -> int:
    """Rows in a chunk."""
    return 2 * groups


def chunk_maxima(scores: torch.Tensor, groups: int) -> torch.Tensor:
    """The greatest score of each chunk.

    Args:
        scores: (q, n), n a multiple of 8 G.
        groups: G.
    Returns:
        (q, n / 2 G).
    """
    return scores.unflatten(1, (-1, groups, 4, 2)).amax(dim=(2, 4)).flatten(1)


def members(chunks: torch.Tensor, groups: int) -> torch.Tensor:
    """The rows of chunks.

    Args:
        chunks: (q, c) their numbers.
        groups: G.
    Returns:
        (q, 2 G c) int64.

    Example:
        >>> members(torch.tensor([[5]]), 2).tolist()
        [[18, 19, 26, 27]]
    """
    chunks = chunks.long()
    first = (chunks // 4) * (8 * groups) + chunks % 4 * 2
    place = torch.arange(2 * groups, device=chunks.device)
    return (first[:, :, None] + place // 2 * 8 + place % 2).flatten(1)
