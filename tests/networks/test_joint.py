import torch
from torch import nn

from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks

HEAD = HeadSettings(dimension=4, hidden=0)


def test_heads_alone_take_the_features_as_they_are():
    networks = JointNetworks({}, {"voice": 6, "face": 3}, HEAD).eval()
    voices = torch.randn(5, 6)
    assert networks.features("voice", voices) is voices
    assert torch.equal(networks("voice", voices), networks.heads["voice"](voices))
    assert networks("face", torch.randn(5, 3)).shape == (5, 4)


def test_a_backbone_comes_before_its_head():
    networks = JointNetworks({"voice": nn.Linear(2, 6)}, {"voice": 6, "face": 3}, HEAD).eval()
    clips = torch.randn(5, 2)
    features = networks.features("voice", clips)
    assert torch.equal(features, networks.backbones["voice"](clips))
    assert torch.equal(networks("voice", clips), networks.project("voice", features))


def test_names_say_part_and_modality():
    names = set(JointNetworks({"voice": nn.Linear(2, 6)}, {"voice": 6, "face": 3}, HEAD).state_dict())
    assert {"backbones.voice.weight", "heads.voice.0.weight", "heads.face.2.weight"} <= names
