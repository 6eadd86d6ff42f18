"""Libraries of approximate search, each called directly as its own manual does, with settings that a hand would try."""

import importlib.util
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from vfsearch.devices import threads
from vfsearch.index.base import Index

EF = (12, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 200, 256, 320, 400, 512, 640, 800)
WINDOW = (10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240, 320)
NPROBE = (2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


class Library(ABC):
    """One kind of index of one library."""

    name: str
    module: str
    ladder: tuple[int, ...]

    @classmethod
    def missing(cls) -> str:
        """Why it cannot be measured here; "" where it can."""
        return "" if importlib.util.find_spec(cls.module) else f"{cls.module} is not installed"

    @abstractmethod
    def __init__(self, vectors: np.ndarray) -> None:
        """Build it of (n, d) float32 unit rows."""

    @abstractmethod
    def set(self, value: int) -> None:
        """Search with this setting from now on."""

    @abstractmethod
    def ask(self, queries: np.ndarray, k: int) -> np.ndarray:
        """(q, k) rows."""


class FaissHnsw(Library):
    """faiss, layered graph."""

    name, module, ladder = "faiss HNSW32 (ef)", "faiss", EF

    def __init__(self, vectors: np.ndarray) -> None:
        import faiss

        self._index = faiss.index_factory(vectors.shape[1], "HNSW32,Flat", faiss.METRIC_INNER_PRODUCT)
        self._index.add(vectors)

    def set(self, value: int) -> None:
        """See `Library.set`."""
        self._index.hnsw.efSearch = value

    def ask(self, queries: np.ndarray, k: int) -> np.ndarray:
        """See `Library.ask`."""
        return self._index.search(queries, k)[1]


class FaissIvf(Library):
    """faiss, lists of whole rows."""

    name, module, ladder = "faiss IVF,Flat (nprobe)", "faiss", NPROBE
    codes = "Flat"

    def __init__(self, vectors: np.ndarray) -> None:
        import faiss

        lists = 2 ** round(np.log2(max(1, 2 * len(vectors) ** 0.5)))
        factory = f"IVF{lists},{self.codes}"
        self._index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        sample = np.random.default_rng(1).permutation(len(vectors))[: 100 * lists]
        self._index.train(vectors[np.sort(sample)])
        self._index.add(vectors)

    def set(self, value: int) -> None:
        """See `Library.set`."""
        self._index.nprobe = value

    def ask(self, queries: np.ndarray, k: int) -> np.ndarray:
        """See `Library.ask`."""
        return self._index.search(queries, k)[1]


class FaissIvfSq8(FaissIvf):
    """faiss, lists of rows at 8 bits a number."""

    name, codes = "faiss IVF,SQ8 (nprobe)", "SQ8"


class FaissIvfPq(FaissIvf):
    """faiss, lists of 4-bit product codes, the best ten times as many rescored by faiss's own refinement."""

    name = "faiss IVF,PQx4fs,RFlat (nprobe, 10 k rescored)"

    def __init__(self, vectors: np.ndarray) -> None:
        self.codes = f"PQ{vectors.shape[1] // 2}x4fs,RFlat"
        super().__init__(vectors)
        import faiss

        self._index.k_factor = 10
        self._lists = faiss.downcast_index(self._index.base_index)

    def set(self, value: int) -> None:
        """See `Library.set`."""
        self._lists.nprobe = value


class Hnswlib(Library):
    """hnswlib, layered graph."""

    name, module, ladder = "hnswlib M16 (ef)", "hnswlib", EF

    def __init__(self, vectors: np.ndarray) -> None:
        import hnswlib

        self._index = hnswlib.Index("ip", vectors.shape[1])
        self._index.init_index(len(vectors), M=16, ef_construction=200)
        self._index.set_num_threads(threads())
        self._index.add_items(vectors)

    def set(self, value: int) -> None:
        """See `Library.set`."""
        self._index.set_ef(value)

    def ask(self, queries: np.ndarray, k: int) -> np.ndarray:
        """See `Library.ask`."""
        return self._index.knn_query(queries, k)[0].astype(np.int64)


class Usearch(Library):
    """usearch, layered graph."""

    name, module, ladder = "usearch float32 (expansion)", "usearch", EF

    def __init__(self, vectors: np.ndarray) -> None:
        from usearch.index import Index as UsearchIndex

        self._index = UsearchIndex(ndim=vectors.shape[1], metric="ip", dtype="f32")
        self._index.add(np.arange(len(vectors)), vectors, threads=threads())

    def set(self, value: int) -> None:
        """See `Library.set`."""
        self._index.expansion_search = value

    def ask(self, queries: np.ndarray, k: int) -> np.ndarray:
        """See `Library.ask`."""
        found = self._index.search(queries, k, threads=threads()).keys
        return np.asarray(found).astype(np.int64).reshape(len(queries), -1)


class Svs(Library):
    """Scalable Vector Search, one-layer graph of whole rows."""

    name, module, ladder = "SVS Vamana float32 (window)", "svs", WINDOW

    def __init__(self, vectors: np.ndarray) -> None:
        import svs

        self._index = svs.Vamana.build(
            _svs_settings(), vectors, svs.DistanceType.MIP, num_threads=threads()
        )  # fmt: skip
        self._index.num_threads = threads()

    def set(self, value: int) -> None:
        """See `Library.set`."""
        self._index.search_window_size = value

    def ask(self, queries: np.ndarray, k: int) -> np.ndarray:
        """See `Library.ask`."""
        return self._index.search(queries, k)[0].astype(np.int64)


class SvsLvq(Svs):
    """The same graph of rows at 4 and 8 bits a number."""

    name = "SVS Vamana LVQ4x8 (window)"

    @classmethod
    def missing(cls) -> str:
        """SVS ends the process that asks for LVQ on a processor that is not Intel's."""
        try:
            intel = "GenuineIntel" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
        except OSError:
            intel = False
        return super().missing() or ("" if intel else "LVQ wants an Intel processor")

    def __init__(self, vectors: np.ndarray) -> None:
        import tempfile

        import svs

        with tempfile.TemporaryDirectory() as folder:
            svs.write_vecs(vectors, f"{folder}/rows.fvecs")
            svs.convert_vecs_to_svs(f"{folder}/rows.fvecs", f"{folder}/rows", svs.float32)
            rows = svs.VectorDataLoader(f"{folder}/rows", svs.DataType.float32, dims=vectors.shape[1])
            loader = svs.LVQLoader(rows, primary=4, residual=8, strategy=svs.LVQStrategy.Turbo)
            self._index = svs.Vamana.build(
                _svs_settings(), loader, svs.DistanceType.MIP, num_threads=threads()
            )  # fmt: skip
        self._index.num_threads = threads()


def _svs_settings():
    import svs

    return svs.VamanaBuildParameters(alpha=0.95, graph_max_degree=64, window_size=128)


LIBRARIES = (FaissHnsw, FaissIvf, FaissIvfSq8, FaissIvfPq, Hnswlib, Usearch, Svs, SvsLvq)


def native_call(index: Index):
    """What asks the library's own object inside one of our indices, as its manual does: (queries, k) -> rows.

    None where our index does more than the library (exact scores of its candidates) or is not one of a library.
    """
    if index.settings.get("refine"):
        return None
    if index.backend == "faiss":
        inner = index._shape.index
        return lambda queries, k: inner.search(queries, k)[1]
    if index.backend == "hnswlib":
        return lambda queries, k: index._graph.knn_query(queries, k, num_threads=threads())[0]
    if index.backend == "svs" and index.made_with.parameters["compression"] == "none":
        return lambda queries, k: index._graph.search(queries, k)[0]
    return None
