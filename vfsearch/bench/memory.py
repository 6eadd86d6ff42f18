"""By how much memory rises while something is done.

On Linux the kernel keeps the greatest resident memory of a process, and can be told to begin anew; on a GPU torch keeps
that of its own allocations. Nothing is sampled, so no short peak is missed. What was resident before, such as rows and
indices that are already there, does not count, and neither does memory that a library got by other means on a GPU.
"""

import contextlib
import ctypes
import math
from collections.abc import Callable
from pathlib import Path

import torch

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
NOTE = "peak memory: the most by which the process's resident memory rose during one run, results included"
NOTE_CUDA = "peak memory: the most by which torch's memory on the device rose during one run, results included"


def rise(work: Callable[[], object], device: str = "cpu") -> tuple[object, float]:
    """Do some work; what it gives, and the bytes by which memory rose at most.

    Args:
        work: what is done.
        device: "cpu": resident memory of the process; else torch's memory on that device.
    Returns:
        The result; the bytes, NaN where the system does not tell.
    """
    if device != "cpu":
        return _on_device(work, device)
    _give_back()
    try:
        _CLEAR.write_text("5", encoding="ascii")
        before = _kilobytes("VmRSS")
    except (OSError, ValueError):
        return work(), math.nan
    result = work()
    return result, max(0, _kilobytes("VmHWM") - before) * 1024.0


def _on_device(work: Callable[[], object], device: str) -> tuple[object, float]:
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    result = work()
    torch.cuda.synchronize(device)
    return result, float(torch.cuda.max_memory_allocated(device) - before)


def _give_back() -> None:
    """What malloc keeps for later would be used again unseen."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _kilobytes(name: str) -> int:
    for line in _STATUS.read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise ValueError(f"{_STATUS} does not say {name}")
