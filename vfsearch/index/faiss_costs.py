"""What an index of faiss takes, from its factory string alone."""

import re
from dataclasses import dataclass

from vfsearch.errors import SettingsError

ID_BYTES, NUMBER_BYTES = 8, 4
HEADER_BYTES = 150
BLOCK_ROWS = 32
"""FastScan keeps the codes of a list in blocks of so many rows; of the last block about half is empty."""
LINK_BYTES, LEVEL_BYTES, OFFSET_BYTES = 4, 4, 8
ROUNDED_UP = 1.4
"""FastScan has room for a power of two of bytes in each list: 1 to 2 times the codes, in the mean so many times."""
ROWS_AT_ONCE, PART_BYTES, PART_ROWS = 65_536, 256 * 2**20, 1_048_576
_LISTS = re.compile(r"IVF(\d+),(Flat|SQ8|RaBitQ|PQ(\d+)(x4fsr?)?)")
_GRAPH = re.compile(r"HNSW(\d+),(Flat|SQ8)")


@dataclass(frozen=True, kw_only=True)
class FaissCosts:
    """Bytes of an index of faiss.

    Args:
        file: of `index.faiss`.
        mapped: of it, what searches read where it lies.
        memory: what searches keep in memory.
        build: most memory while it is built.
    """

    file: int
    mapped: int
    memory: int
    build: int


def faiss_costs(factory: str, train_rows: int, rows: int, dimension: int) -> FaissCosts:
    """What the index of a factory string takes.

    Args:
        factory: without places to be filled in.
        train_rows: that centres and codes are learned from.
        rows, dimension: of the gallery.
    Raises:
        SettingsError: the bytes of such an index are not known.

    Example:
        >>> faiss_costs("Flat", 1000, 1000, 16).file
        64150
    """
    if factory in ("Flat", "SQ8"):
        return _flat(factory, rows, dimension)
    if found := _GRAPH.fullmatch(factory):
        return _graph(int(found[1]), found[2], rows, dimension)
    if found := _LISTS.fullmatch(factory):
        lists, codes, pieces, packed = int(found[1]), found[2], int(found[3] or 0), bool(found[4])
        if packed:
            return _packed_lists(lists, pieces, train_rows, rows, dimension)
        return _lists(lists, codes, pieces, train_rows, rows, dimension)
    raise SettingsError(f"what a faiss index {factory!r} takes is not known: Flat, SQ8, IVF and HNSW of them are")


def _flat(codes: str, rows: int, dimension: int) -> FaissCosts:
    file = rows * _code_bytes(codes, 0, dimension) + _learned_bytes(codes, 0, dimension) + HEADER_BYTES
    return FaissCosts(file=file, mapped=0, memory=file, build=_blocks(rows, dimension))


def _code_bytes(codes: str, pieces: int, dimension: int) -> int:
    """Bytes of a row; RaBitQ keeps two numbers beside one bit a dimension."""
    known = {"Flat": NUMBER_BYTES * dimension, "SQ8": dimension, "RaBitQ": -(-dimension // 8) + 8}
    return known.get(codes, pieces)


def _learned_bytes(codes: str, pieces: int, dimension: int) -> int:
    """Bytes of what was learned: ranges of numbers, 256 centres of each piece."""
    return {"Flat": 0, "RaBitQ": 0, "SQ8": 2 * NUMBER_BYTES * dimension}.get(codes, 256 * dimension * NUMBER_BYTES)


def _graph(links: int, codes: str, rows: int, dimension: int) -> FaissCosts:
    """A row has twice `links` links in the lowest layer; one in `links` is in the next layer too, and so on."""
    layers = 2 * links + links / (links - 1)
    row = _code_bytes(codes, 0, dimension) + LINK_BYTES * layers + LEVEL_BYTES + OFFSET_BYTES
    file = int(rows * row) + _learned_bytes(codes, 0, dimension) + HEADER_BYTES
    return FaissCosts(file=file, mapped=0, memory=file, build=file + _blocks(rows, dimension))


def _lists(lists: int, codes: str, pieces: int, train_rows: int, rows: int, dimension: int) -> FaissCosts:
    code_bytes = _code_bytes(codes, pieces, dimension)
    held = lists * (NUMBER_BYTES * dimension + 8) + _learned_bytes(codes, pieces, dimension) + HEADER_BYTES
    mapped = rows * (code_bytes + ID_BYTES)
    part = min(rows, PART_ROWS, max(ROWS_AT_ONCE, PART_BYTES // (code_bytes + ID_BYTES)))
    filling = part * (code_bytes + ID_BYTES) + _blocks(rows, dimension)
    learning = _learning(codes, train_rows, dimension)
    return FaissCosts(file=held + mapped, mapped=mapped, memory=held, build=held + max(learning, filling))


def _packed_lists(lists: int, pieces: int, train_rows: int, rows: int, dimension: int) -> FaissCosts:
    padded = rows + lists * min(BLOCK_ROWS // 2, rows)
    codes, ids = padded * (pieces + pieces % 2) // 2, rows * ID_BYTES
    held = lists * (NUMBER_BYTES * dimension + 3 * 8) + 16 * dimension * NUMBER_BYTES + HEADER_BYTES
    memory = held + ids + int(ROUNDED_UP * codes)
    filling = memory + _blocks(rows, dimension)
    learning = _learning("", train_rows, dimension)
    return FaissCosts(file=held + ids + codes, mapped=0, memory=memory, build=held + max(learning, filling))


def _blocks(rows: int, dimension: int) -> int:
    """Rows are added block by block; one is read while faiss still has the one before."""
    return 2 * min(rows, ROWS_AT_ONCE) * dimension * NUMBER_BYTES


def _learning(codes: str, train_rows: int, dimension: int) -> int:
    """The sample, and the copies of it that faiss makes."""
    copies = {"Flat": 2, "RaBitQ": 2, "SQ8": 3}.get(codes, 2)
    return copies * train_rows * dimension * NUMBER_BYTES
