"""The joint model: a backbone and a head for each modality.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, section 3.
"""

import torch
from torch import nn

from vfsearch.networks.heads import Head, HeadSettings


class JointNetworks(nn.Module):
    """Takes both modalities to one space.

    Args:
        backbones: modality -> network, for the modalities that have one; without one, a modality's inputs are
            features already, those of a frozen encoder.
        widths: modality -> columns of its features.
        head: the shape of both heads.
    """

    def __init__(self, backbones: dict[str, nn.Module], widths: dict[str, int], head: HeadSettings) -> None:
        super().__init__()
        self.backbones = nn.ModuleDict(backbones)
        self.heads = nn.ModuleDict({modality: Head(width, head) for modality, width in widths.items()})

    def features(self, modality: str, inputs: torch.Tensor) -> torch.Tensor:
        """(n, width) features of one modality: what its backbone gives, or the inputs where there is none."""
        return self.backbones[modality](inputs) if modality in self.backbones else inputs

    def project(self, modality: str, features: torch.Tensor) -> torch.Tensor:
        """(n, dimension) joint embeddings, not normalised, of (n, width) features of one modality."""
        return self.heads[modality](features)

    def forward(self, modality: str, inputs: torch.Tensor) -> torch.Tensor:
        """(n, dimension) joint embeddings, not normalised, of some inputs of one modality."""
        return self.project(modality, self.features(modality, inputs))
