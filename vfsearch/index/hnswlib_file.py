"""The file that hnswlib writes, as far as it must be understood before hnswlib reads it.

hnswlib trusts what a file says: it crashes on most damaged headers, and searches with a wrong dimension without a word.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.errors import DamagedError

LAYOUT = struct.Struct("<6QiI3QdQ")
DELETED = 1
"""Third byte of an entry whose row was marked as deleted."""
ENTRIES_AT_ONCE = 16_384


@dataclass(frozen=True, kw_only=True)
class HnswlibHeader:
    """What stands at the start of the file.

    Args:
        level0: bytes before the first entry; always 0.
        most: rows that there is room for.
        rows: rows that there are.
        entry_bytes: size of an entry of the lowest layer: number of links, links, row, label.
        label_at, row_at: where label and row begin in an entry.
        highest: the top layer.
        entry: where searches begin.
        links: greatest number of links of an entry, in the layers above the lowest.
        links_lowest: the same in the lowest layer.
        m: the build setting M.
        scale: of the random layers.
        ef_construction: the build setting.
    """

    level0: int
    most: int
    rows: int
    entry_bytes: int
    label_at: int
    row_at: int
    highest: int
    entry: int
    links: int
    links_lowest: int
    m: int
    scale: float
    ef_construction: int

    @classmethod
    def of(cls, path: Path) -> "HnswlibHeader":
        """The header of a file.

        Raises:
            DamagedError: the file is too short to have one.
        """
        with path.open("rb") as file:
            start = file.read(LAYOUT.size)
        if len(start) < LAYOUT.size:
            raise DamagedError(f"{path} is no index of hnswlib: it has {len(start)} bytes; make it anew")
        return cls(**dict(zip(cls.__dataclass_fields__, LAYOUT.unpack(start), strict=True)))

    def require(self, path: Path, shape: tuple[int, int], m: int, ef_construction: int) -> None:
        """Refuse a file that is not a graph of these rows with these settings.

        Raises:
            DamagedError: naming what differs.
        """
        row_at = 4 + 4 * 2 * m
        wanted = {
            "rows": shape[0], "level0": 0, "row_at": row_at, "label_at": row_at + 4 * shape[1],
            "entry_bytes": row_at + 4 * shape[1] + 8, "links": m, "links_lowest": 2 * m, "m": m,
            "ef_construction": max(m, ef_construction),
        }  # fmt: skip
        for name, value in wanted.items():
            if getattr(self, name) != value:
                raise _unfit(path, name, getattr(self, name), value)
        if not self.entry < self.rows <= self.most or not 0 <= self.highest < 64:
            raise _unfit(path, "entry", self.entry, f"one of {self.rows} rows")
        least = LAYOUT.size + self.rows * (self.entry_bytes + 4)
        if path.stat().st_size < least:
            raise _unfit(path, "size", path.stat().st_size, f"at least {least}")


def _unfit(path: Path, name: str, got: object, wanted: object) -> DamagedError:
    return DamagedError(f"{path}: {name} is {got}, the index wants {wanted}; make it anew with `vfsearch index build`")


def entries(path: Path, header: HnswlibHeader) -> Iterator[np.ndarray]:
    """The entries of the lowest layer, some at a time.

    Yields:
        (m,) of the fields count, flag (is `DELETED` for rows marked so), links, row (d,) float32, label.
    """
    dimension = (header.label_at - header.row_at) // 4
    layout = np.dtype([
        ("count", "<u2"), ("flag", "u1"), ("spare", "u1"), ("links", "<u4", (header.links_lowest,)),
        ("row", "<f4", (dimension,)), ("label", "<u8"),
    ])  # fmt: skip
    with path.open("rb") as file:
        file.seek(LAYOUT.size)
        for start in range(0, header.rows, ENTRIES_AT_ONCE):
            yield np.fromfile(file, layout, min(ENTRIES_AT_ONCE, header.rows - start))


def faults(path: Path, header: HnswlibHeader, vectors: np.ndarray) -> list[str]:
    """What is wrong with the lowest layer, which holds every row.

    Args:
        path, header: of the file.
        vectors: (n, d) float32 the rows that must be in it, each under its number.
    """
    seen = np.zeros(len(vectors), dtype=bool)
    found: list[str] = []
    for block in entries(path, header):
        label = block["label"].astype(np.int64)
        known = (label >= 0) & (label < len(vectors))
        there = np.arange(header.links_lowest) < block["count"][:, None]
        if not known.all() or len(np.unique(label)) < len(label) or seen[label[known]].any():
            found.append(f"{path.name}: an entry belongs to no row of the index, or two to one")
        if (block["flag"] & DELETED).any():
            found.append(f"{path.name}: an entry is marked as deleted, its row is still in the file")
        if (block["row"][known] != vectors[label[known]]).any():
            found.append(f"{path.name}: an entry holds another row than the one it stands for")
        if (block["count"] > header.links_lowest).any() or (block["links"][there] >= header.rows).any():
            found.append(f"{path.name}: an entry links to none of the {header.rows} entries")
        seen[label[known]] = True
    if not seen.all():
        found.append(f"{path.name}: {(~seen).sum()} rows have no entry")
    return sorted(set(found))
