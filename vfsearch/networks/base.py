"""What a trainable network is: inputs of one modality to features."""

from typing import ClassVar

from torch import nn

from vfsearch.networks.inputs import ClipInputs, PhotoInputs
from vfsearch.networks.settings import IRSettings, ThinResNetSettings


class Network(nn.Module):
    """A backbone: `forward(inputs)` gives (n, dimension) float32 features, not normalised.

    Args:
        settings: its shape.
        inputs: how prepared media become what `forward` takes.
    """

    modality: ClassVar[str]

    def __init__(self, settings: IRSettings | ThinResNetSettings, inputs: PhotoInputs | ClipInputs) -> None:
        super().__init__()
        self.settings = settings
        self.inputs = inputs

    @property
    def dimension(self) -> int:
        """Columns of the output."""
        return self.settings.dimension
