"""What memory a piece of work leaves behind: of the process's own, and of files that it has mapped."""

import contextlib
import ctypes
import math
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, kw_only=True)
class Resident:
    """Bytes in memory.

    Args:
        own: that only this process can give back; NaN where the system does not tell.
        mapped: of files, which the system drops when it wants memory for something else; NaN likewise.
    """

    own: float
    mapped: float

    def __sub__(self, before: "Resident") -> "Resident":
        return Resident(own=max(0.0, self.own - before.own), mapped=max(0.0, self.mapped - before.mapped))


def resident() -> Resident:
    """What is in memory now, less what the allocator keeps for later."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        lines = dict(line.split(":", 1) for line in _STATUS.read_text(encoding="ascii").splitlines() if ":" in line)
        own, files = (int(lines[name].split()[0]) * 1024.0 for name in ("RssAnon", "RssFile"))
    except (OSError, KeyError, ValueError):
        return Resident(own=math.nan, mapped=math.nan)
    return Resident(own=own, mapped=files)
