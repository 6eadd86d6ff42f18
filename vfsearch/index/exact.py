"""The exact index: the rows themselves, mapped from disk, searched with our own kernel."""

from pathlib import Path

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.index.base import Gallery, Index, Opened
from vfsearch.index.settings import BuildSettings
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress

MOST_UNPREPARED = 8
"""Queries; preparing rows takes as long as it shortens about so many searches, of 20,000 rows or of 300,000."""


class ExactIndex(Index):
    """Compares a query with every row.

    Args:
        opened: what the files say.
    """

    backend = "exact"
    devices = ("cpu", "cuda")

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._last: _Searched | None = None

    @property
    def exact(self) -> bool:
        """See `Index.exact`."""
        return True

    @classmethod
    def write(
        cls, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, device: str, progress: Progress
    ) -> None:
        """See `Index.write`; the rows are all there is."""

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
        return "in place: an exact index is its rows"

    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        exclude: np.ndarray | None = None,
        max_memory: int | None = None,
    ) -> Neighbors:
        """See `Index.search`; the answer is that of exact scores."""
        from vfsearch.kernels.topk import topk

        gallery, memory = self._gallery(rows).made_ready(len(queries), max_memory)
        if rows is None:
            return topk(queries, gallery, k, exclude, self.device, max_memory=memory)
        places = None if exclude is None else _places(exclude, rows)
        found = topk(queries, gallery, k, places, self.device, max_memory=memory)
        # Padding is row -1 of `found`: the entry put after the last row.
        return Neighbors(rows=np.append(rows, NO_ROW)[found.rows], scores=found.scores)

    def _gallery(self, rows: np.ndarray | None) -> "_Searched":
        """The rows to search among; those that were searched last are still there."""
        if self._last is None or not self._last.holds(rows):
            self._last = _Searched(self.vectors, rows, self.device)
        return self._last


def exact_in_memory(embeddings: Embeddings, store: str, device: str = "cpu") -> ExactIndex:
    """An exact index of rows that are in memory, in no folder.

    Args:
        embeddings: the rows.
        store: digest of the store that they come from.
        device: where searches run.
    """
    gallery = Gallery(
        ids=list(embeddings.ids),
        identities=list(embeddings.identities),
        columns={name: list(values) for name, values in embeddings.columns.items()},
        modality=embeddings.modality,
        space=embeddings.space,
        store=store,
    )
    return ExactIndex(
        Opened(
            folder=Path("memory"), paths={}, gallery=gallery, vectors=embeddings.vectors,
            made_with=BuildSettings(backend="exact"), device=device,
        )
    )  # fmt: skip


class _Searched:
    """Rows that are searched among, prepared once so many queries came that it pays.

    Args:
        vectors: (n, d) all rows.
        rows: (m,) ascending rows of them; None: all.
        device: where searches run.
    """

    def __init__(self, vectors: np.ndarray, rows: np.ndarray | None, device: str) -> None:
        # A copy: whoever made the array may write to it.
        self._rows, self._device = None if rows is None else rows.copy(), device
        self._vectors = vectors if rows is None else _chosen(vectors, rows)
        self._asked = 0
        self._prepared = None

    def holds(self, rows: np.ndarray | None) -> bool:
        """Whether these are the rows."""
        if rows is None or self._rows is None:
            return rows is self._rows
        return np.array_equal(rows, self._rows)

    def made_ready(self, queries: int, max_memory: int | None):
        """What so many more queries are to search, the rows or what was prepared of them, and bytes for the search."""
        from vfsearch.kernels.search_gallery import MEMORY, search_gallery

        memory = MEMORY if max_memory is None else max_memory
        self._asked += queries
        # To a GPU rows are copied once, however few the queries are.
        if self._prepared is None and (self._asked > MOST_UNPREPARED or self._device != "cpu"):
            self._prepared = search_gallery(self._vectors, self._device, max_memory=memory // 2)
        return (self._vectors, memory) if self._prepared is None else (self._prepared, memory - memory // 2)


def _chosen(vectors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Some rows; a stretch of them, as the rows of one split are, is not copied."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return vectors[int(rows[0]) : int(rows[-1]) + 1]
    return vectors[rows]


def _places(exclude: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Where excluded rows stand among the rows searched; -1 for those that do not."""
    if not len(rows):
        return np.full(len(exclude), NO_ROW)
    place = np.searchsorted(rows, exclude).clip(max=len(rows) - 1)
    return np.where(rows[place] == exclude, place, NO_ROW)
