import json
from pathlib import Path

import pytest
from released import small_network

from vfsearch.errors import InputError
from vfsearch.networks.shapes import ir_network, thin_network

RELEASED = Path(__file__).parents[3] / "shared/reference/wen2021_state_dict.json"


def shapes(name: str, settings: dict) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in small_network(name, settings).state_dict().items()}


@pytest.mark.skipif(not RELEASED.exists(), reason="no reference beside the repository")
def test_the_released_shapes_are_the_published_networks():
    listed = json.loads(RELEASED.read_text())
    parts = {
        prefix: {name[len(prefix) :]: tuple(shape) for name, (shape, _) in listed.items() if name.startswith(prefix)}
        for prefix in ("F.model.", "V.model.")
    }
    assert ir_network(parts["F.model."]) == (
        "ir50",
        {"depths": [3, 4, 14, 3], "widths": [64, 128, 256, 512], "pixels": 112, "dimension": 512},
    )
    assert thin_network(parts["V.model."]) == (
        "thin-resnet34",
        {"widths": [16, 32, 64, 128], "depths": [3, 4, 6, 3], "dimension": 512},
    )


@pytest.mark.parametrize("name", ["ir50", "ir_se50"])
@pytest.mark.parametrize(
    "settings",
    [
        {"depths": [1], "widths": [16], "pixels": 2, "dimension": 3},
        {"depths": [2, 1, 3], "widths": [16, 48, 32], "pixels": 24, "dimension": 7},
        {"depths": [1, 2, 1, 1], "widths": [16, 32, 64, 16], "pixels": 112, "dimension": 9},
    ],
)
def test_a_face_network_is_read_off_its_shapes(name, settings):
    assert ir_network(shapes(name, settings)) == (name, settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"widths": [8], "depths": [1], "dimension": 3},
        {"widths": [8, 8, 16], "depths": [2, 1, 3], "dimension": 7},
        {"widths": [8, 16, 8, 24], "depths": [1, 2, 1, 1], "dimension": 9},
    ],
)
def test_a_voice_network_is_read_off_its_shapes(settings):
    assert thin_network(shapes("thin-resnet34", settings)) == ("thin-resnet34", settings)


def test_missing_tensors_do_not_change_what_is_read():
    settings = {"depths": [1, 3], "widths": [8, 16], "pixels": 8, "dimension": 7}
    found = shapes("ir50", settings)
    for gone in ("body.2.res_layer.3.weight", "body.1.res_layer.1.weight", "input_layer.0.weight"):
        assert ir_network({name: shape for name, shape in found.items() if name != gone}) == ("ir50", settings)


def test_a_linear_layer_over_no_square():
    found = {**shapes("ir50", {"depths": [1], "widths": [8], "pixels": 4}), "output_layer.3.weight": (512, 8 * 3)}
    with pytest.raises(InputError, match=r"output_layer.3.weight takes 24 values, wanted 8 .* times a square number"):
        ir_network(found)
