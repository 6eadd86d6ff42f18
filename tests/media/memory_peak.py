"""The most memory that this process has had."""

import re
import resource
from pathlib import Path


def peak_bytes() -> int:
    """Peak of resident memory; getrusage would give that of the process that started this one, if it is more."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return 1024 * int(re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)[1])
