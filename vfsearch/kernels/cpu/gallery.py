"""A stretch of a gallery made ready for counting: rows by identity, once as rows and once as panels."""

from dataclasses import dataclass

import numpy as np

from vfsearch.errors import VectorError
from vfsearch.kernels.cpu.packing import aligned
from vfsearch.kernels.cpu.strips import pack, put
from vfsearch.kernels.cpu.tiles import PANEL
from vfsearch.kernels.rows import Rows
from vfsearch.kernels.threads import shared

ROWS_AT_ONCE = 4096
PANELS_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretch:
    """Consecutive gallery rows in the order of their identities, so that the mates of a query stand side by side.

    Args:
        first: the gallery row it begins with.
        places: (n,) int64 where each row stands here.
        identities: (n,) int64 ascending.
        rows: (n, d) float32 on the grid of exact scores.
        panels: (p, d + 1, PANEL) float32 aligned, the same rows; none where only mates' scores are wanted.
        reach, length: the greatest of the rows (see `vfsearch.kernels.cpu.strips`).
    """

    first: int
    places: np.ndarray
    identities: np.ndarray
    rows: np.ndarray
    panels: np.ndarray
    reach: float
    length: float

    def own(self, identities: np.ndarray) -> np.ndarray:
        """(q, 2) int64 from which to which place the rows of an identity stand."""
        return np.stack([np.searchsorted(self.identities, identities, side) for side in ("left", "right")], axis=1)

    def place(self, rows: np.ndarray) -> np.ndarray:
        """(q,) int64 where gallery rows stand here, -1 for those that do not."""
        here = (rows >= self.first) & (rows < self.first + len(self.places))
        place = np.full(len(rows), -1, dtype=np.int64)
        place[here] = self.places[rows[here] - self.first]
        return place


def bytes_a_row(dimension: int) -> int:
    """Memory that a row of a stretch takes while it is made."""
    return 4 * (2 * dimension + 1) + 32


def stretch(vectors: Rows, identities: np.ndarray, first: int, last: int, packed: bool = True) -> Stretch:
    """Make some gallery rows ready.

    Args:
        vectors: (n, d) the whole gallery.
        identities: (n,) int64.
        first, last: which rows.
        packed: whether scores will be counted.
    Raises:
        VectorError: a row is not finite.
    """
    order = np.argsort(identities[first:last], kind="stable")
    places = np.empty(last - first, dtype=np.int64)
    places[order] = np.arange(last - first)
    rows = np.empty((last - first, vectors.shape[1]), dtype=np.float32)

    def part(start: int) -> tuple[float, float]:
        stop = min(start + ROWS_AT_ONCE, last - first)
        return put(vectors.read(first + start, first + stop), places[start:stop], rows)

    found = np.array(shared(part, range(0, last - first, ROWS_AT_ONCE))).reshape(-1, 2)
    if not np.isfinite(found).all():
        raise VectorError(f"a row among the gallery rows {first} to {last - 1} is not finite; every row must be")
    reach, length = found.max(axis=0, initial=0)
    return Stretch(
        first=first,
        places=places,
        identities=identities[first:last][order],
        rows=rows,
        panels=_panels(rows) if packed else aligned((0, rows.shape[1] + 1, PANEL), np.float32),
        reach=float(reach),
        length=float(length),
    )


def _panels(rows: np.ndarray) -> np.ndarray:
    panels = aligned((-(-len(rows) // PANEL), rows.shape[1] + 1, PANEL), np.float32)

    def part(start: int) -> None:
        pack(rows, start * PANEL, panels[start : start + PANELS_AT_ONCE])

    shared(part, range(0, len(panels), PANELS_AT_ONCE))
    return panels
