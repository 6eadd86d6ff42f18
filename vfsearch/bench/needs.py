"""Whether a benchmark fits the memory: found out before anything is built."""

import contextlib
import os
from pathlib import Path

from vfsearch.bench.settings import KernelBench, Task
from vfsearch.errors import DoesNotFitError

KERNEL_BYTES = 2**30
"""What a kernel may use beside inputs and results, and no other way uses more of."""
BYTES = {"float32": 4, "float16": 2, "bf16": 2}


def bytes_needed(task: Task, settings: KernelBench) -> int:
    """About the most that a task takes: rows, every way's own copy of them, its work, and all results."""
    n, q, d = task.rows, task.probes, settings.dimension
    # As float32, as they are held, in the index of faiss, in what scikit-learn scales, and packed in 8 and in 16 bits.
    copies = 4 * d + (0 if settings.dtype == "float32" else BYTES[settings.dtype] * d) + 8 * d + (3 * d + 16)
    answers = {"topk": 16 * task.k, "single": 0, "ranks": 5 * 8 * settings.mates, "pairs": 0}[task.kernel]
    pairs = 5 * 8 * settings.pairs if task.kernel == "pairs" else 0
    work = min(KERNEL_BYTES, 16 * n * q + 64 * n * d)
    return n * copies + q * 8 * d + 6 * q * answers + pairs + work


def require_room(tasks: list[Task], settings: KernelBench) -> None:
    """Refuse sizes that do not fit.

    Raises:
        DoesNotFitError: naming the largest task, what it takes and what there is.
    """
    largest = max(tasks, key=lambda task: bytes_needed(task, settings))
    needed, free = bytes_needed(largest, settings), settings.max_memory or free_memory()
    if needed > free:
        limit = "is the most that --max-memory allows" if settings.max_memory else "are free here"
        raise DoesNotFitError(
            f"{largest.name} of dimension {settings.dimension} takes about {needed / 2**20:,.0f} MiB, but "
            f"{free / 2**20:,.0f} MiB {limit}: ask for fewer rows or probes"
        )


def free_memory() -> int:
    """Bytes that this process could take without the machine beginning to swap."""
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        return min(free, _free_of_group())
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_of_group() -> int:
    """What a container's limit leaves."""
    with contextlib.suppress(OSError, ValueError):
        most, used = (int(Path(f"/sys/fs/cgroup/memory.{each}").read_text("ascii")) for each in ("max", "current"))
        return most - used
    return 2**62
