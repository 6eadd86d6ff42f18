"""The k best rows of a block of probes in one stretch of the gallery."""

import torch

from vfsearch.kernels.cuda.candidates import Candidates
from vfsearch.kernels.cuda.chunks import chunk_rows, members
from vfsearch.kernels.cuda.device_rows import DeviceRows
from vfsearch.kernels.cuda.finding import find
from vfsearch.kernels.cuda.ordering import ordered
from vfsearch.kernels.cuda.pair_decision import exact_scores
from vfsearch.kernels.cuda.probes import make_probes
from vfsearch.kernels.cuda.settings import Room, bytes_to_decide, room_for, searches_whole
from vfsearch.kernels.cuda.whole import whole


def best_rows(
    queries: torch.Tensor, gallery: DeviceRows, k: int, exclude: torch.Tensor, floor: torch.Tensor, memory: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best rows of each query that score at least its floor; others may be among them.

    Candidates by products in half precision, decided by exact scores; where more rows than there is room for stand
    within the proven error, all rows by exact scores.

    Args:
        queries: (q, d) float32 on the gallery's device.
        gallery: the rows.
        k: how many.
        exclude: (q,) one row of this gallery that each query must not get; any other number for none.
        floor: (q,) float64 scores, -inf for none.
        memory: bytes that exact scores of many rows may take.
    Returns:
        (q, k) int64 rows of this gallery, NO_ROW where there is none, and their exact scores; best first.
    """
    if searches_whole(len(gallery), k):
        return whole(queries, gallery, k, exclude, memory)
    probes, room = make_probes(queries, gallery), room_for(k)
    skips = (exclude >= 0) & (exclude < len(gallery))
    candidates = Candidates(probes, room, floor, bool(skips.any()))
    find(candidates, probes, gallery, room)
    rows, scores = _decided(candidates, queries, gallery, room, exclude, memory)
    lost = torch.nonzero(~candidates.complete())[:, 0]
    if len(lost):
        rows[lost], scores[lost] = whole(queries[lost], gallery, k, exclude[lost], memory)
    return rows, scores


def _decided(
    candidates: Candidates, queries: torch.Tensor, gallery: DeviceRows, room: Room, exclude: torch.Tensor, memory: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The k best among the candidates by exact scores."""
    filled = candidates.filled
    most = max(1, int(filled.max()))
    step = max(1, memory // bytes_to_decide(most, room))
    parts = [slice(start, start + step) for start in range(0, len(queries), step)]
    found = [
        _decide(candidates.chunks[part, :most], filled[part], queries[part], gallery, room, exclude[part])
        for part in parts
    ]
    return torch.cat([rows for rows, _ in found]), torch.cat([scores for _, scores in found])


def _decide(
    chunks: torch.Tensor, filled: torch.Tensor, queries: torch.Tensor, gallery: DeviceRows, room: Room,
    exclude: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    size = chunk_rows(room.groups)
    is_empty = torch.arange(chunks.shape[1], device=chunks.device) >= filled[:, None]
    rows = members(chunks.masked_fill(is_empty, 0), room.groups)
    is_void = is_empty.repeat_interleave(size, dim=1) | (rows >= len(gallery)) | (rows == exclude[:, None])
    rows.masked_fill_(is_void, 0)
    asked = torch.arange(len(rows), device=rows.device).repeat_interleave(rows.shape[1])
    scores = exact_scores(queries, gallery.rows, asked, rows.flatten(), gallery.metric).view(rows.shape)
    return ordered(rows, scores.masked_fill_(is_void, -torch.inf), room.k)
