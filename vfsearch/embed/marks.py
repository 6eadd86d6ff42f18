"""How a media file is known again, so that only what is new or changed is embedded."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vfsearch.data.manifest import Item
from vfsearch.errors import SettingsError
from vfsearch.files import canonical_json

CHANGED_BY = ("size", "time", "digest")
KEY_BYTES = 16
_MISSING = -1

Mark = int | str
"""What a file looks like from outside: the same mark, the same file."""


def require_changed_by(changed_by: str) -> str:
    """One of the three ways.

    Raises:
        SettingsError: another word.
    """
    if changed_by not in CHANGED_BY:
        raise SettingsError(f"changed_by is {changed_by!r}, wanted one of {', '.join(CHANGED_BY)}")
    return changed_by


def file_mark(path: str | Path, changed_by: str = "size") -> Mark:
    """What tells a media file from one that was there before.

    Args:
        path: of the file.
        changed_by: "size" compares sizes; "time" also the time of the last change; "digest" reads the file.
    Returns:
        Bytes; or a text that has more; -1 where there is no file.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return _MISSING
    if changed_by == "time":
        return f"{status.st_size} bytes at {status.st_mtime_ns} ns"
    if changed_by == "digest":
        return f"{status.st_size} bytes of {_sha256(path)}"
    return status.st_size


def changed_ns(folder: Path, item: Item) -> int:
    """When an item's file was changed last, in ns since 1970; 0 where there is none."""
    try:
        return os.stat(os.path.join(folder, item.path)).st_mtime_ns
    except (OSError, ValueError):
        return 0


def _sha256(path: str | Path) -> str:
    try:
        # A pipe would wait for a writer for ever.
        if not os.path.isfile(path):
            return "no regular file"
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {error.strerror}"


def file_marks(folder: Path, items: Sequence[Item], changed_by: str = "size") -> list[Mark]:
    """The marks of the items' files.

    Args:
        folder: what relative paths are relative to.
    """
    base = os.fspath(folder)
    return [file_mark(os.path.join(base, item.path), changed_by) for item in items]


def item_keys(items: Sequence[Item], marks: Sequence[Mark], precision: str = "fp32") -> np.ndarray:
    """(n, 16) uint8: a digest of all that decides an item's vector, beside its encoder.

    Equal keys: the same id, file, part of the file, mark of the file and precision.
    """
    computed = [] if precision == "fp32" else [precision]
    known = (
        canonical_json([item.id, item.path, item.start_seconds, item.end_seconds, mark, *computed])
        for item, mark in zip(items, marks, strict=True)
    )
    digests = [hashlib.blake2b(each, digest_size=KEY_BYTES).digest() for each in known]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(len(items), KEY_BYTES)
