"""What a faiss index is made of: lists, graph, codes, and what is wrapped around them."""

from dataclasses import dataclass

import faiss
import numpy as np

WRAPPERS = (faiss.IndexPreTransform, faiss.IndexRefine, faiss.IndexIDMap)
ROW_BY_ROW = (faiss.ArrayInvertedLists, faiss.OnDiskInvertedLists)
TAIL_OF_NO_LISTS = b"sprs" + bytes(8)
"""How a faiss file ends whose lists, kept one after another, are empty."""


@dataclass(frozen=True, eq=False)
class FaissShape:
    """An index of faiss, taken apart.

    Args:
        index: the whole of it.
        inner: what is inside its wrappers.
        wrappers: types of these, the outermost first.
    """

    index: faiss.Index
    inner: faiss.Index
    wrappers: tuple[type, ...]

    @classmethod
    def of(cls, index: faiss.Index) -> "FaissShape":
        """Look into an index."""
        # What faiss makes or reads has its own type already; another view of it would not keep it alive.
        inner, wrappers = index, []
        while isinstance(inner, WRAPPERS):
            wrappers.append(type(inner))
            inner = faiss.downcast_index(inner.base_index if isinstance(inner, faiss.IndexRefine) else inner.index)
        return cls(index, inner, tuple(wrappers))

    @property
    def is_ivf(self) -> bool:
        """Whether rows are in lists around centres."""
        return isinstance(self.inner, faiss.IndexIVF)

    @property
    def is_graph(self) -> bool:
        """Whether rows are in a graph with layers."""
        return isinstance(self.inner, faiss.IndexHNSW)

    @property
    def is_plain(self) -> bool:
        """Whether it is lists, with no more than a change of the rows around them."""
        return all(issubclass(wrapper, faiss.IndexPreTransform) for wrapper in self.wrappers)

    @property
    def coarse_graph(self) -> faiss.IndexHNSW | None:
        """The graph that finds lists, if there is one."""
        if not self.is_ivf:
            return None
        coarse = faiss.downcast_index(self.inner.quantizer)
        return coarse if isinstance(coarse, faiss.IndexHNSW) else None

    @property
    def code_bytes(self) -> int | None:
        """Bytes that a row takes, less its id and its edges; None: not known."""
        held = faiss.downcast_index(self.inner.storage) if self.is_graph else self.inner
        return getattr(held, "code_size", None)

    @property
    def lists(self) -> faiss.InvertedLists:
        """The lists."""
        return faiss.downcast_InvertedLists(self.inner.invlists)

    @property
    def keeps_whole_rows(self) -> bool:
        """Whether scores are those of the rows themselves."""
        whole = faiss.IndexFlat, faiss.IndexIVFFlat, faiss.IndexHNSWFlat, faiss.IndexNSGFlat
        return isinstance(self.inner, whole) and not self.wrappers

    @property
    def is_flat(self) -> bool:
        """Whether it is codes one after another, and the last thing in its file."""
        return isinstance(self.inner, (faiss.IndexFlat, faiss.IndexScalarQuantizer)) and not self.wrappers

    @property
    def is_sorted(self) -> bool:
        """Whether lists are all that it adds rows to, so that they can be made apart from it."""
        return self.is_ivf and self.is_plain and type(self.lists) in (*ROW_BY_ROW, faiss.BlockInvertedLists)

    @property
    def is_streamed(self) -> bool:
        """Whether its lists can be written, and searched, where they lie on disk."""
        return self.is_sorted and type(self.lists) in ROW_BY_ROW

    def transformed(self, rows: np.ndarray) -> np.ndarray:
        """(n, e) rows as the inner index of a plain one is given them."""
        index = self.index
        while isinstance(index, faiss.IndexPreTransform):
            for place in range(index.chain.size()):
                rows = faiss.downcast_VectorTransform(index.chain.at(place)).apply(rows)
            index = faiss.downcast_index(index.index)
        return rows

    def count(self, rows: int) -> None:
        """Say that it holds so many rows; for those that are written apart from it."""
        index = self.index
        while isinstance(index, WRAPPERS):
            index.ntotal = rows
            index = faiss.downcast_index(index.index)
        index.ntotal = rows

    def emptied(self) -> None:
        """Forget the rows, keep what was learned."""
        if self.is_streamed:
            fresh = faiss.ArrayInvertedLists(self.inner.nlist, self.inner.code_size)
            self.inner.replace_invlists(fresh, True)
            fresh.this.disown()
            self.count(0)
        else:
            self.index.reset()
