"""A network made ready to compute in 16 bits."""

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from vfsearch.networks.thin_resnet import ThinUnit


def reduced(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy whose convolutions and linear layers are held in another type, for torch's autocast.

    Autocast would convert the weights again in every call. Batch normalisations right behind a convolution are made one
    with it; the others, and the front end, stay as they are.

    Args:
        network: in evaluation mode; it is not changed.
        dtype: torch.bfloat16 or torch.float16.
    """
    made = copy.deepcopy(network)
    for module in made.modules():
        if isinstance(module, nn.Sequential):
            _fold(module)
        elif isinstance(module, ThinUnit):
            module.conv2, module.bn2 = fuse_conv_bn_eval(module.conv2, module.bn2), nn.Identity()
    for module in made.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.to(dtype)
    return made


def _fold(layers: nn.Sequential) -> None:
    for place in range(len(layers) - 1):
        convolution, norm = layers[place], layers[place + 1]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            layers[place], layers[place + 1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
