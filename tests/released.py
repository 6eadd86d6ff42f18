"""Small checkpoints in the layouts of others."""

import torch

from vfsearch.networks.catalog import make_network
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks

VOICE = {"widths": [8, 16], "depths": [1, 2], "dimension": 12}
FACE = {"widths": [4, 6], "depths": [2, 1], "pixels": 16, "dimension": 10}
HEAD = HeadSettings(dimension=5, hidden=0)
IDENTITIES = 4


def small_network(name: str, settings: dict, seed: int = 1) -> torch.nn.Module:
    """A network in evaluation mode whose running means and variances are as random as its weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return settled(make_network(name, settings))


def small_networks(seed: int = 1) -> JointNetworks:
    """Both networks with their heads."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbones = {"voice": make_network("thin-resnet34", VOICE), "face": make_network("ir50", FACE)}
        return settled(JointNetworks(backbones, {"voice": 12, "face": 10}, HEAD))


def settled(module: torch.nn.Module) -> torch.nn.Module:
    """The same module, as after a training."""
    for name, buffer in module.named_buffers():
        if name.endswith("running_mean"):
            buffer.normal_(0, 0.1)
        elif name.endswith("running_var"):
            buffer.uniform_(0.5, 1.5)
        elif name.endswith("num_batches_tracked"):
            buffer.fill_(7)
    return module.eval()


def wen2021_file(networks: JointNetworks) -> dict[str, torch.Tensor]:
    """The names that the authors of the paper gave the tensors of a whole model."""
    parts = {
        "V.model.": networks.backbones["voice"],
        "F.model.": networks.backbones["face"],
        "V.fc.": networks.heads["voice"],
        "F.fc.": networks.heads["face"],
    }
    state = {f"{prefix}{name}": each for prefix, part in parts.items() for name, each in part.state_dict().items()}
    random = torch.Generator().manual_seed(3)
    return {
        **state,
        "F.cls.weight": torch.randn(IDENTITIES, HEAD.dimension, generator=random),
        "center.weight": torch.tensor([0.5, 0.0, 1.0, 0.0]),
        "center.loss_mean": torch.tensor([9.0, 13.0, 8.0, 12.5]),
    }


def photos(count: int = 3, pixels: int = 16) -> torch.Tensor:
    """(count, 3, pixels, pixels) values from -1 to 1."""
    return torch.rand(count, 3, pixels, pixels, generator=torch.Generator().manual_seed(2)) * 2 - 1


def waveforms(count: int = 3, samples: int = 4000) -> torch.Tensor:
    """(count, samples) values of the int16 range."""
    return torch.randn(count, samples, generator=torch.Generator().manual_seed(2)) * 3000


def rows(networks: JointNetworks, modality: str) -> torch.Tensor:
    """What networks make of the inputs of a modality."""
    with torch.inference_mode():
        return networks(modality, waveforms() if modality == "voice" else photos())
