"""Ranks of mates from whole rows of exact scores, on any device that torch knows.

On a CPU this is what `vfsearch.kernels.ranks` is tested against, and not what it uses.
"""

import numpy as np
import torch

from vfsearch.kernels.cuda.ranks import mate_counts
from vfsearch.kernels.exact import grid, score_block

_EMPTY = np.zeros(0, dtype=np.int64)


def sorted_ranks(
    queries: np.ndarray,
    gallery: torch.Tensor,
    query_identities: np.ndarray,
    identities: np.ndarray,
    exclude: np.ndarray,
    first: int = 0,
) -> tuple[np.ndarray, ...]:
    """The columns of MateRanks, but the last, for a few queries.

    Args:
        queries: (q, d) unit rows.
        gallery: (n, d) from `grid`.
        query_identities, identities: (q,) and (n,) int64.
        exclude: (q,) one gallery row each query is not compared with; -1 for none.
        first: the number of the first query.
    """
    device = gallery.device
    scores = score_block(grid(queries, device), gallery)
    is_mate = mated(query_identities, identities, exclude, device)
    skip = torch.as_tensor(exclude).to(device)
    has = torch.nonzero(skip >= 0)[:, 0]
    scores[has, skip[has]] = -torch.inf
    mates, ascending = mate_scores(scores, is_mate)
    if ascending.shape[1] == 0:
        return (*[_EMPTY] * 5, mates.cpu().numpy())
    above, at_least = _counts(scores, ascending)
    return (*_blocks_of_ties(ascending, above, at_least, mates, first), mates.cpu().numpy())


def mated(
    query_identities: np.ndarray, identities: np.ndarray, exclude: np.ndarray, device: torch.device
) -> torch.Tensor:
    """(q, n) bool: the gallery row is a mate of the query."""
    left, right = (torch.as_tensor(each).to(device) for each in (query_identities, identities))
    is_mate = left[:, None] == right[None, :]
    has = np.flatnonzero(exclude >= 0)
    is_mate[has, exclude[has]] = False
    return is_mate


def mate_scores(scores: torch.Tensor, is_mate: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(q,) mates of each query, and (q, most mates) their scores, ascending, padded with +inf at the end."""
    query, row = torch.nonzero(is_mate, as_tuple=True)
    mates = torch.bincount(query, minlength=len(scores))
    width = int(mates.max()) if len(mates) else 0
    padded = torch.full((len(scores), width), torch.inf, dtype=scores.dtype, device=scores.device)
    place = torch.arange(len(query), device=scores.device) - (torch.cumsum(mates, 0) - mates)[query]
    padded[query, place] = scores[query, row]
    return mates, padded.sort(dim=1).values


def _counts(scores: torch.Tensor, ascending: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(q, p) how many scores are above each threshold, and how many at least as high."""
    if scores.device.type != "cpu":
        return mate_counts(scores, ascending)
    everyone = scores.sort(dim=1).values
    above = scores.shape[1] - torch.searchsorted(everyone, ascending, right=True)
    return above, scores.shape[1] - torch.searchsorted(everyone, ascending, right=False)


def _blocks_of_ties(
    ascending: torch.Tensor, above: torch.Tensor, at_least: torch.Tensor, mates: torch.Tensor, first: int
) -> tuple[np.ndarray, ...]:
    """One entry a distinct mate score, best first."""
    width = ascending.shape[1]
    place = torch.arange(width, device=ascending.device)
    is_real = place[None, :] < mates[:, None]
    # The last of equal mates stands for its block; those after it in ascending order are the mates above.
    ends_block = is_real.clone()
    ends_block[:, :-1] &= (ascending[:, :-1] != ascending[:, 1:]) | ~is_real[:, 1:]
    mates_above = mates[:, None] - 1 - place[None, :]
    starts = torch.searchsorted(ascending, ascending, right=False)
    mates_tied = place[None, :] - starts + 1
    table = [above, at_least - above, mates_above, mates_tied]
    query, column = torch.nonzero(ends_block.flip(1), as_tuple=True)
    column = width - 1 - column
    return tuple(each.cpu().numpy() for each in (query + first, *(entry[query, column] for entry in table)))
