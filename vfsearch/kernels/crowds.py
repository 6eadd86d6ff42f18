"""How the gallery around each mate divides among people: what ranks become when somebody's items are left out."""

from collections.abc import Iterator

import numpy as np
import torch

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd
from vfsearch.kernels.exact import grid, score_block
from vfsearch.kernels.ranks import mate_ranks, mate_scores

BLOCK_COUNTS = 2**21


def crowds(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor,
    query_identities: np.ndarray,
    identities: np.ndarray,
    rows: np.ndarray,
    units: np.ndarray,
    exclude: np.ndarray | None = None,
    device: str = "cpu",
) -> Iterator[Crowd]:
    """How many items of each unit score above, and equal to, each mate of some queries, a few queries at a time.

    Each gallery score is placed among the query's mates by binary search, and counted by place and unit.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows, or what `grid` made of them.
        query_identities: (q,) int64.
        identities: (n,) int64, numbered alike.
        rows: (s,) the queries that are wanted.
        units: (I,) int64 unit of each identity number.
        exclude: (q,) one gallery row each query is not compared with; -1 for none.
        device: where to compute.
    Returns:
        Crowds of consecutive `rows`, from the same exact scores as `mate_ranks`.
    """
    exclude = np.full(len(queries), NO_ROW) if exclude is None else exclude
    gallery = vectors if isinstance(vectors, torch.Tensor) else grid(vectors, device)
    count = int(units.max(initial=-1)) + 1
    of_items = units[identities]
    most = int(np.bincount(identities, minlength=1).max())
    step = max(1, BLOCK_COUNTS // max(len(gallery), count * (most + 1)))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        ranks = mate_ranks(queries[part], gallery, query_identities[part], identities, exclude[part], device)
        scores = score_block(grid(queries[part], gallery.device), gallery)
        is_mate = query_identities[part][:, None] == identities[None, :]
        own = units[query_identities[part]]
        yield _crowd(ranks, part, scores, is_mate, exclude[part], of_items, own, count)


def _crowd(
    ranks: MateRanks, rows: np.ndarray, scores: torch.Tensor, is_mate: np.ndarray, exclude: np.ndarray,
    of_items: np.ndarray, own: np.ndarray, count: int,
) -> Crowd:  # fmt: skip
    has = np.flatnonzero(exclude != NO_ROW)
    is_mate[has, exclude[has]] = False
    _, ascending = mate_scores(scores, torch.as_tensor(is_mate).to(scores.device))
    # The last of equal mates stands for its block.
    place = ranks.mates[ranks.probe] - 1 - ranks.mates_above
    counter = _Counter(ascending, scores, torch.as_tensor(of_items).to(scores.device), count)
    above = counter.beyond(ranks.probe, place, inclusive=False)
    if (ranks.tied > ranks.mates_tied).any():
        tied = counter.beyond(ranks.probe, place, inclusive=True) - above
    else:
        tied = np.zeros_like(above)
    gallery = np.tile(np.bincount(of_items, minlength=count), (len(rows), 1))
    # What is of the probe's own unit, the excluded row too, is never left out.
    gallery[np.arange(len(rows)), own] = 0
    for table in (above, tied):
        table[np.arange(len(table)), own[ranks.probe]] = 0
    return Crowd(ranks=ranks, rows=rows, above=above, tied=tied, gallery=gallery)


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
