"""The one module that writes: whole files or none, private to their owner, one writer at a time."""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from vfsearch.errors import InputError, LockedError, VfsearchError
from vfsearch.remote_files import is_remote, lease, make_remote_folder, move, write_whole

TEMPORARY_PREFIX, TEMPORARY_SUFFIX = ".vfsearch.", ".partial"
LOCK_NAME = "LOCK"


def make_folder(path: Path) -> Path:
    """Make a folder, and those above it that are missing, for their owner alone; an existing one keeps its mode.

    Raises:
        VfsearchError: a file is in the way, or the file system refuses.
    """
    try:
        if is_remote(path):
            make_remote_folder(path)
            return path
        # mkdir(parents=True) would give the folders above the usual mode, open to others.
        for folder in [*reversed(path.parents), path]:
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise VfsearchError(f"cannot make the folder {path}: {_why(error)}") from error
    return path


def write_file(path: Path, data: bytes) -> None:
    """Write `data` under a temporary name beside `path`, flush it to the disk, then rename it into place.

    A reader sees the old file or the new one, never a part. The new file has mode 0600.

    Raises:
        VfsearchError: the disk is full, the folder is not writable, ...; `path` is as it was before (or, where only
            its folder could not be flushed, whole and new).
    """
    write_pieces(path, (data,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> dict:
    """Write a file as `write_file` does, piece by piece, so that it need not fit in memory.

    Args:
        path: of the file.
        pieces: its content in order; an error that they raise leaves `path` as it was.
    Returns:
        {"size": bytes, "sha256": hexadecimal} of what was written.
    Raises:
        VfsearchError: as `write_file`.
    """

    def fill(write: Callable[[bytes], object]) -> None:
        for piece in pieces:
            write(piece)

    return write_streamed(path, fill)


def write_cached(path: Path, data: bytes) -> None:
    """Write a small file that can be made anew: whole or not at all, but not flushed, which thousands could not afford.

    Raises:
        VfsearchError: the folder cannot be written to or the disk is full; `path` is as it was before.
    """
    temporary = temporary_beside(path)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_streamed(path: Path, fill: Callable[[Callable[[bytes], object]], object]) -> dict:
    """Write a file as `write_file` does, for writers that want something to write to.

    Args:
        path: of the file.
        fill: is given a function that writes bytes at the end; an error that it raises leaves `path` as it was.
    Returns:
        {"size": bytes, "sha256": hexadecimal} of what was written.
    Raises:
        VfsearchError: as `write_file`.
    """
    if is_remote(path):
        try:
            return write_whole(path, fill)
        except OSError as error:
            raise _cannot_write(path, error) from error
    temporary = temporary_beside(path)
    with _put_in_place(temporary, path):
        return _write_whole(temporary, fill)


def temporary_beside(path: Path) -> Path:
    """A name in the folder of `path` that nothing has, for libraries that write files themselves; see `adopt_file`."""
    # The temporary name says nothing of the real one: programs that look for names (TensorBoard) must pass it over.
    return path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")


def adopt_file(temporary: Path, path: Path) -> dict:
    """Give a file that a library wrote under a temporary name its mode, flush it, and rename it into place.

    Args:
        temporary: from `temporary_beside`; it is gone afterwards.
        path: its final name.
    Returns:
        {"size": bytes, "sha256": hexadecimal} of the file.
    Raises:
        VfsearchError: as `write_file`.
    """
    with _put_in_place(temporary, path):
        return _flushed(temporary)


def write_with(path: Path, write: Callable[[Path], object]) -> dict:
    """Write a file as `write_file` does, by a library that wants a path.

    Args:
        path: of the file.
        write: is given the path to write to; an error that it raises leaves `path` as it was.
    Returns:
        {"size": bytes, "sha256": hexadecimal} of what was written.
    Raises:
        VfsearchError: as `write_file`.
    """
    temporary = temporary_beside(path)
    with _put_in_place(temporary, path):
        write(temporary)
        return _flushed(temporary)


def move_file(source: Path, path: Path) -> None:
    """Rename a file that was flushed before; both names are on one file system.

    Raises:
        VfsearchError: the file system refuses.
    """
    try:
        if is_remote(path):
            move(source, path)
            return
        source.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error


@contextlib.contextmanager
def _put_in_place(temporary: Path, path: Path) -> Iterator[None]:
    """Rename `temporary` once the enclosed block has filled it; it is gone however the block ends."""
    try:
        yield
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _cannot_write(path: Path, error: OSError) -> VfsearchError:
    hint = "; free some space and run it again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return VfsearchError(f"cannot write {path}: {_why(error)}{hint}")


def _why(error: OSError) -> str:
    """What a system says; libraries of object stores have words of their own."""
    return error.strerror or str(error) or type(error).__name__


def _flushed(path: Path) -> dict:
    path.chmod(0o600)
    with path.open("rb") as file:
        os.fsync(file.fileno())
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return {"size": os.fstat(file.fileno()).st_size, "sha256": found}


def _write_whole(path: Path, fill: Callable[[Callable[[bytes], object]], object]) -> dict:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    size, sha256_ = 0, hashlib.sha256()

    def write(piece: bytes) -> None:
        nonlocal size
        left = memoryview(piece)
        size += len(left)
        sha256_.update(left)
        while left:
            left = left[os.write(descriptor, left) :]

    try:
        fill(write)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return {"size": size, "sha256": sha256_.hexdigest()}


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_file(path: Path) -> None:
    """Remove a file if it is there.

    Raises:
        VfsearchError: the file system refuses.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise VfsearchError(f"cannot remove {path}: {_why(error)}") from error


def remove_temporaries(folder: Path) -> None:
    """Remove what a killed writer left behind; call it while holding the folder's lock."""
    for path in folder.glob(f"{TEMPORARY_PREFIX}{'[0-9a-f]' * 8}{TEMPORARY_SUFFIX}"):
        remove_file(path)


def is_there(path: Path) -> bool:
    """Whether a name exists.

    Raises:
        InputError: the file system does not say.
    """
    try:
        return path.exists()
    except OSError as error:
        raise InputError(f"cannot look for {path}: {_why(error)}") from error


def read_file(path: Path, what: str) -> bytes:
    """The bytes of a file.

    Args:
        path: the file.
        what: what the file is, for the message.
    Raises:
        InputError: missing or unreadable.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the {what} {path}: {_why(error)}") from error


def sha256(data: bytes) -> str:
    """Hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def canonical_json(value: object) -> bytes:
    """The one spelling of a JSON value that digests are taken of: sorted keys, no blanks, UTF-8.

    Example:
        >>> canonical_json({"b": 1, "a": "é"})
        b'{"a":"\\xc3\\xa9","b":1}'
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def digest(value: object) -> str:
    """Hexadecimal SHA-256 of a JSON value in its canonical spelling."""
    return sha256(canonical_json(value))


@contextlib.contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Hold the only right to write in `folder`; the system frees it when the process ends, however it ends.

    Where there is no such system, in object stores, it is free a minute later (`vfsearch.remote_files.lease`).

    Raises:
        LockedError: another process holds it; the message says which.
        VfsearchError: the file system refuses.
    """
    make_folder(folder)
    path = folder / LOCK_NAME
    with contextlib.ExitStack() as stack:
        if is_remote(folder):
            try:
                stack.enter_context(lease(path))
            except OSError as error:
                raise VfsearchError(f"cannot lock {path}: {_why(error)}") from error
            yield
            return
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, descriptor)
            _take(descriptor, folder)
        except OSError as error:
            raise VfsearchError(f"cannot lock {path}: {error.strerror}") from error
        # Two runs of the same work leave the same bytes, this file's included.
        stack.callback(os.ftruncate, descriptor, 0)
        yield


def _take(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
        raise LockedError(f"{folder} is being written by {holder}; wait for it to end, or stop it") from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
