import pytest
import torch
from released import FACE, HEAD, IDENTITIES, VOICE, rows, small_network, small_networks, wen2021_file

from vfsearch.errors import InputError
from vfsearch.networks.catalog import make_network
from vfsearch.networks.joint import JointNetworks
from vfsearch.networks.mel import mel_bands
from vfsearch.networks.translation import translate


@pytest.fixture
def networks():
    return small_networks()


@pytest.fixture
def released(networks):
    return wen2021_file(networks)


def rebuilt(found) -> JointNetworks:
    backbones = {modality: make_network(*each) for modality, each in found.networks.items()}
    joint = JointNetworks(backbones, {modality: each.dimension for modality, each in backbones.items()}, found.head)
    joint.load_state_dict(found.state)
    return joint.eval()


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_whole_model(networks, released, prefix):
    found = translate({f"{prefix}{name}": tensor for name, tensor in released.items()})
    assert found.layout.name == "wen2021" and found.head == HEAD
    assert found.networks == {"voice": ("thin-resnet34", VOICE), "face": ("ir50", FACE)}
    assert found.used == tuple(f"{prefix}{name}" for name in released)
    assert (found.missing, found.left_over, found.unknown, found.differing) == ((), (), (), ())
    for modality in ("voice", "face"):
        assert torch.equal(rows(rebuilt(found), modality), rows(networks, modality))
    assert found.identities == IDENTITIES and found.training["weights"].tolist() == [0.5, 0.0, 1.0, 0.0]
    assert torch.equal(found.training["classifier"], released["F.cls.weight"])


@pytest.mark.parametrize("name", ["ir50", "ir_se50"])
def test_a_plain_face_network(name):
    settings = {**FACE, "widths": [16, 32]}
    network = small_network(name, settings)
    found = translate(network.state_dict())
    assert found.layout.name == "ir" and found.networks == {"face": (name, settings)} and found.head is None
    assert list(found.state) == list(network.state_dict()) and found.identities == 0


@pytest.mark.parametrize("prefix", ["", "__S__.", "module.__S__."])
def test_a_speaker_network_beside_its_loss(prefix):
    network = small_network("thin-resnet34", VOICE)
    loss = {"__L__.W": torch.zeros(3), "__L__.criterion.weight": torch.zeros(2)}
    found = translate({**{f"{prefix}{name}": each for name, each in network.state_dict().items()}, **loss})
    assert found.layout.name == "speaker" and found.networks == {"voice": ("thin-resnet34", VOICE)}
    assert found.left_over == tuple(loss) and found.unknown == ()
    network.load_state_dict(found.state)


def test_what_is_computed_here_is_left_over(released):
    computed = {
        "normalize.conv.weight": torch.zeros(3, 1, 1, 1),
        "V.model.torchfb.spectrogram.window": torch.hamming_window(400),
        "V.model.torchfb.mel_scale.fb": mel_bands(),
    }
    found = translate({**computed, **released, "F.surprise": torch.zeros(1)})
    assert found.left_over == tuple(computed) and found.unknown == ("F.surprise",) and found.differing == ()


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("V.model.torchfb.mel_scale.fb", mel_bands() * 1.01),
        ("V.model.torchfb.mel_scale.fb", mel_bands()[:, :30]),
        ("V.model.torchfb.spectrogram.window", torch.hann_window(400)),
    ],
)
def test_another_front_end_is_noticed(released, name, tensor):
    assert translate({**released, name: tensor}).differing == (name,)


def test_half_precision_comes_back_in_single(released):
    found = translate({name: each.half() if each.is_floating_point() else each for name, each in released.items()})
    assert {each.dtype for each in found.state.values()} == {torch.float32, torch.int64}
    assert {each.dtype for each in found.training.values()} == {torch.float32}


def test_counters_and_what_only_a_training_needs_may_be_missing(networks, released):
    without = [name for name in released if name.endswith("num_batches_tracked")]
    without += ["F.cls.weight", "center.weight", "center.loss_mean"]
    found = translate({name: each for name, each in released.items() if name not in without})
    assert sorted(found.missing) == sorted(without) and found.training == {} and found.identities == 0
    assert torch.equal(rows(rebuilt(found), "face"), rows(networks, "face"))


@pytest.mark.parametrize(
    "gone", ["V.model.conv1.weight", "V.fc.2.weight", "F.fc.0.running_mean", "F.model.output_layer.3.weight",
             "F.model.input_layer.0.weight", "F.model.body.1.res_layer.3.weight", "V.model.layer2.0.conv1.weight"],
)  # fmt: skip
def test_a_missing_tensor_is_named(released, gone):
    del released[gone]
    with pytest.raises(InputError, match=rf"1 of the \d+ tensors of a voice-face model.* are missing: {gone}; take"):
        translate(released)


def test_many_missing_tensors_are_counted(released):
    some = {name: each for name, each in released.items() if not name.startswith("F.model.")}
    with pytest.raises(InputError, match=r"\d+ of the .* are missing: F.model.* and \d+ more; take the file that"):
        translate(some)


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("F.fc.2.weight", (5, 9), r"F.fc.2.weight is \(5, 9\), wanted \(5, 10\)"),
        ("V.model.layer2.1.bn1.bias", (3,), r"V.model.layer2.1.bn1.bias is \(3,\), wanted \(16,\)"),
        ("center.weight", (7,), r"center.weight is \(7,\), wanted \(4,\)"),
        ("F.cls.weight", (4, 6), r"F.cls.weight is \(4, 6\), wanted \(4, 5\)"),
        ("V.model.attention", (), r"V.model.attention is \(\), wanted \(16, 1\)"),
    ],
)
def test_a_tensor_of_another_shape_is_named(released, name, shape, said):
    with pytest.raises(InputError, match=rf"1 tensors do not fit the others: {said}"):
        translate({**released, name: torch.zeros(shape)})


def test_shapes_of_no_network():
    network = small_network("thin-resnet34", VOICE)
    widths = {name: torch.zeros(7, *each.shape[1:]) if "layer1.0" in name else each
              for name, each in network.state_dict().items()}  # fmt: skip
    with pytest.raises(InputError, match=r"shapes of no network that is known here: widths: got .*7, 16"):
        translate(widths)


def test_values_that_are_not_finite(released):
    released["V.fc.2.weight"][0, 0] = float("nan")
    with pytest.raises(InputError, match=r"1 tensors hold values that are not finite: V.fc.2.weight"):
        translate(released)
