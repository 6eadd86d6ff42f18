import pytest
import torch
from released import FACE, VOICE, photos, rows, settled, small_networks, waveforms

from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks

pytest.importorskip("onnxscript")
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from vfsearch.networks.onnx_file import input_name, largest_difference, onnx_bytes  # noqa: E402

METADATA = {"modality": "voice", "space": "joint"}


@pytest.fixture(scope="module")
def networks():
    return small_networks()


@pytest.fixture(scope="module")
def files(networks):
    return {modality: onnx_bytes(networks, modality, METADATA) for modality in ("voice", "face")}


def run(data: bytes, inputs: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (name,) = [each.name for each in session.get_inputs()]
    return torch.from_numpy(session.run(["embeddings"], {name: inputs.numpy()})[0])


@pytest.mark.parametrize("modality", ["voice", "face"])
def test_its_rows_are_the_networks_rows_made_unit_length(networks, files, modality):
    inputs = waveforms() if modality == "voice" else photos()
    wanted = torch.nn.functional.normalize(rows(networks, modality), dim=1)
    assert torch.allclose(run(files[modality], inputs), wanted, atol=1e-5)


@pytest.mark.parametrize(("count", "samples"), [(1, 257), (1, 16_000), (4, 1000), (2, 33_333)])
def test_any_number_of_clips_of_any_length(networks, files, count, samples):
    inputs = waveforms(count, samples)
    with torch.inference_mode():
        wanted = torch.nn.functional.normalize(networks("voice", inputs), dim=1)
    assert torch.allclose(run(files["voice"], inputs), wanted, atol=1e-5)


def test_squeeze_and_excitation_goes_along():
    backbone = make_network("ir_se50", {**FACE, "widths": [16, 32]})
    networks = settled(JointNetworks({"face": backbone}, {"face": 10}, HeadSettings(dimension=5, hidden=0)))
    assert largest_difference(onnx_bytes(networks, "face", {}), networks, "face") < 1e-5


def test_heads_over_features_of_a_frozen_encoder():
    networks = settled(JointNetworks({}, {"voice": 12, "face": 7}, HeadSettings(dimension=5, hidden=6)))
    assert input_name(networks, "face") == "features"
    data = onnx_bytes(networks, "face", {})
    assert largest_difference(data, networks, "face") < 1e-5
    inputs = torch.randn(5, 7)
    with torch.inference_mode():
        assert torch.allclose(run(data, inputs), torch.nn.functional.normalize(networks("face", inputs), dim=1))


def test_another_model_is_noticed(files):
    assert largest_difference(files["face"], small_networks(seed=2), "face") > 0.01


def test_what_the_file_says(files):
    model = onnx.load_from_string(files["voice"])
    onnx.checker.check_model(model)
    assert {each.key: each.value for each in model.metadata_props} == METADATA
    shapes = [[each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim]
              for value in (*model.graph.input, *model.graph.output)]  # fmt: skip
    assert shapes == [["n", "samples"], ["n", 5]]
    assert [model.graph.input[0].name, model.graph.output[0].name] == ["waveforms", "embeddings"]


def test_the_same_bytes_each_time_and_nothing_of_this_machine(networks, files):
    assert onnx_bytes(networks, "voice", METADATA) == files["voice"]
    for data in files.values():
        assert b"site-packages" not in data and b"vfsearch/" not in data


def test_the_networks_stay_as_they_were(networks, files):
    again = small_networks()
    assert all(torch.equal(each, again.state_dict()[name]) for name, each in networks.state_dict().items())
    assert networks.backbones["voice"].settings.widths == tuple(VOICE["widths"]) and not networks.training
