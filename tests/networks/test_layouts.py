import pytest
import torch
from released import small_network, small_networks, wen2021_file

from vfsearch.errors import InputError
from vfsearch.networks.layouts import ENTRIES, IR, SPEAKER, WEN2021, bare_names, recognise, state_dict_in

TENSORS = {"a": torch.zeros(2), "b": torch.ones(1)}


@pytest.mark.parametrize("entry", ["", *ENTRIES])
def test_tensors_are_found_at_the_top_or_in_an_entry(entry):
    content = {**TENSORS, "epoch": 3} if not entry else {"epoch": 3, entry: TENSORS, "optimiser": {"c": torch.zeros(1)}}
    tensors, found = state_dict_in(content)
    assert found == entry and list(tensors) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1, 2], "no tensors but list"),
        ({}, "no tensors but nothing"),
        ({"epoch": 3, "args": {}}, "no tensors but 'epoch', 'args'; wanted names with tensors, or an entry state_dict"),
        ({"a": torch.zeros(2).to_sparse()}, "no tensors"),
        ({"a": torch.zeros(2, dtype=torch.complex64)}, "no tensors"),
        ({"a": torch.zeros(2, device="meta")}, "no tensors"),
    ],
)
def test_files_without_tensors(content, said):
    with pytest.raises(InputError, match=said):
        state_dict_in(content)


def test_what_wrappers_put_before_names():
    names = bare_names(["module.__S__.fc.bias", "__S__.fc.weight", "module.attention", "__L__.W", "conv1.weight"])
    assert list(names) == ["fc.bias", "fc.weight", "attention", "__L__.W", "conv1.weight"]
    assert names["fc.bias"] == "module.__S__.fc.bias"


def test_a_name_with_and_without_a_prefix():
    with pytest.raises(InputError, match=r"1 tensors are there with a prefix and without one, for example fc.bias"):
        bare_names(["fc.bias", "module.fc.bias", "fc.weight"])


def test_each_layout_is_recognised():
    files = [
        (WEN2021, wen2021_file(small_networks())),
        (IR, small_network("ir50", {"widths": [4], "depths": [1], "pixels": 4}).state_dict()),
        (SPEAKER, small_network("thin-resnet34", {"widths": [8], "depths": [1]}).state_dict()),
    ]
    for layout, tensors in files:
        assert recognise({name: name for name in tensors}) is layout
        for name in tensors:
            if layout.our_name(name) is not None:
                assert layout.file_name(layout.our_name(name)) == name


def test_an_unknown_layout_names_the_known_ones():
    with pytest.raises(InputError, match=r"its 2 tensors begin with encoder.0, encoder.1; known layouts: wen2021: .*"):
        recognise({"encoder.0": "encoder.0", "encoder.1": "encoder.1"})
