import pytest
import torch
from torch import nn

from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks


def kinds(module) -> list[type]:
    return [type(layer) for layer in module]


def test_the_head_of_the_paper():
    head = JointNetworks({}, {"voice": 6}, HeadSettings(dimension=4, hidden=0)).heads["voice"]
    assert kinds(head) == [nn.BatchNorm1d, nn.ReLU, nn.Linear, nn.Dropout]
    assert head[2].bias is None and head[3].p == 0.5 and head[2].weight.shape == (4, 6)


def test_a_hidden_layer_stands_before_it():
    head = JointNetworks({}, {"voice": 6}, HeadSettings(dimension=4, hidden=5)).heads["voice"]
    assert kinds(head) == [nn.BatchNorm1d, nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Linear, nn.Dropout]
    assert head[1].weight.shape == (5, 6) and head[4].weight.shape == (4, 5)


@pytest.mark.parametrize("hidden", [0, 5])
def test_each_modality_has_its_own_head_and_evaluation_looks_at_one_row_at_a_time(hidden):
    heads = JointNetworks({}, {"voice": 6, "face": 3}, HeadSettings(dimension=4, hidden=hidden)).eval()
    voices, faces = torch.randn(7, 6), torch.randn(7, 3)
    together = heads("voice", voices)
    assert together.shape == heads("face", faces).shape == (7, 4)
    assert torch.allclose(torch.cat([heads("voice", row[None]) for row in voices]), together, atol=1e-6)


def test_an_empty_batch_gives_no_rows():
    assert JointNetworks({}, {"voice": 6}, HeadSettings()).eval()("voice", torch.zeros(0, 6)).shape == (0, 128)
