"""Where kernels run: devices, what they can run, and how much memory may be taken there."""

import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec

import torch

FREE_SHARE = 0.8
MEMORY = 2**30
ALL = "cuda:all"


def devices_of(name: str) -> list[torch.device]:
    """The devices that a name means: "cuda:all" is every CUDA device there is."""
    if name == ALL:
        return [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return [torch.device(name)]


def runs_triton(device: torch.device) -> bool:
    """Whether Triton kernels can run on a device: tensor cores of Ampere or later, Triton and the compiler it needs.

    On a CPU they run in Triton's interpreter alone, which TRITON_INTERPRET=1 asks for.
    """
    if find_spec("triton") is None:
        return False
    if device.type == "cpu":
        return os.environ.get("TRITON_INTERPRET") == "1"
    # Triton builds the host's side of a kernel with a C compiler; slim containers have none.
    has_compiler = "CC" in os.environ or any(shutil.which(name) for name in ("cc", "gcc", "clang"))
    return has_compiler and torch.cuda.get_device_capability(device) >= (8, 0)


def working_on(device: torch.device) -> AbstractContextManager:
    """Make a device the current one of this thread: Triton starts kernels there, wherever their arguments are."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def multiprocessors(device: torch.device) -> int:
    """How many groups of cores work side by side."""
    return torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 1


def memory_of(device: torch.device, most: int | None) -> int:
    """Bytes that may be taken on a device: what is asked for, else 80 % of what is free."""
    if most is not None:
        return most
    if device.type == "cpu":
        return MEMORY
    free, _ = torch.cuda.mem_get_info(device)
    # What torch holds for reuse counts as free.
    held = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(FREE_SHARE * (free + held))
