import subprocess
import sys

import pytest

from vfsearch.devices import resolve_device, set_threads
from vfsearch.errors import SettingsError
from vfsearch.timing import Phases, machine, peak_memory_bytes


def test_phases_add_up_also_when_they_fail():
    phases = Phases()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), phases("a"), phases("b"):
            _ = 1 / 0
    assert list(phases.seconds) == ["b", "a"] and phases.seconds["a"] >= phases.seconds["b"] > 0


def test_peak_memory_is_in_bytes():
    before = peak_memory_bytes()
    assert 10 * 2**20 < before < 2**40
    assert len(bytes(200 * 2**20)) and peak_memory_bytes() >= before


def test_machine():
    found = machine()
    assert set(found) == {"processor", "cores", "system", "python"} and found["cores"] >= 1 and found["processor"]


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:99", "CPU", ""])
def test_no_such_device(name):
    if name == "cuda:":
        pytest.skip("means cuda")
    with pytest.raises(SettingsError, match="the device"):
        resolve_device(name)


def test_devices():
    assert resolve_device("cpu") == "cpu" and resolve_device("auto") in ("cpu", "cuda")
    with pytest.raises(SettingsError, match="threads is 0, it must be at least 1"):
        set_threads(0)
    set_threads(None)


@pytest.mark.parametrize("first", ["", "import torch", "import scipy.linalg, h5py, soxr, soundfile"])
def test_threads_are_set_before_and_after_torch_is_loaded(first):
    program = f"""
{first}
import sys
from vfsearch.devices import resolve_device, set_threads
loaded = "torch" in sys.modules
set_threads(1)
resolve_device("cpu")
assert ("torch" in sys.modules) == loaded
import torch
print(torch.get_num_threads())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
