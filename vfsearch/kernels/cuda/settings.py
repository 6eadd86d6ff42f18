"""How many candidates a search keeps room for, and what that takes."""

from dataclasses import dataclass

from vfsearch.kernels.cuda.chunks import chunk_rows
from vfsearch.kernels.cuda.device_rows import SLICE, padded_width

WHOLE_BELOW = 2**13
FEW = 128


@dataclass(frozen=True, kw_only=True)
class Room:
    """Room for the candidates of a probe.

    Args:
        k: how many rows are wanted.
        groups: G of `vfsearch.kernels.cuda.chunks`: short chunks where k is great and most work is looking into them.
        growth: each sample of the gallery is so many times the one that gave its thresholds.
        capacity: chunks, a power of two; k times the growth are expected.
    """

    k: int
    groups: int
    growth: int
    capacity: int


def room_for(k: int) -> Room:
    """The room that a search for k rows takes.

    Example:
        >>> room_for(10)
        Room(k=10, groups=4, growth=16, capacity=512)
    """
    few = k <= FEW
    growth = 16 if few else 4
    return Room(k=k, groups=4 if few else 2, growth=growth, capacity=1 << max(9, (2 * growth * k - 1).bit_length()))


def searches_whole(n: int, k: int) -> bool:
    """Whether so few rows are scored exactly at once."""
    return n < max(WHOLE_BELOW, 16 * k)


def bytes_of_probe(dimension: int, room: Room) -> int:
    """Device memory that one probe of a block takes while candidates are found.

    Float32, float64 and half-precision copies; maxima and chunks; without Triton also a block of scores, and the
    sorting of the candidates.
    """
    return 64 * dimension + room.capacity * (4 * chunk_rows(room.groups) + 56)


def bytes_to_decide(chunks: int, room: Room) -> int:
    """Device memory that one probe takes while so many chunks are decided: rows, scores, and their sorting."""
    return 96 * chunks * chunk_rows(room.groups)


def bytes_of_row(dimension: int, itemsize: int, copies: int) -> int:
    """Device memory that a row of the gallery takes: itself, so many times, and in half precision."""
    return copies * dimension * itemsize + 2 * padded_width(dimension) + 4


def bytes_to_prepare(n: int, dimension: int) -> int:
    """Device memory that making rows ready takes for a moment: float64 copies of a slice."""
    return 4 * 8 * dimension * min(n, SLICE)
