"""Crowds from whole rows of exact scores, on any device that torch knows."""

import numpy as np
import torch

from vfsearch.data.ranks import MateRanks
from vfsearch.kernels.exact import grid, score_block
from vfsearch.kernels.sorted_ranks import mate_scores, mated

BLOCK_SCORES = 2**21

Tables = tuple[np.ndarray, np.ndarray]


def sorted_crowd(
    ranks: MateRanks,
    queries: np.ndarray,
    gallery: torch.Tensor,
    query_identities: np.ndarray,
    identities: np.ndarray,
    exclude: np.ndarray,
    of_items: np.ndarray,
    count: int,
) -> Tables:
    """How many items of each unit are above, and tied with, each mate of a few queries, their own included.

    Args:
        ranks: of these queries.
        queries: (q, d) unit rows.
        gallery: (n, d) from `grid`.
        query_identities, identities: (q,) and (n,) int64.
        exclude: (q,) one gallery row each query is not compared with; -1 for none.
        of_items: (n,) int64 unit of each row.
        count: of units.
    Returns:
        (m, count) int64 above, and tied.
    """
    step = max(1, BLOCK_SCORES // max(1, len(gallery)))
    sides = (queries, gallery, query_identities, identities, exclude, of_items, count)
    found = [_block(ranks, slice(start, start + step), *sides) for start in range(0, len(queries), step)]
    above, tied = (np.concatenate(tables) for tables in zip(*found, strict=True))
    return above, tied


def _block(
    ranks: MateRanks, part: slice, queries: np.ndarray, gallery: torch.Tensor, query_identities: np.ndarray,
    identities: np.ndarray, exclude: np.ndarray, of_items: np.ndarray, count: int,
) -> Tables:  # fmt: skip
    scores = score_block(grid(queries[part], gallery.device), gallery)
    is_mate = mated(query_identities[part], identities, exclude[part], gallery.device)
    _, ascending = mate_scores(scores, is_mate)
    mine = (ranks.probe >= part.start) & (ranks.probe < part.stop)
    probe = ranks.probe[mine]
    # The last of equal mates stands for its block.
    place = ranks.mates[probe] - 1 - ranks.mates_above[mine]
    counter = _Counter(ascending, scores, torch.as_tensor(of_items).to(scores.device), count)
    above = counter.beyond(probe - part.start, place, inclusive=False)
    if not (ranks.tied[mine] > ranks.mates_tied[mine]).any():
        return above, np.zeros_like(above)
    return above, counter.beyond(probe - part.start, place, inclusive=True) - above


class _Counter:
    """Gallery scores counted by their place among the mates' and by unit."""

    def __init__(self, ascending: torch.Tensor, scores: torch.Tensor, of_items: torch.Tensor, count: int) -> None:
        self.ascending, self.scores, self.of_items, self.count = ascending, scores, of_items, count

    def beyond(self, probe: np.ndarray, place: np.ndarray, inclusive: bool) -> np.ndarray:
        """(m, U) items of each unit that score above the mate at a place in ascending order, or at least as well."""
        width = self.ascending.shape[1] + 1
        at = torch.searchsorted(self.ascending, self.scores, right=inclusive)
        at += width * self.of_items[None, :]
        at += width * self.count * torch.arange(len(at), device=at.device)[:, None]
        counted = torch.bincount(at.ravel(), minlength=width * self.count * len(at))
        table = counted.view(len(at), self.count, width).flip(2).cumsum(2)
        # After the flip, column width - 2 - place sums the places beyond it.
        column = width - 2 - torch.as_tensor(place).to(at.device)
        return table[torch.as_tensor(probe).to(at.device), :, column].cpu().numpy()
