"""dlib's face recognition network, run by torch: in batches, on every core or a GPU.

dlib itself computes it one photo after another on one core and holds Python's lock meanwhile.
"""

import math

import numpy as np
import torch
from torch.nn import functional

from vfsearch.errors import ArtefactError

CHIP_PIXELS = 150
DIMENSION = 128
MEAN_RGB = (122.782, 117.001, 104.298)
SCALE = 256.0
STEM_CHANNELS = 32
# blocks in their order: (channels, whether the block halves the picture)
BLOCKS = (
    *[(32, False)] * 3,
    *[(64, True), (64, False), (64, False), (64, False)],
    *[(128, True), (128, False), (128, False)],
    *[(256, True), (256, False), (256, False)],
    (256, True),
)
# how the layers begin in the file: length of the name, name, and what the fully connected one says of itself
_CONVOLUTION = b"\x05con_4"
_AFFINE = b"\x07affine_"
_FULLY_CONNECTED = b"\x04fc_2"
_TENSOR_VERSION = 2


class DlibNetwork(torch.nn.Module):
    """The 29 convolutions of `dlib_face_recognition_resnet_model_v1.dat`.

    Args:
        weights: the bytes of that file.
    Raises:
        ArtefactError: they are not those of this network.
    Source: D. King, dlib, `dnn_face_recognition_ex.cpp`.
    """

    def __init__(self, weights: bytes) -> None:
        super().__init__()
        reader = _Reader(weights)
        self.stem = _convolution(reader, 3, STEM_CHANNELS, 7, 2)
        self.blocks = torch.nn.ModuleList()
        channels = STEM_CHANNELS
        for wanted, halves in BLOCKS:
            self.blocks.append(_Block(reader, channels, wanted, halves))
            channels = wanted
        layer = _FULLY_CONNECTED + _integer(DIMENSION) + _integer(channels)
        self.register_buffer("matrix", torch.tensor(reader.tensor(layer, channels, DIMENSION)))
        self.register_buffer("mean", torch.tensor(MEAN_RGB).reshape(1, 3, 1, 1))

    def forward(self, chips: torch.Tensor) -> torch.Tensor:
        """Descriptors, not of unit length, of upright faces.

        Args:
            chips: (n, 150, 150, 3) uint8, RGB.
        Returns:
            (n, 128) float32.
        """
        x = (chips.permute(0, 3, 1, 2).float() - self.mean) / SCALE
        x = functional.max_pool2d(torch.relu(self.stem(x)), 3, 2)
        for block in self.blocks:
            x = block(x)
        return x.mean(dim=(2, 3)) @ self.matrix


class _Block(torch.nn.Module):
    """Two convolutions beside a way past them; where the two differ in size, zeros fill up the smaller one."""

    def __init__(self, reader: "_Reader", channels: int, wanted: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = _convolution(reader, channels, wanted, 3, 2 if halves else 1)
        self.second = _convolution(reader, wanted, wanted, 3, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        past = functional.avg_pool2d(x, 2, 2) if self.halves else x
        through = self.second(torch.relu(self.first(x)))
        shape = [max(sizes) for sizes in zip(past.shape, through.shape, strict=True)]
        return torch.relu(_filled(past, shape) + _filled(through, shape))


def _filled(x: torch.Tensor, shape: list[int]) -> torch.Tensor:
    lacking = [(0, wanted - got) for wanted, got in zip(shape, x.shape, strict=True)]
    return functional.pad(x, [side for pair in reversed(lacking) for side in pair])


def _convolution(reader: "_Reader", channels: int, wanted: int, size: int, stride: int) -> torch.nn.Conv2d:
    """A convolution with the scale and shift that follow it folded in."""
    count = wanted * channels * size * size
    values = reader.tensor(_CONVOLUTION, count + wanted)
    gamma, beta = reader.tensor(_AFFINE, 2 * wanted).reshape(2, wanted)
    convolution = torch.nn.Conv2d(channels, wanted, size, stride, padding=size // 2 if stride == 1 else 0)
    filters = values[:count].reshape(wanted, channels, size, size)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(filters * gamma[:, None, None, None]))
        convolution.bias.copy_(torch.from_numpy(values[count:] * gamma + beta))
    return convolution


class _Reader:
    """Takes one layer's numbers after another out of a file written by dlib's `serialize`."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def tensor(self, layer: bytes, *shape: int) -> np.ndarray:
        """The numbers of the next layer that starts with these bytes and has this shape, float32."""
        dimensions = [*shape, *[1] * (4 - len(shape))]
        head = layer + b"".join(map(_integer, (_TENSOR_VERSION, *dimensions)))
        found, count = self._data.find(head, self._position), math.prod(shape)
        start = found + len(head)
        self._position = start + 4 * count
        if found < 0 or self._position > len(self._data):
            raise ArtefactError(f"not the weights of dlib's face recognition network: no {layer!r} of shape {shape}")
        return np.frombuffer(self._data, "<f4", count, start).reshape(shape)


def _integer(value: int) -> bytes:
    """A positive integer as dlib writes it: how many bytes, then those, lowest first."""
    size = (value.bit_length() + 7) // 8
    return bytes([size]) + value.to_bytes(size, "little")
