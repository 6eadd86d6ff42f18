"""Seconds by phase, peak memory, and what machine it was."""

import contextlib
import platform
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from vfsearch.devices import cores


class Phases:
    """Seconds spent in each named phase of a piece of work.

    Example:
        >>> phases = Phases()
        >>> with phases("decode"):
        ...     pass
        >>> list(phases.seconds)
        ['decode']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Add the time of the enclosed block to a phase."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def peak_memory_bytes() -> int:
    """The greatest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine() -> dict:
    """What a timing needs beside it to mean anything: processor, cores, system, Python."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
