"""Our own inverted lists: rows around centres, of which a search looks at the nearest."""

import io
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.errors import DamagedError, SettingsError
from vfsearch.index.approximate import ApproximateIndex, exact_among
from vfsearch.index.base import Opened
from vfsearch.index.layout import VECTORS
from vfsearch.index.settings import BuildSettings, Knob, Parameter
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress

CENTRES, LISTS, FIRST_CENTRES = "index.centres", "index.lists", "step-centres"
ROWS_A_LIST = 128
MOST_LISTS = 2**14
SAMPLE_A_LIST = 64
LOOKED_AT = 8
"""Times the cube root of the number of lists: looked at where nothing was tuned. Probes of another modality find 95 to
98 % of their neighbours so, in 10,000 rows as in 300,000."""
STEP = 1.12
"""Ratio of neighbouring values on the ladder."""
MOST_UNPREPARED = 8
"""Queries; packing the rows takes longer than the searches that it spares."""
FEWEST_OF_ALL = 4
"""Searches among less than one in so many rows compare with each of them."""


class ClusteredIndex(ApproximateIndex):
    """Lists of rows around centres; within the lists that a query looks at, nothing is lost.

    Which rows are looked at depends on the centres alone; scores are exact, and with all lists the answer is that of
    the exact index. Many queries at a time cost least: each list is met once by all queries that look at it.

    Args:
        opened: what the files say.
    Raises:
        DamagedError: the files do not fit one another.
    """

    backend = "clustered"
    parameters = (
        Parameter(name="lists", default=None, low=1, help="lists; by default one for 128 rows, at most 16,384"),
        Parameter(name="rounds", default=8, low=0, help="rounds of clustering a sample of 64 rows a list"),
    )

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._opened, self._asked = opened, 0
        self._centres, self._lists = _read(opened)

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """See `Index.knobs`."""
        lists = len(self._centres)
        default = max(1, min(lists, round(LOOKED_AT * lists ** (1 / 3))))
        return (
            Knob(name="nprobe", default=default, low=1, high=lists, ladder=_ladder(lists), help="lists looked at"),
        )  # fmt: skip

    @property
    def exhaustive(self) -> dict[str, int] | None:
        """See `Index.exhaustive`."""
        return {"nprobe": len(self._centres)}

    @classmethod
    def prepared(cls, settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
        """See `Index.prepared`."""
        chosen = super().prepared(settings, rows, dimension)
        lists = chosen.parameters["lists"] or max(1, min(MOST_LISTS, round(rows / ROWS_A_LIST)))
        if lists > rows:
            raise SettingsError(f"the back end clustered: lists is {lists}, there are {rows} rows to put into them")
        return BuildSettings(
            backend=chosen.backend, parameters={**chosen.parameters, "lists": lists}, seed=chosen.seed
        )  # fmt: skip

    @classmethod
    def write(
        cls, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, device: str, progress: Progress
    ) -> None:
        """See `Index.write`."""
        from vfsearch.index.centres import put_into_lists, spherical_centres

        if not writer.has(FIRST_CENTRES):
            lists = settings.parameters["lists"]
            sample = rows.sample(lists * SAMPLE_A_LIST, settings.seed)
            found = spherical_centres(sample, lists, settings.parameters["rounds"], settings.seed, progress)
            writer.add(FIRST_CENTRES, _npy(found))
        if not writer.has(LISTS):
            centres = np.load(writer.path(FIRST_CENTRES), allow_pickle=False)
            _write(*put_into_lists(rows, 0, centres, progress), writer)

    @classmethod
    def rewrite(
        cls, old: Opened, keep: np.ndarray, added: int, rows: VectorFile, settings: BuildSettings,
        writer: IndexWriter, device: str, progress: Progress,
    ) -> str:  # fmt: skip
        """See `Index.rewrite`; centres are the middle of the rows that are there, and of no others."""
        if added > keep.sum():
            cls.write(rows, cls.prepared(settings, *rows.shape), writer, device, progress)
            return "built anew: more rows were added than there were before"
        if not writer.has(LISTS):
            _write(*_changed(old, keep, rows, progress), writer)
        return "in place: rows that are new join the list whose centre is nearest"

    def _apply(self) -> None:
        sizes = np.sort(np.bincount(self._lists, minlength=len(self._centres)))
        self._least = np.cumsum(sizes)

    def _nprobe(self, k: int) -> int:
        """Lists to look at: so many that they hold k rows, whichever they are."""
        return max(self.settings["nprobe"], min(len(self._centres), 1 + int(np.searchsorted(self._least, k))))

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        from vfsearch.kernels.list_search import best_of_chosen, nearest_lists, search_lists

        self._asked += len(queries)
        if self._asked > MOST_UNPREPARED:
            found = search_lists(queries, self._gallery, k, self._nprobe(k))
        else:
            chosen = nearest_lists(queries, self._packed_centres, self._nprobe(k))
            found = best_of_chosen(queries, self.vectors, chosen, self._rows_of, k)
        return found.rows, found.scores

    def _nearest_among(self, queries: np.ndarray, k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from vfsearch.kernels.list_search import search_lists

        if len(rows) * FEWEST_OF_ALL < len(self):
            exact = exact_among(self, queries, k, rows, None)
            return exact.rows, exact.scores
        found = search_lists(queries, self._gallery, k, self._nprobe(k), rows)
        short = found.rows[:, -1] == NO_ROW
        if short.any():
            exact = exact_among(self, queries[short], k, rows, None)
            found.rows[short], found.scores[short] = exact.rows, exact.scores
        return found.rows, found.scores

    @cached_property
    def _packed_centres(self):
        from vfsearch.kernels.list_search import packed_centres

        return packed_centres(self._centres)

    @cached_property
    def _gallery(self):
        from vfsearch.kernels.list_search import ListGallery

        # Opened once: Python 3.11 fails if several threads read the header of a .npy file at the same moment.
        file = None
        with suppress(FileNotFoundError):
            file = VectorFile(self._opened.paths[VECTORS])

        def read(first: int, last: int) -> np.ndarray:
            # Reading leaves no pages of the map in memory. A file that was replaced since is still there as the map.
            with suppress(FileNotFoundError):
                return file.read(first, last) if file else np.array(self.vectors[first:last])
            return np.array(self.vectors[first:last])

        return ListGallery(self.vectors, self._centres, self._lists, read)

    @cached_property
    def _by_list(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,) rows list by list, and (lists + 1,) where each list begins."""
        ends = np.cumsum(np.bincount(self._lists, minlength=len(self._centres)))
        return np.argsort(self._lists, kind="stable"), np.concatenate([[0], ends])

    def _rows_of(self, lists: np.ndarray) -> np.ndarray:
        order, begin = self._by_list
        return np.concatenate([order[begin[each] : begin[each + 1]] for each in lists])

    def inspect(self) -> list[str]:
        """See `Index.inspect`."""
        counts = np.bincount(self._lists, minlength=len(self._centres))
        empty = np.flatnonzero(counts == 0)
        return [f"{LISTS}: no row is in the list {empty[0]}, whose centre is kept"] if len(empty) else []

    def memory_bytes(self) -> int:
        """See `Index.memory_bytes`."""
        from vfsearch.kernels.cpu.lists import bytes_of_lists

        sizes = np.bincount(self._lists, minlength=len(self._centres))
        return bytes_of_lists(sizes, self.vectors.shape[1]) + self._centres.nbytes + self._lists.nbytes


def _ladder(lists: int) -> tuple[int, ...]:
    """Numbers of lists worth trying.

    Example:
        >>> _ladder(10)
        (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    """
    count = 1 + int(np.ceil(np.log(max(1, lists)) / np.log(STEP)))
    return tuple(sorted({round(float(value)) for value in np.geomspace(1, lists, count)}))


def _npy(rows: np.ndarray) -> Iterator[bytes]:
    file = io.BytesIO()
    np.save(file, rows, allow_pickle=False)
    yield file.getvalue()


def _write(lists: np.ndarray, sums: np.ndarray, writer: IndexWriter) -> None:
    """Write which list each row is in, and centres amid the rows; lists without a row are left out."""
    from vfsearch.index.centres import directions

    there = np.bincount(lists, minlength=len(sums)) > 0
    numbers = np.cumsum(there, dtype=np.int32) - 1
    writer.add(CENTRES, _npy(directions(sums[there])))
    writer.add(LISTS, _npy(numbers[lists].astype(np.int32)))


def _changed(old: Opened, keep: np.ndarray, rows: VectorFile, progress: Progress) -> tuple[np.ndarray, np.ndarray]:
    """The lists of the rows as they shall be, and the sums of their rows."""
    from vfsearch.index.centres import add_rows, put_into_lists

    centres, before = _read(old)
    kept = before[keep]
    new, sums = put_into_lists(rows, len(kept), centres, progress)
    lists, counts = np.concatenate([kept, new]), np.zeros(len(centres), dtype=np.int64)
    for start, block in rows.blocks():
        block = block[: max(0, len(kept) - start)]
        if len(block):
            add_rows(block, kept[start : start + len(block)], sums, counts)
    return lists, sums


def _read(opened: Opened) -> tuple[np.ndarray, np.ndarray]:
    """The centres, and the list of each row.

    Raises:
        DamagedError: they do not fit the rows.
    """
    rows, dimension = opened.vectors.shape
    centres = _loaded(opened, CENTRES, np.dtype("<f4"), 2)
    lists = _loaded(opened, LISTS, np.dtype("<i4"), 1)
    if centres.shape[1] != dimension or not len(centres) or not np.isfinite(centres).all():
        raise DamagedError(f"{opened.paths[CENTRES]} holds no centres of {dimension} dimensions; {_ANEW}")
    if len(lists) != rows or lists.min(initial=0) < 0 or lists.max(initial=0) >= len(centres):
        raise DamagedError(f"{opened.paths[LISTS]} does not say which of {len(centres)} lists each row is in; {_ANEW}")
    return centres, lists


_ANEW = "make it anew with `vfsearch index build`"


def _loaded(opened: Opened, role: str, dtype: np.dtype, axes: int) -> np.ndarray:
    if role not in opened.paths:
        raise DamagedError(f"the index {opened.folder} has no {role}; {_ANEW}")
    try:
        found = np.load(opened.paths[role], allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise DamagedError(f"{opened.paths[role]} holds no numbers: {error}; {_ANEW}") from error
    if found.dtype != dtype or found.ndim != axes:
        raise DamagedError(f"{opened.paths[role]} holds {found.dtype} {found.shape}; {_ANEW}")
    return found
