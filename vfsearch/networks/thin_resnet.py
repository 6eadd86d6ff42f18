"""The voice network: a thin residual network over mel bands, with self-attentive pooling."""

import torch
from torch import nn

from vfsearch.networks.base import Network
from vfsearch.networks.inputs import ClipInputs
from vfsearch.networks.mel import LogMel, normalise_over_time
from vfsearch.networks.settings import THIN_SQUEEZE_REDUCTION, ThinResNetSettings


class ThinResNet(Network):
    """Waveform to features; its parameters have the names of the field's files.

    Log-mel bands, normalised over time; a convolution that halves the bands; stages of residual units with
    squeeze-and-excitation; the mean over the bands that are left; the mean over time, weighted by attention; linear.

    Args:
        settings: its shape.
    Source: Chung et al., "In defence of metric learning for speaker recognition", Interspeech 2020, section 3.2;
        Cai, Chen and Li, Odyssey 2018, equations 3 to 5 (self-attentive pooling); convolutions start as in He et al.,
        "Delving Deep into Rectifiers", ICCV 2015, equation 14.
    """

    modality = "voice"

    def __init__(self, settings: ThinResNetSettings) -> None:
        super().__init__(settings, ClipInputs(seconds=settings.seconds))
        first, last = settings.widths[0], settings.widths[-1]
        self.mel = LogMel()
        self.conv1 = nn.Conv2d(1, first, 7, stride=(2, 1), padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self._stages = [f"layer{number}" for number in range(1, len(settings.widths) + 1)]
        for name, stage in zip(self._stages, _make_stages(settings), strict=True):
            self.add_module(name, stage)
        self.sap_linear = nn.Linear(last, last)
        self.attention = nn.Parameter(torch.empty(last, 1))
        self.fc = nn.Linear(last, settings.dimension)
        self.apply(_initialise)
        nn.init.xavier_normal_(self.attention)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Features of some clips.

        Args:
            samples: (n, m) float32, 16 kHz, int16 range, m > 256.
        Returns:
            (n, dimension), not normalised.
        """
        maps = normalise_over_time(self.mel(samples))[:, None]
        # Channels last in memory would be quicker on a CPU, but torch 2.13 crashes in their gradient (8 channels).
        maps = torch.relu(self.bn1(self.conv1(maps)))
        for name in self._stages:
            maps = self.get_submodule(name)(maps)
        return self.fc(self._pooled(maps.mean(dim=2).transpose(1, 2)))

    def _pooled(self, frames: torch.Tensor) -> torch.Tensor:
        """(n, t, channels) to their weighted mean over time, (n, channels)."""
        weights = torch.softmax(torch.tanh(self.sap_linear(frames)) @ self.attention, dim=1)
        return (frames * weights).sum(dim=1)


class ThinUnit(nn.Module):
    """Two convolutions with batch normalisation, squeeze-and-excitation, the sum with the input, ReLU.

    The first ReLU stands before its batch normalisation, not after it as usual: weights from the field's files mean
    something only this way round.

    Args:
        inputs, outputs: channels.
        stride: of the first convolution and of the shortcut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.se = ThinSqueezeExcitation(outputs)
        self.downsample = _shortcut(inputs, outputs, stride)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, inputs, bands, t) to (n, outputs, bands / stride, t / stride), rounded up."""
        out = self.bn1(torch.relu(self.conv1(maps)))
        out = self.se(self.bn2(self.conv2(out)))
        return torch.relu(out + self.downsample(maps))


class ThinSqueezeExcitation(nn.Module):
    """Scales each channel by a number in (0, 1) that is computed from the means of all channels.

    Source: Hu, Shen and Sun, "Squeeze-and-Excitation Networks", CVPR 2018, equations 2 to 4; biases added.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // THIN_SQUEEZE_REDUCTION
        self.fc = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid())

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, channels, bands, t) to the same shape."""
        return maps * self.fc(maps.mean(dim=(2, 3)))[:, :, None, None]


def _make_stages(settings: ThinResNetSettings) -> list[nn.Sequential]:
    stages, inputs, last = [], settings.widths[0], len(settings.widths) - 1
    for number, (depth, width) in enumerate(zip(settings.depths, settings.widths, strict=True)):
        stride = 1 if number in (0, last) else 2
        rest = [ThinUnit(width, width, 1) for _ in range(depth - 1)]
        stages.append(nn.Sequential(ThinUnit(inputs, width, stride), *rest))
        inputs = width
    return stages


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)
