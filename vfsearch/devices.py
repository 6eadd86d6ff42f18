"""Which processor computes, and with how many threads: decided here and nowhere else."""

import contextlib
import os
import sys

from vfsearch.errors import SettingsError


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


ALL_GPUS = "cuda:all"


def resolve_device(name: str, several: bool = False) -> str:
    """The device that "auto", "cpu", "cuda", "cuda:N" or "cuda:all" means here.

    Args:
        name: of the device.
        several: the work can be shared among all GPUs.
    Raises:
        SettingsError: no such device here.
    """
    if name == "cpu":
        return "cpu"
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == ALL_GPUS and not several:
        raise SettingsError(f"{ALL_GPUS} is for searching; this work runs on one device: use cuda or cuda:N")
    kind, _, number = name.partition(":")
    if name != ALL_GPUS and (kind != "cuda" or not (number.isdigit() or not number)):
        wanted = f"auto, cpu, cuda{f', cuda:N or {ALL_GPUS}' if several else ' or cuda:N'}"
        raise SettingsError(f"the device is {name!r}, it must be {wanted}")
    if not count or (number.isdigit() and int(number) >= count):
        raise SettingsError(f"the device {name} is not here: torch sees {count} CUDA devices; use --device cpu or auto")
    return name


def one_device(name: str) -> str:
    """A device for work that is not shared among all GPUs: the first of them."""
    return "cuda" if name == ALL_GPUS else name


def threads() -> int:
    """How many threads compute: what `set_threads` or OMP_NUM_THREADS says, else one a core."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(asked) if asked.isdigit() and int(asked) > 0 else cores()


def keep_freed_memory() -> None:
    """Let glibc keep the memory of large arrays for the next ones, up to 256 MiB, where there is glibc.

    It would give each back and fault it in again: a twentieth of a network's time on a CPU.
    """
    import ctypes

    trim_threshold, mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, 2**28)
        library.mallopt(mmap_threshold, 2**25)


def set_threads(count: int | None) -> None:
    """Set how many threads compute: our kernels, and torch and faiss, loaded or not; None leaves it as it is.

    Each of the two brings an OpenMP runtime of its own, which reads OMP_NUM_THREADS when it is loaded (torch takes at
    most one thread a core then). Our kernels use threads of Python and start none of theirs.

    Raises:
        SettingsError: fewer than one.
    """
    if count is None:
        return
    if count < 1:
        raise SettingsError(f"threads is {count}, it must be at least 1")
    # A command that needs no torch must not pay for loading it here.
    # Of the two, torch with MKL obeys the second.
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)
    if "faiss" in sys.modules:
        sys.modules["faiss"].omp_set_num_threads(count)


def resolve_precision(name: str, device: str) -> str:
    """What the precision "auto", "fp32" or "bf16" means on a device: auto is bf16 on a GPU that computes in it."""
    if name != "auto":
        return name
    if device == "cpu":
        return "fp32"
    import torch

    return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
