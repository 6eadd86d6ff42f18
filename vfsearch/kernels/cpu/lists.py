"""Gallery rows as operands of tile products, list by list: each list begins with a panel of its own.

What rounding can change is kept for each list, not for each panel: a query works out once what its sums in a list must
reach. Places without a row start so low that no sum there reaches anything.
"""

from dataclasses import dataclass

import numpy as np

from vfsearch.errors import VectorError
from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.packing import CODES, aligned, greatest_of, lost_length_of, words_of
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, Kind
from vfsearch.kernels.rows import LONGEST, too_long
from vfsearch.kernels.threads import shared

MOST_INT8_DIMENSIONS = 1024
ROWS_AT_ONCE = 2**14
LEAST_SUM, LEAST_FLOAT = np.int32(-2_000_000_000), np.float32(-3e38)
_INFLATED = np.float32(1.001)


@dataclass(frozen=True, kw_only=True, eq=False)
class ListPanels:
    """Rows of a gallery by their lists.

    Args:
        kind: of the numbers.
        words: (p, words + 1, PANEL) uint32 panels, as in `vfsearch.kernels.cpu.packing.Panels`.
        first: (lists + 1,) int64 the panel that each list begins with.
        items: (p * PANEL,) int64 the gallery row at each place; -1 for none.
        scale, residual, length: (lists,) float32 as `Panels` has them, of the rows of each list together.
    """

    kind: Kind
    words: np.ndarray
    first: np.ndarray
    items: np.ndarray
    scale: np.ndarray
    residual: np.ndarray
    length: np.ndarray

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.words.nbytes + self.items.nbytes

    def rows_of(self, lists: np.ndarray) -> np.ndarray:
        """(m,) the gallery rows of some lists."""
        parts = [self.items[self.first[each] * PANEL : self.first[each + 1] * PANEL] for each in lists]
        found = np.concatenate(parts) if parts else self.items[:0]
        return found[found >= 0]


def kind_for(dimension: int) -> Kind:
    """The numbers that this processor multiplies quickest."""
    if INT8.here and dimension <= MOST_INT8_DIMENSIONS:
        return INT8
    return BF16 if BF16.here else FLOAT32


def bytes_of_lists(sizes: np.ndarray, dimension: int) -> int:
    """Memory that lists of so many rows each take once they are packed."""
    panels = int((-(-sizes // PANEL)).sum())
    return panels * PANEL * (4 * (kind_for(dimension).words(dimension) + 1) + 8)


def pack_lists(kind: Kind, read, lists: np.ndarray, count: int, dimension: int) -> ListPanels:
    """Pack rows list by list; they are read from the first to the last, for 8-bit numbers twice.

    Args:
        kind: of the numbers.
        read: (first, last) -> (last - first, dimension) float32 rows.
        lists: (n,) int32 the list of each row.
        count: how many lists there are.
        dimension: of the rows.
    Raises:
        VectorError: a row is not finite or too long.
    """
    sizes = np.bincount(lists, minlength=count)
    first = np.concatenate([[0], np.cumsum(-(-sizes // PANEL))])
    places = np.empty(len(lists), dtype=np.int64)
    _places(lists, first[:-1] * PANEL, places)
    items = np.full(first[-1] * PANEL, -1, dtype=np.int64)
    items[places] = np.arange(len(lists))
    words = aligned((int(first[-1]), kind.words(dimension) + 1, PANEL), np.uint32)
    words[:, 0] = (LEAST_SUM if kind is INT8 else LEAST_FLOAT).view(np.uint32)
    scale = _scales(read, lists, count) if kind is INT8 else np.ones(count, dtype=np.float32)

    def part(start: int) -> tuple[np.ndarray, int]:
        part = slice(start, min(start + ROWS_AT_ONCE, len(lists)))
        rows, facts = read(part.start, part.stop), np.zeros((2, count), dtype=np.float32)
        scratch = np.zeros((2, (words.shape[1] - 1) * 4), dtype=np.uint32)
        longest = np.float32(LONGEST["ip"])
        bad = _put(CODES[kind], rows, lists[part], places[part], scale, words, facts, longest, scratch)
        return facts, start + bad if bad >= 0 else -1

    facts = np.zeros((2, count), dtype=np.float32)
    for found, bad in shared(part, range(0, len(lists), ROWS_AT_ONCE)):
        if bad >= 0:
            raise too_long(bad, "ip")
        np.maximum(facts, found, out=facts)
    return ListPanels(kind=kind, words=words, first=first, items=items, scale=scale, residual=facts[0], length=facts[1])


def _scales(read, lists: np.ndarray, count: int) -> np.ndarray:
    def part(start: int) -> np.ndarray:
        stop, found = min(start + ROWS_AT_ONCE, len(lists)), np.zeros(count, dtype=np.float32)
        _greatest_of_lists(read(start, stop), lists[start:stop], found)
        return found

    greatest = np.zeros(count, dtype=np.float32)
    for found in shared(part, range(0, len(lists), ROWS_AT_ONCE)):
        np.maximum(greatest, found, out=greatest)
    if not np.isfinite(greatest).all():
        raise VectorError("a row of the gallery is not finite; every row must be")
    return np.maximum(greatest / np.float32(127), np.float32(1e-30))


@compiled(borrows=True)
def _places(lists, following, places):
    for row in range(lists.shape[0]):
        each = lists[row]
        places[row] = following[each]
        following[each] += 1


@compiled(reassociate=True, borrows=True)
def _greatest_of_lists(rows, lists, greatest):
    for row in range(rows.shape[0]):
        each = lists[row]
        greatest[each] = max(greatest[each], greatest_of(rows[row]))


@compiled(reassociate=True, borrows=True)
def _put(code, rows, lists, places, scale, words, facts, longest, scratch):
    """Write rows to their places; the first that is too long or not finite, or -1."""
    width, lost_length = words.shape[1] - 1, lost_length_of(rows.shape[1], False)
    for row in range(rows.shape[0]):
        each, panel, lane = lists[row], places[row] // PANEL, places[row] % PANEL
        square, lost = words_of(code, rows[row], scale[each], scratch, 128)
        length = np.sqrt(square) * _INFLATED + lost_length
        if not length <= longest:
            return row
        residual = np.sqrt(lost) * _INFLATED + lost_length
        facts[0, each] = max(facts[0, each], residual)
        facts[1, each] = max(facts[1, each], length + residual)
        words[panel, 0, lane] = 0
        for place in range(width):
            words[panel, place + 1, lane] = scratch[0, place]
    return -1
