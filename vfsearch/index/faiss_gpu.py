"""Indices of faiss on a GPU: flat, lists of rows, lists of product codes, and the graph CAGRA.

Built on the GPU, written as an index of the CPU, brought back to the GPU when it is opened.
"""

from typing import ClassVar

import faiss
import numpy as np

from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.errors import SettingsError
from vfsearch.index.approximate import ApproximateIndex, refine_knob
from vfsearch.index.base import Opened
from vfsearch.index.faiss_files import INDEX, load, require_same, save
from vfsearch.index.faiss_gpu_device import Gpu, require_cagra, require_gpu
from vfsearch.index.faiss_shape import FaissShape
from vfsearch.index.faiss_sizes import lists_for, train_rows_for
from vfsearch.index.settings import BuildSettings, Knob, Parameter
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import IndexWriter
from vfsearch.progress import Progress

MOST_CANDIDATES = 2048
"""What the GPU selects at most, of neighbours and of lists (faiss: GPU_MAX_SELECTION_K)."""
PIECES = (1, 2, 3, 4, 8, 12, 16, 20, 24, 28, 32, 40, 48, 56, 64, 96)
"""How many bytes a product code can have there (faiss: IVFPQ::isSupportedPQCodeLength)."""
MOST_FLOAT32_PIECES = 48
"""More of them need tables of half precision, so that they fit the shared memory of a block."""
LEAST_GRAPH_ROWS = 256
ROWS_AT_ONCE = 65_536
FLAT, IVF, IVF_PQ, CAGRA = "flat", "ivf", "ivf-pq", "cagra"
_OWN = {FLAT: (), IVF: ("lists", "train_rows"), IVF_PQ: ("lists", "train_rows", "pieces"), CAGRA: ("degree",)}


class FaissGpuIndex(ApproximateIndex):
    """An index of faiss on one GPU.

    Args:
        opened: what the files say.
    Raises:
        MissingExtraError: faiss has no GPU part, or no CAGRA.
        SettingsError: there is no GPU.
        DoesNotFitError: the GPU has too little memory.
    """

    backend = "faiss-gpu"
    devices: ClassVar[tuple[str, ...]] = ("cuda",)
    parameters = (
        Parameter(name="kind", kind=str, default=IVF, choices=tuple(_OWN), help="flat, ivf, ivf-pq or cagra"),
        Parameter(name="lists", low=1, default=None, help="of ivf and ivf-pq; else by the number of rows"),
        Parameter(name="pieces", low=1, default=None, help="bytes of a product code; else up to a quarter of the "
                  "dimension"),
        Parameter(name="train_rows", low=1, default=None, help="rows that centres and codes are learned from"),
        Parameter(name="degree", low=4, default=None, help="edges of a row of cagra; else 64"),
        Parameter(name="float16", kind=bool, default=False, help="half precision on the GPU: of rows (flat, ivf), of "
                  "tables of product codes"),
    )  # fmt: skip

    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        made = opened.made_with.parameters
        self._kind, self._lists = made["kind"], made["lists"] or 0
        require_gpu()
        if self._kind == CAGRA:
            require_cagra()
        self._gpu = Gpu(opened.device, f"the index {opened.folder}")
        self._bytes = opened.vectors.nbytes if self._kind == FLAT else opened.paths[INDEX].stat().st_size
        self._index = self._flat(opened, made) if self._kind == FLAT else self._read(opened, made)

    @classmethod
    def prepared(cls, settings: BuildSettings, rows: int, dimension: int) -> BuildSettings:
        """See `Index.prepared`."""
        chosen = dict(settings.completed(cls.parameters).parameters)
        kind = chosen["kind"]
        for name in ("lists", "pieces", "train_rows", "degree"):
            if chosen[name] is not None and name not in _OWN[kind]:
                raise SettingsError(f"the kind {kind} of the back end {cls.backend} has no build setting {name!r}")
        if kind in (IVF, IVF_PQ):
            chosen["lists"] = chosen["lists"] or lists_for(rows)
            chosen["train_rows"] = min(rows, chosen["train_rows"] or train_rows_for(chosen["lists"], rows))
            _require_rows(chosen["lists"], rows, f"{chosen['lists']} lists", "lists=N")
        if kind == IVF_PQ:
            chosen["pieces"] = chosen["pieces"] or _pieces_for(dimension)
            _require_pieces(chosen, dimension)
        if kind == CAGRA:
            chosen["degree"] = chosen["degree"] or 64
            _require_rows(max(LEAST_GRAPH_ROWS, 4 * chosen["degree"]), rows, "a graph of CAGRA", "kind=flat")
        return BuildSettings(backend=settings.backend, parameters=chosen, seed=settings.seed)

    @classmethod
    def write(
        cls, rows: VectorFile, settings: BuildSettings, writer: IndexWriter, device: str, progress: Progress
    ) -> None:
        """See `Index.write`; a flat index is its rows, the others are on the GPU while they are built."""
        kind = settings.parameters["kind"]
        require_gpu()
        if kind == CAGRA:
            require_cagra()
        gpu = Gpu(device, f"an index of {len(rows):,} rows of {rows.shape[1]} dimensions ({kind})")
        if kind == FLAT or writer.has(INDEX):
            return
        built = _graph(gpu, rows, settings) if kind == CAGRA else _in_lists(gpu, rows, settings, progress)
        save(FaissShape.of(gpu.brought_back(built)), INDEX, writer)
        progress("rows indexed", len(rows), len(rows))

    def _read(self, opened: Opened, made: dict) -> faiss.Index:
        path = opened.paths[INDEX]
        shape = load(path, mapped=False)
        require_same(shape, len(self), opened.vectors.shape[1], path)
        return self._gpu.taken(shape.index, _half(made))

    def _flat(self, opened: Opened, made: dict) -> faiss.Index:
        """The rows, copied to the GPU piece by piece."""
        flat = self._gpu.taken(faiss.IndexFlatIP(opened.vectors.shape[1]), made["float16"])
        with self._gpu.working():
            for start in range(0, len(self), ROWS_AT_ONCE):
                flat.add(np.ascontiguousarray(opened.vectors[start : start + ROWS_AT_ONCE]))
        return flat

    @property
    def knobs(self) -> tuple[Knob, ...]:
        """See `Index.knobs`."""
        own = {FLAT: (), CAGRA: (_ITOPK,)}.get(self._kind, ())
        if self._lists:
            own = (_nprobe(self._lists),)
        return (*own, refine_knob(8 if self._kind == IVF_PQ else 0))

    @property
    def exhaustive(self) -> dict[str, int] | None:
        """See `Index.exhaustive`."""
        if self._kind == FLAT:
            return {}
        return {"nprobe": self._lists} if 0 < self._lists <= MOST_CANDIDATES else None

    def memory_bytes(self) -> int:
        """See `Index.memory_bytes`; of the GPU."""
        return self._bytes

    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        exclude: np.ndarray | None = None,
        max_memory: int | None = None,
    ) -> Neighbors:
        """See `Index.search`.

        Raises:
            SettingsError: k is more than a GPU selects.
        """
        if k > MOST_CANDIDATES:
            raise SettingsError(f"k is {k}: faiss on a GPU selects {MOST_CANDIDATES} at most; ask for fewer neighbours")
        return super().search(queries, k, rows, exclude, max_memory)

    def _apply(self) -> None:
        if "nprobe" in self.settings:
            self._index.nprobe = self.settings["nprobe"]

    def _nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """See `ApproximateIndex._nearest`; beyond what the GPU selects there is nothing."""
        most = min(k, MOST_CANDIDATES)
        with self._gpu.working():
            scores, found = self._index.search(queries, most, **self._wanted(most))
        short = ((0, 0), (0, k - most))
        found = np.pad(found, short, constant_values=NO_ROW)
        return found, np.where(found == NO_ROW, -np.inf, np.pad(scores, short, constant_values=-np.inf))

    def _wanted(self, k: int) -> dict:
        if self._kind != CAGRA:
            return {}
        # At least k candidates are kept, in whole groups of 32.
        return {"params": faiss.SearchParametersCagra(itopk_size=max(self.settings["itopk"], -(-k // 32) * 32))}


_ITOPK = Knob(
    name="itopk", default=64, low=32, high=MOST_CANDIDATES, ladder=(32, 64, 128, 256, 512),
    help="candidates kept while the graph is walked",
)  # fmt: skip


def _nprobe(lists: int) -> Knob:
    most = min(lists, MOST_CANDIDATES)
    ladder = tuple(2**power for power in range(12) if 2**power <= most)
    return Knob(name="nprobe", default=min(16, most), low=1, high=most, ladder=ladder, help="lists looked at")


def _half(made: dict) -> bool:
    """Whether the GPU computes in half precision; lists of 16-bit rows are another type of index."""
    return made["kind"] == IVF_PQ and (made["float16"] or made["pieces"] > MOST_FLOAT32_PIECES)


def _pieces_for(dimension: int) -> int:
    """The longest code that the GPU knows, of up to a quarter of the dimension."""
    return next(each for each in reversed(PIECES) if dimension % each == 0 and each <= max(1, dimension // 4))


def _require_pieces(chosen: dict, dimension: int) -> None:
    if chosen["pieces"] not in PIECES or dimension % chosen["pieces"]:
        known = ", ".join(str(each) for each in PIECES if dimension % each == 0)
        raise SettingsError(
            f"pieces is {chosen['pieces']}: of {dimension} dimensions a GPU makes codes of {known} pieces"
        )
    _require_rows(256, chosen["train_rows"], "learning product codes", "kind=ivf")


def _require_rows(least: int, rows: int, what: str, instead: str) -> None:
    if rows < least:
        raise SettingsError(f"{what} wants at least {least} rows, there are {rows}; set {instead}")


def _in_lists(gpu: Gpu, rows: VectorFile, settings: BuildSettings, progress: Progress) -> faiss.Index:
    """Lists on the GPU, filled with all rows piece by piece."""
    made = settings.parameters
    held = f"PQ{made['pieces']}" if made["kind"] == IVF_PQ else "SQfp16" if made["float16"] else "Flat"
    empty = faiss.index_factory(rows.shape[1], f"IVF{made['lists']},{held}", faiss.METRIC_INNER_PRODUCT)
    index = gpu.taken(empty, _half(made), len(rows))
    for learner in (index, getattr(index, "pq", None)):
        if hasattr(learner, "cp"):
            learner.cp.seed, learner.cp.min_points_per_centroid = settings.seed, 1
    with gpu.working():
        progress("rows learned from", 0, made["train_rows"])
        index.train(rows.sample(made["train_rows"], settings.seed))
        progress("rows learned from", made["train_rows"], made["train_rows"])
        for start, block in rows.blocks(ROWS_AT_ONCE):
            index.add(block)
            progress("rows indexed", start + len(block), len(rows))
    return index


def _graph(gpu: Gpu, rows: VectorFile, settings: BuildSettings) -> faiss.Index:
    """The graph CAGRA, of all rows at once: they have to fit the GPU."""
    config = faiss.GpuIndexCagraConfig()
    config.device = gpu.number
    config.graph_degree = settings.parameters["degree"]
    config.intermediate_graph_degree = 2 * config.graph_degree
    index = faiss.GpuIndexCagra(gpu.resources, rows.shape[1], faiss.METRIC_INNER_PRODUCT, config)
    with gpu.working():
        index.train(rows.mapped())
    return index
