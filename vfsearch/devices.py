"""Which processor computes, and with how many threads: decided here and nowhere else."""

import os
import sys

from vfsearch.errors import SettingsError


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def resolve_device(name: str) -> str:
    """The device that "auto", "cpu", "cuda" or "cuda:N" means here.

    Raises:
        SettingsError: no such device here.
    """
    if name == "cpu":
        return "cpu"
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if kind != "cuda" or not (number.isdigit() or not number):
        raise SettingsError(f"the device is {name!r}, it must be auto, cpu, cuda or cuda:N")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        raise SettingsError(f"the device {name} is not here: torch sees {count} CUDA devices; use --device cpu or auto")
    return name


def set_threads(count: int | None) -> None:
    """Set how many threads torch computes with (before it is loaded: at most one a core); None leaves it to torch.

    Raises:
        SettingsError: fewer than one.
    """
    if count is None:
        return
    if count < 1:
        raise SettingsError(f"threads is {count}, it must be at least 1")
    # torch reads the variable when it is loaded; a command that needs no torch must not pay for loading it here.
    os.environ["OMP_NUM_THREADS"] = str(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


def resolve_precision(name: str, device: str) -> str:
    """What the precision "auto", "fp32" or "bf16" means on a device: auto is bf16 on a GPU that computes in it."""
    if name != "auto":
        return name
    if device == "cpu":
        return "fp32"
    import torch

    return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
