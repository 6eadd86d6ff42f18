"""Ranks of mates in a whole gallery, by counting in sorted scores: no order of rows is made or kept."""

import numpy as np
import torch

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.kernels.exact import grid, score_block

BLOCK_SCORES = 2**22


def mate_ranks(
    queries: np.ndarray,
    vectors: np.ndarray | torch.Tensor,
    query_identities: np.ndarray,
    identities: np.ndarray,
    exclude: np.ndarray | None = None,
    device: str = "cpu",
) -> MateRanks:
    """How many gallery rows score above, and equal to, each mate of each query.

    Args:
        queries: (q, d) unit rows.
        vectors: (n, d) unit rows; or what `grid` made of them, when the same gallery is asked again and again.
        query_identities: (q,) int64.
        identities: (n,) int64; a row is a mate of a query when they are equal.
        exclude: (q,) one row each query is not compared with, for example itself; -1 for none.
        device: where to compute.
    Returns:
        MateRanks from exact scores (see `vfsearch.kernels.exact`): equal rows tie.
    """
    exclude = np.full(len(queries), NO_ROW) if exclude is None else exclude
    gallery = vectors if isinstance(vectors, torch.Tensor) else grid(vectors, device)
    step = max(1, BLOCK_SCORES // max(1, len(vectors)))
    blocks = [
        _block(queries[s : s + step], gallery, query_identities[s : s + step], identities, exclude[s : s + step], s)
        for s in range(0, len(queries), step)
    ]
    columns = [np.concatenate(column) for column in zip(*blocks, strict=True)] if blocks else [_EMPTY] * 6
    compared = np.full(len(queries), len(vectors), dtype=np.int64) - (exclude != NO_ROW)
    return MateRanks(
        probe=columns[0],
        above=columns[1],
        tied=columns[2],
        mates_above=columns[3],
        mates_tied=columns[4],
        mates=columns[5],
        gallery=compared,
    )


_EMPTY = np.zeros(0, dtype=np.int64)


def _block(
    queries: np.ndarray,
    gallery: torch.Tensor,
    query_identities: np.ndarray,
    identities: np.ndarray,
    exclude: np.ndarray,
    first: int,
) -> tuple[np.ndarray, ...]:
    """The columns of MateRanks for a few queries."""
    device = gallery.device
    scores = score_block(grid(queries, device), gallery)
    is_mate = torch.as_tensor(query_identities[:, None] == identities[None, :]).to(device)
    skip = torch.as_tensor(exclude).to(device)
    has = torch.nonzero(skip >= 0)[:, 0]
    is_mate[has, skip[has]] = False
    scores[has, skip[has]] = -torch.inf
    mates, ascending = mate_scores(scores, is_mate)
    if ascending.shape[1] == 0:
        return (*[_EMPTY] * 5, mates.cpu().numpy())
    everyone = _sorted_in_place(scores)
    above = scores.shape[1] - torch.searchsorted(everyone, ascending, right=True)
    at_least = scores.shape[1] - torch.searchsorted(everyone, ascending, right=False)
    return (*_blocks_of_ties(ascending, above, at_least, mates, first), mates.cpu().numpy())


def mate_scores(scores: torch.Tensor, is_mate: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(q,) mates of each query, and (q, most mates) their scores, ascending, padded with +inf at the end."""
    query, row = torch.nonzero(is_mate, as_tuple=True)
    mates = torch.bincount(query, minlength=len(scores))
    width = int(mates.max()) if len(mates) else 0
    padded = torch.full((len(scores), width), torch.inf, dtype=scores.dtype, device=scores.device)
    place = torch.arange(len(query), device=scores.device) - (torch.cumsum(mates, 0) - mates)[query]
    padded[query, place] = scores[query, row]
    return mates, padded.sort(dim=1).values


def _sorted_in_place(scores: torch.Tensor) -> torch.Tensor:
    if scores.device.type != "cpu":
        return scores.sort(dim=1).values
    # On a CPU numpy sorts float64 with vector instructions, several times as fast as torch.
    scores.numpy().sort(axis=1)
    return scores


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
