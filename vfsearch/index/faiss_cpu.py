"""Any index that a faiss factory string names, searched on the CPU."""

import faiss
import numpy as np

from vfsearch import devices
from vfsearch.index.approximate import ApproximateIndex, refine_knob
from vfsearch.index.base import Opened
from vfsearch.index.faiss_build import build
from vfsearch.index.faiss_factory import PARAMETERS, settled
from vfsearch.index.faiss_files import INDEX, load, require_same
from vfsearch.index.faiss_inspect import faults, is_mapped, memory_of
from vfsearch.index.faiss_knobs import chosen_among, knobs_of
from vfsearch.index.faiss_pages import MappedLists
from vfsearch.index.faiss_rewrite import rewritten
from vfsearch.index.settings import BuildSettings, Knob
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress

FEWEST_AMONG = 1 / 16
"""Share of all rows; searches among fewer are answered exactly, which is quicker then and misses nothing."""


class FaissIndex(ApproximateIndex):
    """Flat, IVF, HNSW and what else faiss has; lists of whole rows and of codes are searched where they lie on disk.

    Args:
        opened: what the files say.
    Raises:
        DamagedError: the file is not that of these rows.
    """

    backend = "faiss"
    parameters = PARAMETERS

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        faiss.omp_set_num_threads(devices.threads())
        self._path = opened.paths[INDEX]
        self._shape = load(self._path)
        require_same(self._shape, len(self), self.vectors.shape[1], self._path)
        self._knobs = knobs_of(self._shape, refine_knob)
        pages = MappedLists(self._shape.lists) if is_mapped(self._shape) else None
        self._pages = pages if pages is not None and pages.may_fill_memory else None
        # What the method `search` of faiss for Python is put over: it makes arrays and checks what is checked already.
        self._search = self._shape.index.search_c

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """See `Index.knobs`."""
        return self._knobs

    @property
    def exhaustive(self) -> dict[str, int] | None:
        """See `Index.exhaustive`; a graph of whole rows has none."""
        most = {knob.name: knob.high for knob in self._knobs if knob.name in ("nprobe", "ef")}
        if "ef" in most and self._shape.keeps_whole_rows:
            return None
        return {**self.settings, **most}

    @classmethod
    def prepared(cls, settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
        """See `Index.prepared`."""
        return settled(settings, rows, dimension)

    @classmethod
    def write(
        cls, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, device: str, progress: Progress
    ) -> None:
        """See `Index.write`."""
        build(rows, settings, writer, progress)

    @classmethod
    def rewrite(
        cls,
        old: Opened,
        keep: np.ndarray,
        added: int,
        rows: VectorFile,
        settings: BuildSettings,
        writer: IndexWriter,
        device: str,
        progress: Progress,
    ) -> str:
        """See `Index.rewrite`."""
        return rewritten(old, keep, rows, settings, writer, progress)

    def _apply(self) -> None:
        """See `Index._apply`."""
        inner = self._shape.inner
        if "nprobe" in self.settings:
            inner.nprobe = self.settings["nprobe"]
        if "ef" in self.settings:
            inner.hnsw.efSearch = self.settings["ef"]
        if "qb" in self.settings:
            inner.qb = self.settings["qb"]
        if self._shape.coarse_graph is not None:
            self._shape.coarse_graph.hnsw.efSearch = 2 * self.settings["nprobe"]

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See `ApproximateIndex._nearest`."""
        if self.settings.get("ef", k) >= k:
            return self._nearest_with(queries, k, None)
        # faiss ends a walk after `ef` candidates, however many are asked for.
        graph = self._shape.inner.hnsw
        graph.efSearch = k
        try:
            return self._nearest_with(queries, k, None)
        finally:
            graph.efSearch = self.settings["ef"]

    def _nearest_with(
        self, queries: np.ndarray, k: int, chosen: faiss.SearchParameters | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `_nearest`, among the rows that parameters choose."""
        rows, scores = np.empty((len(queries), k), np.int64), np.empty((len(queries), k), np.float32)
        if self._pages is None:
            self._search_into(queries, rows, scores, chosen)
            return rows, scores
        step = self._pages.queries_at_once(self.settings["nprobe"])
        for start in range(0, len(queries), step):
            part = slice(start, start + step)
            self._search_into(queries[part], rows[part], scores[part], chosen)
            self._pages.give_back()
        return rows, scores

    def _search_into(
        self, queries: np.ndarray, rows: np.ndarray, scores: np.ndarray, chosen: faiss.SearchParameters | None
    ) -> None:
        """Search, and put what is found into arrays."""
        pointers = faiss.swig_ptr(scores), faiss.swig_ptr(rows)
        self._search(len(queries), faiss.swig_ptr(queries), rows.shape[1], *pointers, chosen)

    def _nearest_among(self, queries: np.ndarray, k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """See `ApproximateIndex._nearest_among`."""
        if len(rows) < FEWEST_AMONG * len(self):
            return None
        settings = {name: max(value, k) if name == "ef" else value for name, value in self.settings.items()}
        chosen = chosen_among(self._shape, settings, rows, len(self))
        return None if chosen is None else self._nearest_with(queries, k, chosen)

    def inspect(self) -> list[str]:
        """See `Index.inspect`."""
        return faults(self._shape, len(self), self._path)

    def memory_bytes(self) -> int:
        """See `Index.memory_bytes`; FastScan keeps its lists in memory, other lists are mapped."""
        return memory_of(self._shape, self._path)
