import pytest
import torch
from torch import nn

from vfsearch.errors import VfsearchError
from vfsearch.train.synchronised import SharedDropout, SyncedBatchNorm1d, SyncedBatchNorm2d, synchronised


def network() -> nn.Sequential:
    torch.manual_seed(1)
    convolutions = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.InstanceNorm2d(3), nn.Dropout(0.3))
    return nn.Sequential(convolutions, nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4)).double()


def test_names_and_tensors_stay():
    made = network()
    before, parameters = made.state_dict(), list(made.parameters())
    assert synchronised(made) is made
    assert list(made.state_dict()) == list(before)
    assert all(new is old for new, old in zip(made.parameters(), parameters, strict=True))
    kinds = [type(each) for each in made.modules()]
    assert [kinds.count(kind) for kind in (SyncedBatchNorm1d, SyncedBatchNorm2d, SharedDropout)] == [1, 1, 1]
    assert nn.InstanceNorm2d in kinds and synchronised(made) is made


@pytest.mark.parametrize("training", [True, False])
def test_alone_nothing_changes(training):
    found = []
    for made in (network(), synchronised(network())):
        torch.manual_seed(2)
        made.train(training)
        output = made(torch.rand(5, 2, 4, 4, dtype=torch.float64))
        found.append([output, *made.state_dict().values()])
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_a_layer_of_its_own_and_a_layer_used_twice():
    layer = synchronised(nn.BatchNorm1d(3))
    assert type(layer) is SyncedBatchNorm1d
    shared = nn.BatchNorm1d(3)
    assert [type(each) for each in synchronised(nn.Sequential(shared, nn.ReLU(), shared))] == [
        SyncedBatchNorm1d, nn.ReLU, SyncedBatchNorm1d,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "name"), [(nn.BatchNorm3d(2), "BatchNorm3d"), (nn.AlphaDropout(), "AlphaDropout"), (nn.Dropout2d(), "")]
)
def test_layers_that_cannot_be_shared_are_named(layer, name):
    message = f"the layer 1 is a {name}.*, which cannot be trained in several processes; use one of BatchNorm1d,"
    with pytest.raises(VfsearchError, match=message):
        synchronised(nn.Sequential(nn.ReLU(), layer))
