"""Top-k in double precision throughout: few rows, or more ties than a search keeps room for."""

import torch

from vfsearch.data.neighbors import NO_ROW
from vfsearch.kernels.cuda.device_rows import DeviceRows, operands
from vfsearch.kernels.cuda.ordering import first_best, ordered
from vfsearch.kernels.cuda.pair_decision import score_pairs
from vfsearch.kernels.exact import score_block

BLOCK = 2**13
BYTES_OF_SCORE = 64


def whole(
    queries: torch.Tensor, gallery: DeviceRows, k: int, exclude: torch.Tensor, memory: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best rows of each query among all.

    Args:
        queries: (q, d) float32 on the gallery's device.
        gallery: the rows.
        k: how many.
        exclude: (q,) one row of this gallery that each query must not get; any other number for none.
        memory: bytes to use.
    Returns:
        (q, k) int64 rows of this gallery, and their exact scores.
    """
    step = max(1, memory // (BYTES_OF_SCORE * (min(BLOCK, len(gallery)) + k)))
    parts = zip(queries.split(step), exclude.split(step), strict=True)
    found = [_whole(operands(asked, gallery.metric), gallery, k, skip) for asked, skip in parts]
    return torch.cat([rows for rows, _ in found]), torch.cat([scores for _, scores in found])


def _whole(
    queries: torch.Tensor, gallery: DeviceRows, k: int, exclude: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    rows = torch.full((len(queries), k), NO_ROW, device=queries.device)
    scores = torch.full((len(queries), k), -torch.inf, dtype=torch.float64, device=queries.device)
    for first in range(0, len(gallery), BLOCK):
        right = operands(gallery.rows[first : first + BLOCK], gallery.metric)
        numbers = torch.arange(first, first + len(right), device=queries.device)
        fresh = _scores(queries, right, gallery.metric)
        fresh.masked_fill_(numbers[None, :] == exclude[:, None], -torch.inf)
        # Those kept come from earlier rows: the order of places is that of rows.
        scores = torch.cat([scores, fresh], dim=1)
        places = first_best(scores, k)
        rows = torch.cat([rows, numbers.expand(len(rows), -1)], dim=1).gather(1, places)
        scores = scores.gather(1, places)
    return ordered(rows, scores, k)


def _scores(queries: torch.Tensor, right: torch.Tensor, metric: str) -> torch.Tensor:
    return score_block(queries, right) if metric == "ip" else score_pairs(queries[:, None], right[None], metric)
