"""Folders of stores that are no folders of a file system: object stores and what else fsspec reaches by a URL.

They have no flock, no fsync and no rename that is free of a copy; `vfsearch.files` calls these functions for them.
"""

import contextlib
import hashlib
import json
import os
import secrets
import socket
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vfsearch.errors import LockedError, MissingExtraError, VfsearchError

URL = "://"
SPOOLED_BYTES = 2**26
LEASE_SECONDS = 60.0
"""A lock that was not renewed for so long is of a process that died; clocks of machines must agree to that."""
RENEWED_SECONDS = 15.0


def place(text: str) -> Any:
    """A folder by its path or URL.

    Returns:
        pathlib.Path, or upath.UPath, which has the same methods, for anything with "://".
    Raises:
        MissingExtraError: it is a URL, and what reads it is not installed.
        VfsearchError: nothing is known of its scheme, or what it names does not answer.
    """
    if URL not in text:
        return Path(text)
    try:
        found = _reached(text)
        # Asked here, so that a wrong address or missing credentials are said before anything is done.
        with contextlib.suppress(FileNotFoundError):
            found.fs.info(found.path)
    except ImportError as error:
        wanted = "pip install 'vfsearch[url]'" if "upath" in str(error) else str(error)
        raise MissingExtraError(f"{text} is a URL, and what reads it is not installed: {wanted}") from error
    except ValueError as error:
        raise VfsearchError(f"{text} cannot be used as a folder: {error}") from error
    except Exception as error:
        # Each kind of storage has errors of its own.
        said = str(error) or type(error).__name__
        raise VfsearchError(f"{text} cannot be reached: {said}; are address and credentials right?") from error
    return found


def _reached(text: str) -> Any:
    from upath import UPath

    try:
        # Other machines write into these folders: a list of names that was kept would miss what they wrote.
        found = UPath(text, use_listings_cache=False)
        _ = found.fs
    except TypeError:
        # A few kinds, which keep no such lists, know no such setting.
        found = UPath(text)
        _ = found.fs
    return found


def raised_by_storage(error: BaseException) -> bool:
    """Whether an error came out of what reaches URLs: a network that is away, a right that was taken."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").startswith("fsspec.") for frame in frames)


def make_remote_folder(path: Any) -> None:
    """Make a folder where there are such; object stores have none, and a bucket must be there already."""
    # Asked for a folder, some would make a bucket of a name that was mistyped.
    if not path.drive:
        path.mkdir(parents=True, exist_ok=True)


def is_remote(path: Any) -> bool:
    """Whether a path is one of `place` that is no path of a file system."""
    return not isinstance(path, Path)


def write_whole(path: Any, fill: Callable[[Callable[[bytes], object]], object]) -> dict:
    """Write an object under another name, then give it its own, so that a reader never sees a part.

    Returns:
        {"size": bytes, "sha256": hexadecimal}.
    """
    size, sha256 = 0, hashlib.sha256()
    with tempfile.SpooledTemporaryFile(SPOOLED_BYTES) as spool:

        def write(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            sha256.update(piece)
            spool.write(piece)

        fill(write)
        spool.seek(0)
        temporary = path.with_name(f".vfsearch.{secrets.token_hex(4)}.partial")
        try:
            with temporary.fs.open(temporary.path, "wb") as file:
                while piece := spool.read(2**22):
                    file.write(piece)
            move(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
    return {"size": size, "sha256": sha256.hexdigest()}


def move(source: Any, path: Any) -> None:
    """Rename an object."""
    path.fs.mv(source.path, path.path)


@contextlib.contextmanager
def lease(path: Any) -> Iterator[None]:
    """Hold a lock that is an object: it is renewed while the block runs, and gone afterwards.

    Args:
        path: of the lock.
    Raises:
        LockedError: somebody else renewed it less than a minute ago; or took it over, because it was not renewed.
    """
    mine = f"process {os.getpid()} on {socket.gethostname()} {secrets.token_hex(8)}"
    holder = _holder(path)
    if holder is not None and time.time() - holder[1] < LEASE_SECONDS:
        raise LockedError(
            f"{path.parent} is being written by {holder[0].rpartition(' ')[0]}; wait for it to end, or stop it: "
            f"{LEASE_SECONDS:.0f} s after it was stopped the folder is free"
        )
    _renew(path, mine)
    # Of two that came at the same time, the last one to write has it.
    time.sleep(0.2)
    now = _holder(path)
    if now is None or now[0] != mine:
        raise LockedError(f"{path.parent} is being written by another process, which came at the same time")
    over, taken = threading.Event(), threading.Event()
    renewing = threading.Thread(target=_renewed, args=(path, mine, over, taken), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        over.set()
        renewing.join()
        if not taken.is_set():
            with contextlib.suppress(OSError):
                path.unlink()
    if taken.is_set():
        raise LockedError(
            f"{path.parent} was taken over by another process, because this one could not renew its lock for "
            f"{LEASE_SECONDS:.0f} s: what it wrote meanwhile may be gone, so run the command again"
        )


def _renewed(path: Any, mine: str, over: threading.Event, taken: threading.Event) -> None:
    """Renew a lock until the work is over, or somebody else has it."""
    while not over.wait(RENEWED_SECONDS):
        # A network that is away for a moment must not end the work; each kind of storage has errors of its own.
        with contextlib.suppress(Exception):
            now = _holder(path)
            if now is not None and now[0] != mine:
                taken.set()
                return
            _renew(path, mine)


def _renew(path: Any, mine: str) -> None:
    data = json.dumps([mine, time.time()]).encode()
    write_whole(path, lambda write: write(data))


def _holder(path: Any) -> tuple[str, float] | None:
    try:
        name, renewed = json.loads(path.read_bytes())
        return str(name), float(renewed)
    except (FileNotFoundError, ValueError):
        return None
