"""Indices of faiss on a GPU against brute force: what a stand-in (tests/index/test_faiss_gpu.py) cannot show."""

import numpy as np
import pytest
import torch
from builders import make_embeddings

from vfsearch.data.row_source import rows_in_memory
from vfsearch.index.backends import open_index
from vfsearch.index.building import build_index
from vfsearch.index.recall import recalls
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.topk import topk

faiss = pytest.importorskip("faiss")
pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
    pytest.mark.skipif(not hasattr(faiss, "StandardGpuResources"), reason="faiss has no GPU part"),
]
FACES = make_embeddings(30_000, 64, seed=1, modality="face")
QUERIES = make_embeddings(500, 64, seed=2).vectors
KINDS = [
    ("flat", {}, {}, 0.999),
    ("flat", {"float16": True}, {"refine": 4}, 0.999),
    ("ivf", {}, {"nprobe": 256}, 0.94),
    ("ivf", {"float16": True}, {"nprobe": 256, "refine": 4}, 0.94),
    ("ivf-pq", {}, {"nprobe": 256, "refine": 64}, 0.92),
    ("ivf-pq", {"pieces": 64, "float16": True}, {"nprobe": 256, "refine": 32}, 0.94),
    ("cagra", {}, {"itopk": 512}, 0.95),
]
NAMES = [f"{kind}-{'-'.join(made) or 'plain'}" for kind, made, _, _ in KINDS]


def build(folder, kind, **more):
    if kind == "cagra" and not hasattr(faiss, "GpuIndexCagra"):
        pytest.skip("faiss was built without cuVS")
    settings = BuildSettings(backend="faiss-gpu", parameters={"kind": kind, **more})
    build_index(folder, rows_in_memory(FACES, "0" * 64), settings, "cuda")
    return open_index(folder, "cuda")


def recall(index, **settings) -> float:
    index.use(settings)
    truth = topk(QUERIES, FACES.vectors, 10)
    return float(recalls(index.search(QUERIES, 10), truth, QUERIES, FACES.vectors).mean())


@pytest.mark.parametrize(("kind", "made", "searched", "least"), KINDS, ids=NAMES)
def test_against_brute_force(tmp_path, kind, made, searched, least):
    index = build(tmp_path / "face", kind, **made)
    assert recall(index, **searched) >= least
    again = open_index(tmp_path / "face", "cuda")
    assert abs(recall(again, **searched) - recall(index, **searched)) < 0.01


@pytest.mark.parametrize(("kind", "made", "searched", "least"), KINDS, ids=NAMES)
def test_refined_scores_are_exact_and_better(tmp_path, kind, made, searched, least):
    index = build(tmp_path / "face", kind, **made)
    plain = recall(index, **{**searched, "refine": 0})
    assert recall(index, **{**searched, "refine": 16}) >= plain - 1e-3
    found, truth = index.search(QUERIES, 10), topk(QUERIES, FACES.vectors, 10)
    same = found.rows == truth.rows
    assert same.any() and np.array_equal(found.scores[same], truth.scores[same])


@pytest.mark.parametrize(("kind", "made", "searched", "least"), KINDS, ids=NAMES)
def test_among_some_rows_and_without_itself(tmp_path, kind, made, searched, least):
    index = build(tmp_path / "face", kind, **made)
    index.use(searched)
    among, exclude = np.arange(0, len(FACES), 2), np.arange(100) * 2
    found = index.search(FACES.vectors[exclude], 10, among, exclude)
    assert np.isin(found.rows, [*among, -1]).all() and (found.rows != exclude[:, None]).all()
    one = index.search(QUERIES[:1], 10)
    assert np.array_equal(one.rows, index.search(QUERIES[:1], 10).rows)


@pytest.mark.parametrize("kind", ["ivf", "ivf-pq", "cagra"])
def test_more_work_finds_more(tmp_path, kind):
    index = build(tmp_path / "face", kind)
    name = {"cagra": "itopk"}.get(kind, "nprobe")
    low, high = {"cagra": (32, 512)}.get(kind, (1, 128))
    assert recall(index, **{name: low, "refine": 8}) < recall(index, **{name: high, "refine": 8})
