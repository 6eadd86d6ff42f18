"""The head that takes features, of a network or of a frozen encoder, to the joint space.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, section 3.
"""

from dataclasses import dataclass

from torch import nn

from vfsearch.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class HeadSettings:
    """Shape of a head.

    Args:
        dimension: of the joint space.
        hidden: units of a hidden layer, 0 for none (as in the paper, where a trainable network comes before).
        dropout: share of the outputs dropped in training.
    """

    dimension: int = 128
    hidden: int = 256
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.dimension < 1 or self.hidden < 0 or not 0.0 <= self.dropout < 1.0:
            raise SettingsError(f"want dimension >= 1, hidden >= 0 and 0 <= dropout < 1, got {self}")


class Head(nn.Sequential):
    """Takes one modality's features to the joint space: BatchNorm, ReLU, Linear without bias, Dropout.

    With a hidden layer, BatchNorm and Linear come once more before.

    Args:
        inputs: columns of the features.
        settings: the shape.
    """

    def __init__(self, inputs: int, settings: HeadSettings) -> None:
        layers: list[nn.Module] = []
        if settings.hidden:
            layers += [nn.BatchNorm1d(inputs), nn.Linear(inputs, settings.hidden, bias=False)]
        width = settings.hidden or inputs
        layers += [nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, settings.dimension, bias=False)]
        super().__init__(*layers, nn.Dropout(settings.dropout))
