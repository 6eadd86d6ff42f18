"""Candidates found by products in half precision."""

import torch

from vfsearch.kernels.cuda.candidates import Candidates
from vfsearch.kernels.cuda.chunks import chunk_maxima, chunk_rows
from vfsearch.kernels.cuda.device_rows import PART, DeviceRows
from vfsearch.kernels.cuda.places import multiprocessors, runs_triton
from vfsearch.kernels.cuda.probes import Probes
from vfsearch.kernels.cuda.settings import Room

WAVES = 8


def find(candidates: Candidates, probes: Probes, gallery: DeviceRows, room: Room) -> None:
    """List all chunks of a gallery that may matter."""
    if runs_triton(gallery.device):
        _find_by_samples(candidates, probes, gallery, room)
    else:
        _find_by_blocks(candidates, probes, gallery, room)


def _find_by_samples(candidates: Candidates, probes: Probes, gallery: DeviceRows, room: Room) -> None:
    """Ever greater samples of the gallery, each with the bounds that those before gave."""
    tile = Tile(len(probes), gallery)
    most = room.capacity * chunk_rows(room.groups) // tile.rows
    for number, stride in enumerate(strides(-(-len(gallery) // tile.rows), most, room.growth)):
        tile.emit(candidates, probes, gallery, stride, room.growth if number else 0, room)
        candidates.narrow()


def strides(tiles: int, most: int, growth: int) -> list[int]:
    """Every how many-eth tile is looked at: at first few enough for all their chunks to be kept, then all.

    Example:
        >>> strides(2344, 32, 16)
        [256, 16, 1]
    """
    found = [1]
    while -(-tiles // found[0]) > most:
        found.insert(0, found[0] * growth)
    return found


class Tile:
    """The size of the kernel's tiles, and how it is launched.

    Args:
        count: how many probes.
        gallery: the rows.
    """

    def __init__(self, count: int, gallery: DeviceRows) -> None:
        self.width = gallery.half.shape[1]
        is_cuda, resident = gallery.device.type == "cuda", self.width <= 128
        # Hopper and the data centres' Blackwell have room for three stages of great tiles, others do not.
        roomy = is_cuda and (9, 0) <= torch.cuda.get_device_capability(gallery.device) < (11, 0) and not resident
        self.probes = 64 if count <= 64 else 128
        self.rows = 256 if roomy else 128
        self.part = self.width if resident else PART
        # Four warps: two blocks fit a multiprocessor, so that one multiplies while the other selects.
        self.warps = 4 if resident else 8
        self.stages = 3 if roomy else 2

    def emit(
        self, candidates: Candidates, probes: Probes, gallery: DeviceRows, stride: int, growth: int, room: Room
    ) -> None:
        """One launch of `vfsearch.kernels.cuda.compiled.emission.emission`."""
        from vfsearch.kernels.cuda.compiled.emission import emission

        blocks, tiles = -(-len(probes) // self.probes), -(-len(gallery) // self.rows)
        count = -(-tiles // stride) - (-(-tiles // (stride * growth)) if growth else 0)
        shares = max(1, min(count, WAVES * multiprocessors(gallery.device) // blocks))
        biased = len(gallery.bias) > 0
        emission[(blocks, shares)](
            probes.half, gallery.half, gallery.bias if biased else candidates.bounds, candidates.bounds,
            candidates.counts, candidates.maxima, candidates.chunks, count, stride, len(gallery), room.capacity,
            D=self.width, PART=self.part, BM=self.probes, BN=self.rows, G=room.groups, GROWTH=growth, BIASED=biased,
            num_warps=self.warps, num_stages=self.stages,
        )  # fmt: skip


def _find_by_blocks(candidates: Candidates, probes: Probes, gallery: DeviceRows, room: Room) -> None:
    """The same where Triton does not run: products in blocks that go to memory, one after the other."""
    size = chunk_rows(room.groups)
    # Half the room a block: nothing is lost unless as many stand within the error of the k-th best.
    width = room.capacity // 2 * size
    left = probes.half[: len(probes)].float()
    for start in range(0, len(gallery.half), width):
        block = slice(start, start + width)
        scores = left @ gallery.half[block].float().T
        if len(gallery.bias):
            scores += gallery.bias[block]
        scores[:, max(0, len(gallery) - start) :] = -torch.inf
        _append(candidates, chunk_maxima(scores, room.groups), start // size)
        candidates.narrow()


def _append(candidates: Candidates, maxima: torch.Tensor, first: int) -> None:
    count, capacity = candidates.maxima.shape
    hits = maxima >= candidates.bounds[:count, None]
    places = candidates.counts[:count, None] + hits.cumsum(dim=1) - 1
    probe, chunk = torch.nonzero(hits & (places < capacity), as_tuple=True)
    place = places[probe, chunk]
    candidates.maxima[probe, place] = maxima[probe, chunk]
    candidates.chunks[probe, place] = (chunk + first).int()
    candidates.counts[:count] += hits.sum(dim=1, dtype=torch.int32)
