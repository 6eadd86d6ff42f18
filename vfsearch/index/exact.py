"""The exact index: the rows themselves, mapped from disk, searched with our own kernel."""

import io
from functools import cached_property
from typing import Self

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.errors import DamagedError
from vfsearch.index.base import Gallery, Index, file_of

VECTORS_NAME = "vectors.npy"


class ExactIndex(Index):
    """Compares a query with every row.

    Args:
        gallery: what is known of the rows.
        vectors: (n, d) float32 unit rows.
        device: where searches run.
    """

    backend = "exact"

    def __init__(self, gallery: Gallery, vectors: np.ndarray, device: str = "cpu") -> None:
        super().__init__(gallery)
        self.vectors = vectors
        self.device = device

    @classmethod
    def build(cls, embeddings: Embeddings, store: str, device: str = "cpu") -> Self:
        """See `Index.build`."""
        gallery = Gallery(
            ids=list(embeddings.ids),
            identities=list(embeddings.identities),
            columns={name: list(values) for name, values in embeddings.columns.items()},
            modality=embeddings.modality,
            space=embeddings.space,
            store=store,
        )
        return cls(gallery, embeddings.vectors, device)

    def search(
        self, queries: np.ndarray, k: int, rows: np.ndarray | None = None, exclude: np.ndarray | None = None
    ) -> Neighbors:
        """See `Index.search`; the answer is that of exact scores."""
        from vfsearch.kernels.topk import topk

        if rows is None:
            return topk(queries, self._resident, k, exclude, self.device)
        places = None if exclude is None else _places(exclude, rows)
        found = topk(queries, self._subset(rows), k, places, self.device)
        # Padding is row -1 of `found`: the entry put after the last row.
        return Neighbors(rows=np.append(rows, NO_ROW)[found.rows], scores=found.scores)

    @cached_property
    def _resident(self):
        """The rows where searches run: copied to a GPU once, not at every search."""
        from vfsearch.kernels.exact import on_device

        return self.vectors if self.device == "cpu" else on_device(self.vectors, self.device)

    def _subset(self, rows: np.ndarray):
        """Some rows; a stretch of them, as the rows of one split are, is not copied."""
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
            return self._resident[int(rows[0]) : int(rows[-1]) + 1]
        return self._resident[rows]

    def _files(self) -> dict[str, bytes]:
        file = io.BytesIO()
        np.save(file, self.vectors, allow_pickle=False)
        return {VECTORS_NAME: file.getvalue()}

    @classmethod
    def _open(cls, artefact: Artefact, gallery: Gallery, device: str) -> Self:
        path = artefact.checked_path(file_of(artefact, VECTORS_NAME))
        # Copy-on-write: torch wants memory that could be written to, and the file stays as it is.
        vectors = np.load(path, mmap_mode="c", allow_pickle=False)
        if vectors.shape != (len(gallery.ids), gallery.space.dimension):
            raise DamagedError(f"{path} holds {vectors.shape}, its index {len(gallery.ids)} rows of {gallery.space}")
        return cls(gallery, vectors, device)


def _places(exclude: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Where excluded rows stand among the rows searched; -1 for those that do not."""
    if not len(rows):
        return np.full(len(exclude), NO_ROW)
    place = np.searchsorted(rows, exclude).clip(max=len(rows) - 1)
    return np.where(rows[place] == exclude, place, NO_ROW)
