"""The same interface on a GPU gives what it gives on a CPU."""

import dataclasses

import numpy as np
import pytest
import torch
from builders import make_embeddings, make_space, unit_rows

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.encoders.catalog import ENCODERS, make_encoder
from vfsearch.encoders.inference import inference
from vfsearch.index.exact import exact_in_memory
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.kernels.topk import topk
from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.query import QuerySettings, query
from vfsearch.pipeline.train import train_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.train.feature_pairs import FeaturePairs
from vfsearch.train.loop import fit
from vfsearch.train.reweighting import Reweighting
from vfsearch.train.settings import TrainSettings

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")


def with_ties(n: int, d: int, seed: int) -> np.ndarray:
    rows = unit_rows(n, d, seed)
    rows[n // 2 :] = rows[np.random.default_rng(seed).integers(0, 5, n - n // 2)]
    return rows


@pytest.mark.parametrize("k", [1, 10, 100, 600])
def test_topk_is_the_same_bit_for_bit(k):
    queries, vectors = unit_rows(50, 128, 1), with_ties(500, 128, 2)
    exclude = np.arange(50) - 1
    here, there = (topk(queries, vectors, k, exclude, device) for device in ("cpu", "cuda"))
    assert np.array_equal(here.rows, there.rows) and np.array_equal(here.scores, there.scores)


def test_topk_with_tf32_allowed_is_still_exact():
    queries, vectors = unit_rows(50, 128, 1), with_ties(500, 128, 2)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("high")
        there = topk(queries, vectors, 10, device="cuda")
    finally:
        torch.set_float32_matmul_precision(before)
    assert np.array_equal(topk(queries, vectors, 10).rows, there.rows)


def test_mate_ranks_and_pair_scores_are_the_same_bit_for_bit():
    queries, vectors = unit_rows(50, 128, 1), with_ties(500, 128, 2)
    asked, identities = np.arange(50) % 7, np.arange(500) % 9
    here, there = (mate_ranks(queries, vectors, asked, identities, np.arange(50), each) for each in ("cpu", "cuda"))
    for entry in dataclasses.fields(here):
        assert np.array_equal(getattr(here, entry.name), getattr(there, entry.name)), entry.name
    pairs = np.arange(200) % 50, np.arange(200)
    assert np.array_equal(*(pair_scores(queries, vectors, *pairs, each) for each in ("cpu", "cuda")))


def test_an_index_on_the_gpu_finds_the_same():
    faces, queries, rows = make_embeddings(200, 64, modality="face"), unit_rows(20, 64, 1), np.arange(50, 120)
    here, there = (exact_in_memory(faces, "0" * 64, device) for device in ("cpu", "cuda"))
    for chosen in (None, rows, rows[::3]):
        assert np.array_equal(here.search(queries, 5, chosen).rows, there.search(queries, 5, chosen).rows)


class NoCheckpoints:
    def load(self):
        return None

    def save(self, state):
        pass


def test_heads_train_there_as_here():
    names = [f"p{row % 10}" for row in range(40)]
    sides = [make_embeddings(40, d, modality=m, identities=names, space=make_space(m, d))
             for m, d in (("voice", 24), ("face", 16))]  # fmt: skip
    settings = TrainSettings(
        head=HeadSettings(dimension=8, hidden=12, dropout=0.0), steps=5, weights_steps=6, batch_size=10,
        reweighting=Reweighting(warm_up_steps=2, every=2),
    )  # fmt: skip
    widths = {side.modality: side.space.dimension for side in sides}
    here, there = (
        fit(
            FeaturePairs(*sides, settings.batch_size, settings.seed, device),
            lambda: JointNetworks({}, widths, settings.head), settings, NoCheckpoints(), device=device,
        )
        for device in ("cpu", "cuda")
    )  # fmt: skip
    assert np.array(there.record)[:, :6] == pytest.approx(np.array(here.record)[:, :6], rel=1e-3)
    assert np.array_equal(there.weights, here.weights)
    assert {tensor.device.type for tensor in there.networks.state_dict().values()} == {"cpu"}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_whole_networks_train_there_as_here(tmp_path, precision):
    generate(tmp_path, GeneratedCorpus(people=8, seed=1, clips=2, photos=2, clip_seconds=0.5))
    networks = Encoders(
        voice="thin-resnet34", face="ir50",
        voice_settings={"depths": [1, 1], "widths": [8, 8], "seconds": 0.5},
        face_settings={"depths": [1, 1], "widths": [8, 8], "pixels": 16, "aligned": True, "dropout": 0.0},
    )  # fmt: skip
    settings = TrainSettings(
        head=HeadSettings(dimension=8, hidden=0, dropout=0.0), stages=("retrain",), steps=4, batch_size=4,
        shortest_seconds=0.2, longest_seconds=0.4, precision=precision,
    )  # fmt: skip
    found = {}
    for device in ("cpu", "cuda"):
        place = Workspace(folder=tmp_path, model=tmp_path / device, embeddings=tmp_path / f"rows-{device}")
        found[device] = train_model(place, settings, networks, device=device, end_to_end=True, validation="test")
        embed_manifest(place, encoding=Encoding(device=device))
    assert found["cuda"].final["loss"] == pytest.approx(found["cpu"].final["loss"], rel=0.02)
    assert open_store(tmp_path / "rows-cuda").count("rows", "voice") == 16


def test_networks_give_the_same_rows_there_as_here():
    torch.manual_seed(1)
    inputs = {"ir50": torch.rand(3, 3, 32, 32) * 2 - 1, "thin-resnet34": torch.randn(3, 16_000) * 3000}
    for name, batch in inputs.items():
        network = make_network(
            name, {"depths": [1, 1], "widths": [16, 32], **({"pixels": 32} if name == "ir50" else {})}
        )
        network.eval()
        with inference("cuda"):
            here, there = network(batch), network.to("cuda")(batch.to("cuda")).cpu()
        assert torch.nn.functional.cosine_similarity(here, there).min() > 1 - 1e-5


@pytest.mark.parametrize(("name", "shape"), [("resemblyzer", (237, 40)), ("dlib-resnet", (150, 150, 3))])
def test_encoders_give_the_same_rows(name, shape):
    if ENCODERS.entry(name).missing:
        pytest.skip(f"{name} is not installed")
    random = np.random.default_rng(1)
    samples = [random.integers(0, 256, shape).astype(np.uint8) if len(shape) == 3
               else random.random(shape).astype(np.float32) for _ in range(5)]  # fmt: skip
    here, there = (make_encoder(name, device).encode(samples) for device in ("cpu", "cuda"))
    assert np.einsum("nd,nd->n", here, there).min() > 1 - 1e-5
    assert make_encoder(name, "cpu").space == make_encoder(name, "cuda").space


def test_a_query_gives_the_same_figures(built):
    asked = QuerySettings(probe="voice", gallery="face", n=(2, 5), k=3)
    here, there = (query(built, asked, device).outcome for device in ("cpu", "cuda"))
    assert there.device == "cuda"
    for left, right in zip(here.measurements, there.measurements, strict=True):
        assert left.values == right.values
