import importlib.util

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from builders import contents
from released import FACE, HEAD, small_networks, wen2021_file

from vfsearch.encoders.base import unit_rows
from vfsearch.errors import ArtefactError, MismatchError, MissingExtraError, SettingsError, VfsearchError
from vfsearch.networks import onnx_file
from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import Head
from vfsearch.pipeline import export_model as stage
from vfsearch.pipeline.export_model import export_model
from vfsearch.pipeline.import_model import Choices, import_checkpoint
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.workspace import Workspace

needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")),
    reason="the extra onnx, or onnxruntime, is not installed",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a model with small networks."""
    place = Workspace(folder=tmp_path_factory.mktemp("whole"))
    torch.save(wen2021_file(small_networks()), place.folder / "released.pth")
    choices = Choices(face_settings={"aligned": True})
    return import_checkpoint(place, place.folder / "released.pth", choices=choices).folder


def samples(modality: str) -> list[np.ndarray]:
    """What decoders give."""
    random = np.random.default_rng(4)
    if modality == "voice":
        return [random.normal(0, 2000, length).astype(np.float32) for length in (160_000, 30_000)]
    return [random.integers(0, 256, (16, 16 + wider, 3)).astype(np.uint8) for wider in (0, 5)]


@needs_onnx
def test_onnx_files_give_the_rows_that_embed_stores(whole, tmp_path):
    import onnxruntime

    report = export_model(whole, tmp_path / "out", ["onnx"])
    assert report.checked and [each.path.name for each in report.files] == ["voice.onnx", "face.onnx"]
    assert all(each.largest_difference <= 1e-5 for each in report.files)
    model = open_model(whole)
    encoders, networks = model.encoders(["voice", "face"]), model.networks()
    for file in report.files:
        inputs = networks.backbones[file.modality].inputs.evaluation(samples(file.modality)).numpy()
        session = onnxruntime.InferenceSession(file.path, providers=["CPUExecutionProvider"])
        (found,) = session.run(["embeddings"], {file.takes: inputs})
        assert np.abs(found - encoders[file.modality].encode(samples(file.modality))).max() <= 1e-5


@needs_onnx
def test_onnx_files_of_heads_on_frozen_features(built, tmp_path):
    import onnx
    import onnxruntime

    report = export_model(built.model_folder, tmp_path / "out")
    model = open_model(built.model_folder)
    features = unit_rows(np.random.default_rng(1).normal(size=(6, 64)))
    session = onnxruntime.InferenceSession(tmp_path / "out/voice.onnx", providers=["CPUExecutionProvider"])
    (found,) = session.run(["embeddings"], {"features": features})
    assert np.abs(found - unit_rows(model.projection()("voice", features))).max() <= 1e-6
    facts = {each.key: each.value for each in onnx.load(tmp_path / "out/voice.onnx").metadata_props}
    assert facts == report.metadata["voice"]
    assert facts["feature_space_fingerprint"] == model.feature_spaces["voice"].fingerprint
    assert not [name for name in safetensors.torch.load_file(tmp_path / "out/face.safetensors") if "backbone" in name]


def test_safetensors_files_hold_backbone_and_head(whole, tmp_path):
    report = export_model(whole, tmp_path / "out", ["safetensors"])
    with safetensors.safe_open(tmp_path / "out/face.safetensors", "pt") as file:
        tensors, said = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118
    backbone, head = make_network("ir50", FACE), Head(FACE["dimension"], HEAD)
    for part, module in {"backbone.": backbone, "head.": head}.items():
        module.load_state_dict({name.removeprefix(part): each for name, each in tensors.items() if part in name})
    encoder = open_model(whole).encoders(["face"])["face"]
    with torch.no_grad():
        found = head.eval()(backbone.eval()(backbone.inputs.evaluation(samples("face")))).numpy()
    np.testing.assert_allclose(unit_rows(found), encoder.encode(samples("face")), atol=1e-6)
    assert said == report.metadata["face"]
    assert (said["pixel_scaling"], said["channels"], said["pixels"]) == ("(p - 127.5) / 127.5", "BGR", "16")
    assert said["space_fingerprint"] == encoder.space.fingerprint
    assert report.metadata["voice"]["sample_rate_hz"] == "16000" and report.metadata["voice"]["seconds"] == "10"


def test_files_are_not_replaced_unasked(whole, tmp_path):
    export_model(whole, tmp_path / "out", ["safetensors"])
    before = contents(tmp_path / "out")
    (tmp_path / "out/face.safetensors").unlink()
    with pytest.raises(MismatchError, match=r"voice.safetensors: there already; give --overwrite"):
        export_model(whole, tmp_path / "out", ["safetensors"])
    export_model(whole, tmp_path / "out", ["safetensors"], overwrite=True)
    assert contents(tmp_path / "out") == before
    assert (tmp_path / "out/voice.safetensors").stat().st_mode & 0o777 == 0o600


def pretend_onnx(monkeypatch, difference: float) -> None:
    """ONNX files without the seconds that they take."""
    monkeypatch.setattr(onnx_file, "onnx_bytes", lambda networks, modality, metadata: b"onnx")
    monkeypatch.setattr(onnx_file, "largest_difference", lambda data, networks, modality: difference)
    monkeypatch.setattr(stage.importlib.util, "find_spec", lambda name: name)


@pytest.mark.parametrize("difference", [2e-4, float("nan")])
def test_other_rows_are_not_written(whole, tmp_path, monkeypatch, difference):
    pretend_onnx(monkeypatch, difference)
    with pytest.raises(VfsearchError, match=r"voice.onnx would give other rows .* wanted 0.0001 at most; nothing was"):
        export_model(whole, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def missing(monkeypatch, *names: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(stage.importlib.util, "find_spec", lambda name: None if name in names else found(name))


def test_a_missing_extra_gives_its_pip_line(whole, tmp_path, monkeypatch):
    missing(monkeypatch, "onnxscript")
    with pytest.raises(MissingExtraError, match=r"need onnxscript; install with: pip install 'vfsearch\[onnx\]'"):
        export_model(whole, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert export_model(whole, tmp_path / "out", ["safetensors"]).checked


def test_without_onnxruntime_nothing_is_compared(whole, tmp_path, monkeypatch):
    pretend_onnx(monkeypatch, 0.5)
    monkeypatch.setattr(stage.importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else name)
    report = export_model(whole, tmp_path / "out", ["onnx"])
    assert not report.checked and {each.largest_difference for each in report.files} == {None}
    assert (tmp_path / "out/face.onnx").read_bytes() == b"onnx"


@pytest.mark.parametrize(("formats", "said"), [(["pickle"], "the formats are pickle; wanted any of"), ([], "are none")])
def test_unknown_formats(whole, tmp_path, formats, said):
    with pytest.raises(SettingsError, match=said):
        export_model(whole, tmp_path / "out", formats)


def test_no_model(tmp_path):
    with pytest.raises(ArtefactError, match="no model at"):
        export_model(tmp_path / "nowhere", tmp_path / "out", ["safetensors"])
