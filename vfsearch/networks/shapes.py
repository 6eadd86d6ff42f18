"""The shape of a network, read off the shapes of its tensors.

What cannot be read because a tensor is missing is guessed: the comparison with the network's own list of tensors then
names what is missing.
"""

import math
import re
from collections.abc import Mapping

from vfsearch.errors import InputError

Shapes = Mapping[str, tuple[int, ...]]

# Tensors of a residual unit that have one row an output channel.
_IR_UNIT = ("res_layer.3.weight", "res_layer.4.weight", "res_layer.1.weight", "res_layer.2.weight")
_THIN_UNIT = ("conv1.weight", "conv2.weight", "bn1.weight", "bn2.weight")
_PIXELS = 112


def ir_network(shapes: Shapes) -> tuple[str, dict]:
    """Name and settings of a face network of the IR family.

    A stage begins where the number of channels changes, so that two neighbouring stages of the same width count as
    one.

    Args:
        shapes: name -> shape, under the names `input_layer.*`, `body.*`, `output_layer.*`.
    Raises:
        InputError: the last layer cannot follow a square of maps of the last width.
    """
    widths, depths = _ir_stages(shapes)
    squeeze = any(re.fullmatch(r"body\.\d+\.res_layer\.5\.fc[12]\.weight", name) for name in shapes)
    dimension, inputs = _two(shapes.get("output_layer.3.weight"), (512, 0))
    settings = {"depths": depths, "widths": widths, "pixels": _pixels(inputs, widths), "dimension": dimension}
    return "ir_se50" if squeeze else "ir50", settings


def _ir_stages(shapes: Shapes) -> tuple[list[int], list[int]]:
    """Widths and depths of the stages."""
    count = 1 + max((int(name.split(".")[1]) for name in shapes if re.match(r"body\.\d+\.", name)), default=-1)
    first = _rows(shapes, ["input_layer.0.weight", "input_layer.1.weight"], 64)
    widths, depths = [], []
    for number in range(count):
        width = _rows(shapes, [f"body.{number}.{name}" for name in _IR_UNIT], widths[-1] if widths else first)
        if not widths or width != widths[-1]:
            widths.append(width)
            depths.append(0)
        depths[-1] += 1
    return widths or [first], depths or [1]


def _pixels(inputs: int, widths: list[int]) -> int:
    """Height and width of the photo, from the columns of the linear layer: every stage halves them."""
    if not inputs:
        return _PIXELS
    left = math.isqrt(inputs // widths[-1])
    if left < 1 or left * left * widths[-1] != inputs:
        raise InputError(
            f"the tensor output_layer.3.weight takes {inputs} values, wanted {widths[-1]} (channels of the last unit) "
            "times a square number"
        )
    return left * 2 ** len(widths)


def thin_network(shapes: Shapes) -> tuple[str, dict]:
    """Name and settings of a voice network; `seconds` leaves no trace in the tensors.

    Args:
        shapes: name -> shape, under the names `conv1.*`, `layer1.*`, ..., `fc.*`.
    """
    found = [re.match(r"layer(\d+)\.(\d+)\.", name) for name in shapes]
    units = {(int(each[1]), int(each[2])) for each in found if each}
    widths, depths = [], []
    for stage in range(1, 1 + max((stage for stage, _ in units), default=1)):
        depth = 1 + max((unit for at, unit in units if at == stage), default=0)
        names = [f"layer{stage}.{unit}.{name}" for unit in range(depth) for name in _THIN_UNIT]
        widths.append(_rows(shapes, names, widths[-1] if widths else 16))
        depths.append(depth)
    dimension = _rows(shapes, ["fc.weight", "fc.bias"], 512)
    return "thin-resnet34", {"widths": widths, "depths": depths, "dimension": dimension}


def _rows(shapes: Shapes, names: list[str], otherwise: int) -> int:
    """The first number of the first of some shapes that is there."""
    return next((shapes[name][0] for name in names if shapes.get(name)), otherwise)


def _two(shape: tuple[int, ...] | None, otherwise: tuple[int, int]) -> tuple[int, int]:
    return shape if shape is not None and len(shape) == 2 else otherwise
