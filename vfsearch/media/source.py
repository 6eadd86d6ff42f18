"""What every reader checks before it opens a file: opening a pipe would wait for ever."""

import os
import stat
from pathlib import Path

from vfsearch.errors import MediaError


def require_regular_file(path: Path) -> int:
    """The size in bytes of a file that can be read.

    The message is the reason alone: who lists the failures puts the path beside it.

    Raises:
        MediaError: missing, a directory, a pipe or a device, not permitted, empty.
    """
    try:
        status = Path(path).stat()
    except FileNotFoundError as error:
        raise MediaError("no such file") from error
    except (OSError, ValueError) as error:
        raise MediaError(f"cannot be opened: {getattr(error, 'strerror', None) or error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise MediaError("is a directory, not a file")
    if not stat.S_ISREG(status.st_mode):
        raise MediaError("is a pipe, a socket or a device, not a regular file")
    if not os.access(path, os.R_OK):
        raise MediaError("cannot be opened: Permission denied")
    if status.st_size == 0:
        raise MediaError("is empty (0 bytes)")
    return status.st_size
