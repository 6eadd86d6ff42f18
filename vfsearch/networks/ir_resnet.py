"""Face networks of the IR family: IR-50, IR-SE-50 and smaller ones."""

import torch
from torch import nn

from vfsearch.networks.base import Network
from vfsearch.networks.inputs import PhotoInputs
from vfsearch.networks.settings import SQUEEZE_REDUCTION, IRSettings

PRELU_SLOPE = 0.25  # torch's start, and what the convolutions before it are scaled for


class IRNetwork(Network):
    """A residual network for aligned faces; its parameters have the names of the field's files.

    A convolution, stages of residual units (the first unit of each halves height and width), and a linear layer over
    all that is left, between batch normalisations.

    Args:
        settings: its shape.
    Source: Deng et al., "ArcFace", CVPR 2019 (arXiv 1801.07698), section 3.1 and its improved residual unit;
        convolutions start as in He et al., "Delving Deep into Rectifiers", ICCV 2015, equation 15.
    """

    modality = "face"

    def __init__(self, settings: IRSettings) -> None:
        super().__init__(settings, PhotoInputs(pixels=settings.pixels))
        first, last = settings.widths[0], settings.widths[-1]
        left = settings.pixels // 2 ** len(settings.depths)
        self.input_layer = nn.Sequential(_convolution(3, first), nn.BatchNorm2d(first), nn.PReLU(first))
        self.body = nn.Sequential(*_units(settings))
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(last),
            nn.Dropout(settings.dropout),
            nn.Flatten(),
            nn.Linear(last * left * left, settings.dimension),
            nn.BatchNorm1d(settings.dimension),
        )
        self.apply(_initialise)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Features of some photos.

        Args:
            photos: (n, 3, pixels, pixels) float32, BGR, from -1 to 1.
        Returns:
            (n, dimension), not normalised.
        """
        # convolutions of a CPU and of a GPU's tensor cores want the channels innermost
        photos = photos.contiguous(memory_format=torch.channels_last)
        return self.output_layer(self.body(self.input_layer(photos)))


class IRUnit(nn.Module):
    """Batch normalisation, two convolutions, batch normalisation; added to its input, with nothing after the sum.

    Args:
        inputs, outputs: channels.
        stride: of the second convolution and of the shortcut.
        squeeze: squeeze-and-excitation before the sum.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        self.shortcut_layer = _shortcut(inputs, outputs, stride)
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            _convolution(inputs, outputs),
            nn.PReLU(outputs),
            _convolution(outputs, outputs, stride),
            nn.BatchNorm2d(outputs),
            *([SqueezeExcitation(outputs)] if squeeze else []),
        )

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        return self.res_layer(maps) + self.shortcut_layer(maps)


class SqueezeExcitation(nn.Module):
    """Scales each channel by a number in (0, 1) that is computed from the means of all channels.

    Source: Hu, Shen and Sun, "Squeeze-and-Excitation Networks", CVPR 2018, equations 2 to 4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // SQUEEZE_REDUCTION, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // SQUEEZE_REDUCTION, channels, 1, bias=False)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, channels, h, w) to the same shape."""
        means = maps.mean(dim=(2, 3), keepdim=True)
        return maps * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


def _units(settings: IRSettings) -> list[IRUnit]:
    units, inputs = [], settings.widths[0]
    for depth, width in zip(settings.depths, settings.widths, strict=True):
        for number in range(depth):
            units.append(IRUnit(inputs, width, 1 if number else 2, settings.squeeze))
            inputs = width
    return units


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs:
        return nn.MaxPool2d(1, stride) if stride > 1 else nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, a=PRELU_SLOPE, mode="fan_out", nonlinearity="leaky_relu")
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
