import argparse
import io
import os
import random

import numpy as np
import pytest
import safetensors.torch
import torch
from builders import rounds

from vfsearch.errors import InputError
from vfsearch.networks.checkpoint_file import load_checkpoint

TENSORS = {"a": torch.arange(60.0), "b": torch.tensor(3)}


def saved(content, **more) -> bytes:
    file = io.BytesIO()
    torch.save(content, file, **more)
    return file.getvalue()


FILES = {
    "torch": saved(TENSORS),
    "torch before 1.6": saved(TENSORS, _use_new_zipfile_serialization=False),
    "safetensors": safetensors.torch.save(TENSORS),
}


class Program:
    """Runs when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", FILES)
def test_tensors_come_back(kind):
    content = load_checkpoint(FILES[kind])
    assert list(content) == ["a", "b"] and all(torch.equal(content[name], TENSORS[name]) for name in TENSORS)


@pytest.mark.parametrize("new", [True, False])
def test_nothing_in_a_file_is_run(tmp_path, new):
    data = saved({"a": torch.zeros(2), "b": Program(tmp_path / "run")}, _use_new_zipfile_serialization=new)
    with pytest.raises(InputError, match=r"more than tensors \(posix.mkdir\).*it was not read.*save its state_dict"):
        load_checkpoint(data)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"args": argparse.Namespace(a=1), "state_dict": TENSORS}, "argparse.Namespace"),
        (torch.nn.Linear(2, 2), "Linear"),
        ({"a": np.zeros(3)}, "numpy"),
    ],
)
def test_what_would_have_to_be_run_is_named(content, said):
    with pytest.raises(InputError, match=rf"more than tensors \(.*{said}.*\)"):
        load_checkpoint(saved(content))


@pytest.mark.parametrize("data", [b"", b"some text", b"\x80\x02", b"PK\x03\x04 and no more", FILES["torch"][:-200]])
def test_other_files(data):
    with pytest.raises(InputError, match=r"neither a file of torch.save nor of safetensors, or a damaged one"):
        load_checkpoint(data)


def test_a_cut_safetensors_file():
    with pytest.raises(InputError, match=r"a safetensors file that cannot be read \(.*\); fetch it again"):
        load_checkpoint(FILES["safetensors"][:-9])


@pytest.mark.parametrize("kind", FILES)
def test_any_damage_is_an_error_of_ours_or_goes_unnoticed(kind):
    chance = random.Random(kind)
    for _ in range(rounds(60, 20_000)):
        data = bytearray(FILES[kind])
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            load_checkpoint(bytes(data))
        except InputError:
            pass
