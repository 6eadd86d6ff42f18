"""Small networks with weights on disk."""

from pathlib import Path

import safetensors.torch
import torch

from vfsearch.artefact import Artefact
from vfsearch.networks.catalog import make_network

SMALL = {
    "ir50": {"depths": [1, 1], "widths": [8, 16], "pixels": 16, "dimension": 8},
    "ir_se50": {"depths": [1, 1], "widths": [16, 32], "pixels": 16, "dimension": 8},
    "thin-resnet34": {"widths": [8, 16], "depths": [1, 1], "seconds": 0.5, "dimension": 8},
}


def small_network(name: str, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return make_network(name, SMALL[name]).eval()


def weights_file(path: Path, name: str, seed: int = 0) -> str:
    path.write_bytes(safetensors.torch.save(small_network(name, seed).state_dict()))
    return str(path)


def weights_folder(folder: Path, name: str, settings: dict | None = None) -> str:
    folder.mkdir()
    about = {"network": name, "settings": SMALL[name] if settings is None else settings}
    artefact = Artefact(folder=folder, kind="network", schema=1, about=about)
    artefact.add("weights.safetensors", safetensors.torch.save(small_network(name).state_dict()))
    artefact.write()
    return str(folder)
