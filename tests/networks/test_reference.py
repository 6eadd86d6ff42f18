"""Our networks with the weights of the reference against what the authors' release computes with them."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks

FOLDER = Path(__file__).parents[3] / "shared" / "reference"
PREFIXES = {
    "F.model.": "backbones.face.",
    "V.model.": "backbones.voice.",
    "F.fc.": "heads.face.",
    "V.fc.": "heads.voice.",
}
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no reference in {FOLDER}")


def new_networks() -> JointNetworks:
    backbones = {"face": make_network("ir50", {}), "voice": make_network("thin-resnet34", {})}
    return JointNetworks(backbones, {"face": 512, "voice": 512}, HeadSettings(hidden=0))


def our_name(name: str) -> str:
    return next((ours + name.removeprefix(theirs) for theirs, ours in PREFIXES.items() if name.startswith(theirs)), "")


def relative_error(found: torch.Tensor, wanted: np.ndarray) -> float:
    """The largest difference of any value, over the largest value."""
    return np.abs(found.detach().double().numpy() - wanted).max() / np.abs(wanted).max()


@pytest.fixture(scope="module")
def vectors():
    return np.load(FOLDER / "wen2021_vectors.npz")


@pytest.fixture(scope="module")
def networks():
    spec = importlib.util.spec_from_file_location("wen2021_weights", FOLDER / "wen2021_weights.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = {our_name(name): torch.from_numpy(values) for name, values in module.state_dict().items()}
    networks = new_networks()
    networks.load_state_dict({name: tensor for name, tensor in state.items() if name})
    return networks.eval()


def test_names_and_shapes_are_those_of_the_release():
    with torch.device("meta"):
        ours = {name: list(tensor.shape) for name, tensor in new_networks().state_dict().items()}
    listed = json.loads((FOLDER / "wen2021_state_dict.json").read_text())
    theirs = {our_name(name): shape for name, (shape, _) in listed.items() if "torchfb" not in name}
    theirs.pop("")
    assert ours == theirs


def test_the_mel_bands(networks, vectors):
    front = networks.backbones["voice"].mel
    found = front.power(torch.from_numpy(vectors["wave"]))
    wanted = vectors["mel"].astype(np.float64)
    assert relative_error(found, wanted) <= 1e-5
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4)


def test_the_voices(networks, vectors):
    assert relative_error(networks("voice", torch.from_numpy(vectors["wave"])), vectors["voice"]) <= 1e-5


def test_the_faces(networks, vectors):
    photos = list(vectors["image"].transpose(0, 2, 3, 1))
    inputs = networks.backbones["face"].inputs.evaluation(photos)
    assert relative_error(networks("face", inputs), vectors["face"]) <= 1e-5
