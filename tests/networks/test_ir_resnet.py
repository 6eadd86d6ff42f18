import numpy as np
import torch

from vfsearch.networks.ir_resnet import IRNetwork, IRUnit, SqueezeExcitation
from vfsearch.networks.settings import IRSettings

SMALL = {"depths": (1, 2), "widths": (16, 32), "pixels": 16, "dimension": 8}


def small(**changes) -> IRNetwork:
    torch.manual_seed(0)
    return IRNetwork(IRSettings(**{**SMALL, **changes}))


def photos(n: int, pixels: int = 16) -> torch.Tensor:
    return torch.rand(n, 3, pixels, pixels, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_ir_50_has_24_units_and_its_43_million_parameters():
    with torch.device("meta"):
        network = IRNetwork(IRSettings())
    assert len(network.body) == 24
    assert sum(each.numel() for each in network.parameters()) == 43_574_976
    assert network.output_layer[3].weight.shape == (512, 512 * 7 * 7)


def test_parameters_have_the_names_of_the_files_of_the_field():
    names = set(small(squeeze=True).state_dict())
    wanted = {
        "input_layer.0.weight", "input_layer.1.running_var", "input_layer.2.weight", "body.0.res_layer.0.bias",
        "body.0.res_layer.1.weight", "body.0.res_layer.2.weight", "body.2.res_layer.3.weight",
        "body.2.res_layer.4.running_mean", "body.2.res_layer.5.fc1.weight", "body.2.res_layer.5.fc2.weight",
        "body.1.shortcut_layer.0.weight", "body.1.shortcut_layer.1.weight", "output_layer.0.weight",
        "output_layer.3.bias", "output_layer.4.weight",
    }  # fmt: skip
    assert wanted <= names
    assert not {name for name in names if name.startswith(("body.0.shortcut", "body.2.shortcut", "output_layer.1"))}
    assert not {name for name in small().state_dict() if ".res_layer.5." in name}


def test_the_output_follows_the_input_size():
    for pixels in (16, 32):
        assert small(pixels=pixels).eval()(photos(2, pixels)).shape == (2, 8)
    assert (small().modality, small().dimension, small().inputs.pixels) == ("face", 8, 16)


def test_a_unit_without_a_residual_gives_every_second_pixel():
    unit = IRUnit(3, 3, stride=2, squeeze=False).eval()
    torch.nn.init.zeros_(unit.res_layer[4].weight)
    maps = torch.randn(2, 3, 6, 6)
    assert torch.equal(unit(maps), maps[:, :, ::2, ::2])


def test_nothing_comes_after_the_sum_of_a_unit():
    unit = IRUnit(3, 5, stride=1, squeeze=False).eval()
    maps = torch.randn(2, 3, 4, 4)
    found = unit(maps)
    assert torch.equal(found, unit.res_layer(maps) + unit.shortcut_layer(maps)) and found.min() < 0


def test_squeeze_excitation_is_what_a_plain_loop_gives():
    torch.manual_seed(0)
    module = SqueezeExcitation(16)
    maps = torch.randn(2, 16, 3, 5)
    first, second = (each.weight.detach().double().numpy()[:, :, 0, 0] for each in (module.fc1, module.fc2))
    wanted = np.empty(maps.shape)
    for n, clip in enumerate(maps.double().numpy()):
        means = np.array([channel.sum() / 15 for channel in clip])
        hidden = np.maximum(first @ means, 0)
        for channel, value in enumerate(second @ hidden):
            wanted[n, channel] = clip[channel] / (1 + np.exp(-value))
    np.testing.assert_allclose(module(maps).detach().numpy(), wanted, atol=1e-6)


def test_a_row_does_not_depend_on_the_batch_in_evaluation():
    network, batch = small(squeeze=True).eval(), photos(5)
    alone = torch.cat([network(photo[None]) for photo in batch])
    np.testing.assert_allclose(network(batch).detach().numpy(), alone.detach().numpy(), atol=1e-5)


def test_every_parameter_learns():
    network = small(squeeze=True).train()
    network(photos(4)).square().sum().backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in network.parameters())


def test_the_same_seed_gives_the_same_weights_and_signals_neither_die_nor_explode():
    first, second = small().state_dict(), small().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    deep = IRNetwork(IRSettings(depths=(3, 4, 14, 3), widths=(8, 8, 16, 16), pixels=32, dimension=64, dropout=0.0))
    found = deep.train()(photos(16, 32))
    assert 0.5 < found.std() < 2
