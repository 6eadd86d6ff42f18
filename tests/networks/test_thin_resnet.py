import numpy as np
import torch
from torch.nn import functional

from vfsearch.networks.settings import ThinResNetSettings
from vfsearch.networks.thin_resnet import ThinResNet, ThinSqueezeExcitation, ThinUnit

SMALL = {"widths": (8, 16, 16, 24), "depths": (1, 1, 1, 1), "dimension": 6, "seconds": 1.0}


def small(**changes) -> ThinResNet:
    torch.manual_seed(0)
    return ThinResNet(ThinResNetSettings(**{**SMALL, **changes}))


def clips(n: int, samples: int = 4800) -> torch.Tensor:
    return torch.randn(n, samples, generator=torch.Generator().manual_seed(1)) * 3000


def test_parameters_have_the_names_of_the_files_of_the_field():
    names = set(small().state_dict())
    wanted = {
        "attention", "conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer1.0.bn2.bias",
        "layer1.0.se.fc.0.weight", "layer4.0.se.fc.2.bias", "layer2.0.downsample.0.weight",
        "layer4.0.downsample.1.running_var", "sap_linear.bias", "fc.weight",
    }  # fmt: skip
    assert wanted <= names
    assert not {name for name in names if name.startswith(("mel", "layer1.0.downsample", "layer3.0.downsample.2"))}


def test_thin_resnet_34_has_16_units_and_1_4_million_parameters():
    with torch.device("meta"):
        network = ThinResNet(ThinResNetSettings())
    assert [len(network.get_submodule(f"layer{k}")) for k in (1, 2, 3, 4)] == [3, 4, 6, 3]
    assert sum(each.numel() for each in network.parameters()) == 1_437_078


def test_bands_and_frames_are_halved_where_the_method_says():
    network, shapes = small().eval(), {}
    for name in ("bn1", "layer1", "layer2", "layer3", "layer4"):
        network.get_submodule(name).register_forward_hook(
            lambda module, given, out, name=name: shapes.update({name: tuple(out.shape[1:])})
        )
    network(clips(1, 1600 * 10))
    assert shapes == {
        "bn1": (8, 20, 101), "layer1": (8, 20, 101), "layer2": (16, 10, 51), "layer3": (16, 5, 26),
        "layer4": (24, 5, 26),
    }  # fmt: skip


def test_the_first_relu_of_a_unit_stands_before_its_batch_normalisation():
    torch.manual_seed(0)
    unit, maps = ThinUnit(8, 8, 1).eval(), torch.randn(2, 8, 5, 6)
    torch.nn.init.normal_(unit.bn1.bias)
    after = functional.conv2d(maps, unit.conv1.weight, padding=1).clamp_min(0)
    after = after / (1 + 1e-5) ** 0.5 + unit.bn1.bias[:, None, None]
    after = functional.conv2d(after, unit.conv2.weight, padding=1) / (1 + 1e-5) ** 0.5
    np.testing.assert_allclose(
        unit(maps).detach().numpy(), (unit.se(after) + maps).clamp_min(0).detach().numpy(), atol=1e-5
    )


def test_squeeze_excitation_is_what_a_plain_loop_gives():
    torch.manual_seed(0)
    module, maps = ThinSqueezeExcitation(16), torch.randn(2, 16, 3, 5)
    first, first_bias, second, second_bias = (each.detach().double().numpy() for each in module.parameters())
    wanted = np.empty(maps.shape)
    for n, clip in enumerate(maps.double().numpy()):
        means = np.array([channel.sum() / 15 for channel in clip])
        hidden = np.maximum(first @ means + first_bias, 0)
        for channel, value in enumerate(second @ hidden + second_bias):
            wanted[n, channel] = clip[channel] / (1 + np.exp(-value))
    np.testing.assert_allclose(module(maps).detach().numpy(), wanted, atol=1e-6)


def test_pooling_is_what_a_plain_loop_gives():
    network, frames = small(), torch.randn(3, 7, 24)
    linear, bias = (each.detach().double().numpy() for each in (network.sap_linear.weight, network.sap_linear.bias))
    attention = network.attention.detach().double().numpy()[:, 0]
    wanted = np.zeros((3, 24))
    for n, clip in enumerate(frames.double().numpy()):
        scores = [np.exp(np.tanh(linear @ frame + bias) @ attention) for frame in clip]
        for score, frame in zip(scores, clip, strict=True):
            wanted[n] += score / sum(scores) * frame
    np.testing.assert_allclose(network._pooled(frames).detach().numpy(), wanted, atol=1e-6)


def test_volume_does_not_matter():
    network, batch = small().eval(), clips(3)
    np.testing.assert_allclose(network(batch).detach().numpy(), network(batch * 0.25).detach().numpy(), atol=1e-4)


def test_any_length_and_any_number_of_stages():
    network = small(widths=[8, 16], depths=[1, 2]).eval()
    assert network(clips(2, 1600)).shape == network(clips(2, 16001)).shape == (2, 6)
    assert (network.modality, network.dimension, network.inputs.seconds) == ("voice", 6, 1.0)


def test_a_row_does_not_depend_on_the_batch_in_evaluation():
    network, batch = small().eval(), clips(4)
    alone = torch.cat([network(clip[None]) for clip in batch])
    np.testing.assert_allclose(network(batch).detach().numpy(), alone.detach().numpy(), atol=1e-5)


def test_every_parameter_learns():
    network = small().train()
    network(clips(4)).square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in network.parameters())
