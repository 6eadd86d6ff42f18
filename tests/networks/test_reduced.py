import pytest
import torch
from torch import nn

from vfsearch.networks.catalog import make_network
from vfsearch.networks.reduced import reduced

SMALL = {
    "ir50": {"depths": (2, 2), "widths": (8, 16), "pixels": 16},
    "ir_se50": {"depths": (2, 2), "widths": (16, 32), "pixels": 16},
    "thin-resnet34": {"depths": (2, 2), "widths": (8, 16), "seconds": 1.0},
}


def lived_in(name):
    """A network whose normalisations have seen something."""
    torch.manual_seed(0)
    network = make_network(name, SMALL[name])
    inputs = torch.randn(8, 16_000) * 3000 if network.modality == "voice" else torch.rand(8, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        for _ in range(20):
            network.train()(inputs)
    return network.eval(), inputs


@pytest.mark.parametrize("name", SMALL)
def test_rows_are_nearly_those_of_full_precision(name):
    network, inputs = lived_in(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.inference_mode():
        wanted = network(inputs)
        with torch.autocast("cpu", torch.bfloat16):
            found = reduced(network, torch.bfloat16)(inputs).float()
    assert nn.functional.cosine_similarity(found, wanted).min() > 0.999
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", SMALL)
def test_what_is_folded_changes_nothing(name):
    network, inputs = lived_in(name)
    folded = reduced(network, torch.float32)
    with torch.inference_mode():
        torch.testing.assert_close(folded(inputs), network(inputs), rtol=1e-4, atol=1e-4)
    count = [sum(isinstance(each, nn.BatchNorm2d) for each in one.modules()) for one in (network, folded)]
    assert count[1] < count[0]
