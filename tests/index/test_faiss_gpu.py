"""The back end for GPUs, on a CPU: a stand-in for the GPU part of faiss does what the real one is documented to do.

It keeps indices of the CPU as if they were elsewhere, and refuses what a GPU refuses. What a GPU itself finds is
tested in tests/gpu/test_indices.py.
"""

import types

import faiss
import numpy as np
import pytest
from builders import make_embeddings

from vfsearch.data.row_source import rows_in_memory
from vfsearch.errors import DamagedError, DoesNotFitError, MissingExtraError, SettingsError, VfsearchError
from vfsearch.index import faiss_gpu, faiss_gpu_device
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.faiss_gpu import FaissGpuIndex
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.presets import PRESETS
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.topk import topk

STORE = "0" * 64
ROWS, DIMENSION = 1500, 16


class OnGpu:
    """An index that is on the GPU."""

    def __init__(self, held, options=None, intermediate=None):
        self.held, self.options, self.added, self.intermediate = held, options, [], intermediate

    def __getattr__(self, name):
        return getattr(self.held, name)

    def __setattr__(self, name, value):
        if name == "nprobe":
            assert value <= 2048
            self.held.nprobe = value
        else:
            super().__setattr__(name, value)

    def train(self, rows):
        if isinstance(self.held, faiss.IndexHNSW):
            assert len(rows) > self.intermediate
            self.held.add(rows)
        else:
            self.held.train(rows)

    def add(self, rows):
        self.added.append(len(rows))
        self.held.add(rows)

    def search(self, queries, k, params=None):
        if k > 2048:
            raise RuntimeError("Error in x at y.cu:1: Error: 'k <= 2048' failed: only supports k up to 2048")
        if isinstance(self.held, faiss.IndexHNSW):
            assert params.itopk_size >= k and params.itopk_size % 32 == 0
            params = faiss.SearchParametersHNSW(efSearch=params.itopk_size)
        return self.held.search(queries, k, params=params)


class StandInFaiss(types.SimpleNamespace):
    """faiss with a GPU, and with cuVS."""

    INDICES_32_BIT, INDICES_64_BIT = 2, 3

    def __init__(self, gpus=1, cuvs=True, memory=None):
        super().__init__(gpus=gpus, memory=memory, brought=[], resources=[])
        if cuvs:
            self.GpuIndexCagra = self._cagra

    def __getattr__(self, name):
        if name == "GpuIndexCagra":
            raise AttributeError(name)
        return getattr(faiss, name)

    def get_num_gpus(self):
        return self.gpus

    def StandardGpuResources(self):
        made = types.SimpleNamespace(setTempMemory=lambda size: setattr(made, "temporary", size))
        self.resources.append(made)
        return made

    def GpuClonerOptions(self):
        return types.SimpleNamespace(use_cuvs=True, useFloat16=False, reserveVecs=0, indicesOptions=3)

    def index_cpu_to_gpu(self, resources, number, index, options):
        assert resources in self.resources and 0 <= number < self.gpus
        if isinstance(index, faiss.IndexIVFScalarQuantizer):
            assert not options.use_cuvs
        if isinstance(index, faiss.IndexIVFPQ):
            assert index.pq.nbits == 8 and (index.pq.M <= 48 or options.useFloat16)
        if self.memory is not None and max(index.ntotal, options.reserveVecs) > self.memory:
            raise RuntimeError("Error in virtual void* alloc() at StandardGpuResources.cpp:530: out of memory")
        self.brought.append(OnGpu(faiss.clone_index(index), options))
        return self.brought[-1]

    def index_gpu_to_cpu(self, index):
        return faiss.clone_index(index.held)

    def GpuIndexCagraConfig(self):
        return types.SimpleNamespace()

    def SearchParametersCagra(self, itopk_size):
        return types.SimpleNamespace(itopk_size=itopk_size)

    def _cagra(self, resources, dimension, metric, config):
        assert resources in self.resources
        held = faiss.IndexHNSWCagra(dimension, config.graph_degree // 2, metric)
        self.brought.append(OnGpu(held, config, config.intermediate_graph_degree))
        return self.brought[-1]


@pytest.fixture
def gpu(monkeypatch) -> StandInFaiss:
    """A machine with one GPU."""
    return use(monkeypatch, StandInFaiss())


def use(monkeypatch, stand_in):
    for module in (faiss_gpu, faiss_gpu_device):
        monkeypatch.setattr(module, "faiss", stand_in)
    return stand_in


FACES = make_embeddings(ROWS, DIMENSION, seed=1, modality="face")
QUERIES = make_embeddings(200, DIMENSION, seed=2).vectors
KINDS = ["flat", "ivf", "ivf-pq", "cagra"]


def build(folder, kind, rows=FACES, **more):
    settings = BuildSettings(backend="faiss-gpu", parameters={"kind": kind, **more})
    return build_index(folder, rows_in_memory(rows, STORE), settings, "cuda")


def recall(index, **settings) -> float:
    index.use(settings)
    found, truth = index.search(QUERIES, 10), topk(QUERIES, FACES.vectors, 10)
    return np.mean([len(np.intersect1d(*pair)) / 10 for pair in zip(found.rows, truth.rows, strict=True)])


@pytest.mark.parametrize("kind", KINDS)
def test_built_saved_and_opened(gpu, tmp_path, kind):
    artefact = build(tmp_path / "face", kind)
    index = open_index(tmp_path / "face", "cuda")
    roles = {facts["role"] for facts in artefact.files.values()}
    assert roles == {"vectors.npy", "items.safetensors", *(["index.faiss"] if kind != "flat" else [])}
    assert not index.exact and index.memory_bytes() > 0
    more = {"flat": {}, "ivf": {"nprobe": 32}, "ivf-pq": {"nprobe": 32, "refine": 40}, "cagra": {"itopk": 512}}[kind]
    assert recall(index, **more) > 0.95
    index.use({"refine": 20})
    found, truth = index.search(QUERIES, 10), topk(QUERIES, FACES.vectors, 10)
    same = found.rows == truth.rows
    assert np.array_equal(found.scores[same], truth.scores[same]) and same.mean() > 0.3


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_are_not_wanted_are_not_given(gpu, tmp_path, kind):
    build(tmp_path / "face", kind)
    index = open_index(tmp_path / "face", "cuda")
    among, exclude = np.arange(0, ROWS, 2), np.arange(200) * 2
    found = index.search(FACES.vectors[exclude], 5, among, exclude)
    assert np.isin(found.rows, among).all() and (found.rows != exclude[:, None]).all()


def test_less_work_finds_less(gpu, tmp_path):
    build(tmp_path / "a", "ivf")
    build(tmp_path / "b", "ivf-pq")
    lists, codes = (open_index(tmp_path / name, "cuda") for name in "ab")
    assert recall(lists, nprobe=1) < recall(lists, nprobe=4) < recall(lists, **lists.exhaustive) == 1.0
    assert recall(codes, nprobe=32, refine=0) < recall(codes, nprobe=32, refine=8)
    assert gpu.brought[-1].nprobe == 32


def test_rows_go_there_in_pieces_and_lists_are_made_large_enough(gpu, tmp_path, monkeypatch):
    monkeypatch.setattr(faiss_gpu, "ROWS_AT_ONCE", 400)
    build(tmp_path / "face", "ivf")
    built = gpu.brought[0]
    assert built.added == [400, 400, 400, 300] and built.options.reserveVecs == ROWS
    assert built.options.indicesOptions == gpu.INDICES_32_BIT and not built.options.use_cuvs
    assert all(each.temporary == 2**29 for each in gpu.resources)
    build(tmp_path / "flat", "flat")
    open_index(tmp_path / "flat", "cuda")
    assert gpu.brought[-1].added == [400, 400, 400, 300]


def test_half_precision(gpu, tmp_path):
    build(tmp_path / "a", "ivf", float16=True)
    assert isinstance(gpu.brought[-1].held, faiss.IndexIVFScalarQuantizer)
    assert recall(open_index(tmp_path / "a", "cuda"), nprobe=32) > 0.98
    build(tmp_path / "b", "flat", float16=True)
    open_index(tmp_path / "b", "cuda")
    assert gpu.brought[-1].options.useFloat16
    build(tmp_path / "c", "ivf-pq", float16=True)
    assert gpu.brought[-1].options.useFloat16


def test_sizes_are_chosen_by_rows_and_dimension():
    def chosen(kind, rows, dimension, **more):
        asked = BuildSettings(backend="faiss-gpu", parameters={"kind": kind, **more})
        return FaissGpuIndex.prepared(asked, rows, dimension).parameters

    big = chosen("ivf-pq", 10_000_000, 128)
    assert (big["lists"], big["pieces"], big["train_rows"]) == (16_384, 32, 786_432)
    assert chosen("ivf-pq", 10_000, 512)["pieces"] == 64 and chosen("ivf-pq", 10_000, 7)["pieces"] == 1
    assert chosen("cagra", 1000, 8)["degree"] == 64 and chosen("cagra", 1000, 8)["lists"] is None
    assert chosen("ivf", 1000, 8, lists=3)["lists"] == 3


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [("flat", {"lists": 8}, "the kind flat of the back end faiss-gpu has no build setting 'lists'"),
     ("cagra", {"pieces": 8}, "the kind cagra .* has no build setting 'pieces'"),
     ("tree", {}, "kind is 'tree', it must be one of flat, ivf, ivf-pq, cagra"),
     ("ivf-pq", {"pieces": 5}, "pieces is 5: of 16 dimensions a GPU makes codes of 1, 2, 4, 8, 16 pieces"),
     ("ivf", {"lists": 2000}, "2000 lists wants at least 2000 rows, there are 1500"),
     ("ivf-pq", {"train_rows": 100}, "learning product codes wants at least 256 rows, there are 100; set kind=ivf"),
     ("cagra", {"degree": 500}, "a graph of CAGRA wants at least 2000 rows, there are 1500; set kind=flat"),
     ("ivf", {"nlist": 8}, "the back end faiss-gpu has no build setting 'nlist'")],
)  # fmt: skip
def test_settings_that_do_not_go(kind, more, message):
    settings = BuildSettings(backend="faiss-gpu", parameters={"kind": kind, **more})
    with pytest.raises(SettingsError, match=message):
        FaissGpuIndex.prepared(settings, ROWS, DIMENSION)


def test_more_neighbours_than_a_gpu_selects(gpu, tmp_path):
    rows = make_embeddings(3000, 4, seed=1, modality="face")
    build(tmp_path / "face", "flat", rows)
    index = open_index(tmp_path / "face", "cuda")
    with pytest.raises(SettingsError, match="k is 2049: faiss on a GPU selects 2048 at most"):
        index.search(rows.vectors[:2], 2049)
    index.use({"refine": 300})
    assert np.array_equal(index.search(rows.vectors[:5], 10).rows, topk(rows.vectors[:5], rows.vectors, 10).rows)
    # To filter, more would have to be asked for than there can be: our kernels answer.
    among = np.arange(0, 3000, 3)
    found = index.search(rows.vectors[:5], 1000, among)
    assert (np.sort(found.rows, axis=1) == among).all()


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_gpu_part(tmp_path, kind):
    with pytest.raises(MissingExtraError, match=r"has no GPU part; .* pip install 'vfsearch\[gpu\]'"):
        build(tmp_path / "face", kind)


def test_an_index_that_was_built_elsewhere_is_refused_here(gpu, tmp_path, monkeypatch):
    build(tmp_path / "face", "ivf")
    monkeypatch.undo()
    with pytest.raises(MissingExtraError, match="has no GPU part"):
        open_index(tmp_path / "face", "cuda")


def test_without_a_gpu(tmp_path, monkeypatch):
    use(monkeypatch, StandInFaiss(gpus=0))
    with pytest.raises(SettingsError, match="faiss sees no CUDA device; take an index for the CPU"):
        build(tmp_path / "face", "ivf")


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("cpu", "the back end faiss-gpu searches on cuda, not on cpu"),
        ("cuda:1", "cuda:1 is not here, faiss sees 1 CUDA dev"),
    ],
)
def test_another_device(gpu, tmp_path, device, message):
    build(tmp_path / "face", "ivf")
    with pytest.raises(SettingsError, match=message):
        open_index(tmp_path / "face", device)


def test_the_graph_without_cuvs(tmp_path, monkeypatch):
    use(monkeypatch, StandInFaiss(cuvs=False))
    with pytest.raises(MissingExtraError, match=r"built without NVIDIA cuVS, .* pip install faiss-gpu-cuvs"):
        build(tmp_path / "face", "cagra")
    assert build(tmp_path / "face", "ivf").about["rows"] == ROWS


def test_too_little_memory_there(tmp_path, monkeypatch):
    use(monkeypatch, StandInFaiss(memory=1000))
    with pytest.raises(
        DoesNotFitError, match=r"an index of 1,500 rows of 16 dimensions \(ivf\) does not fit into the memory of GPU 0"
    ):
        build(tmp_path / "face", "ivf")


def test_another_fault_there(gpu, tmp_path):
    build(tmp_path / "face", "ivf")
    index = open_index(tmp_path / "face", "cuda")

    def fails(*_, **__):
        raise RuntimeError("Error in x at y.cu:1: CUDA error 700 an illegal access")

    gpu.brought[-1].search = fails
    with pytest.raises(VfsearchError, match=r"the index .*face on GPU 0: CUDA error 700"):
        index.search(QUERIES, 1)


def test_a_file_of_another_index(gpu, tmp_path):
    build(tmp_path / "a", "ivf")
    build(tmp_path / "b", "ivf", FACES.take(np.arange(700)))
    (name,) = (name for name, facts in read_index_artefact(tmp_path / "a").files.items() if "faiss" in facts["role"])
    (other,) = (name for name, facts in read_index_artefact(tmp_path / "b").files.items() if "faiss" in facts["role"])
    artefact = read_index_artefact(tmp_path / "a")
    artefact.add(name, (tmp_path / "b" / other).read_bytes(), role="index.faiss")
    artefact.write()
    with pytest.raises(DamagedError, match="holds 700 rows of 16 dimensions"):
        open_index(tmp_path / "a", "cuda")


def test_every_preset_of_this_back_end_can_be_built(gpu, tmp_path):
    presets = [preset for preset in PRESETS.values() if preset.backend == "faiss-gpu"]
    assert {preset.parameters["kind"] for preset in presets} == set(KINDS)
    for preset in presets:
        assert preset.device == "cuda"
        FaissGpuIndex.prepared(preset.settings(), ROWS, DIMENSION)
