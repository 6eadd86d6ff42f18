"""Messages through a pipe: length, a JSON header, then raw bytes. Nothing is ever unpickled."""

import json
import os
import select
import struct
import time

_PREFIX = struct.Struct("<IQ")
_LARGEST_HEADER_BYTES = 2**24


def send(descriptor: int, header: dict, payload: bytes | memoryview = b"") -> None:
    """Write one message.

    Raises:
        BrokenPipeError: nobody reads it.
    """
    text = json.dumps(header).encode()
    for part in (_PREFIX.pack(len(text), len(payload)) + text, payload):
        left = memoryview(part)
        while left:
            left = left[os.write(descriptor, left) :]


def receive(descriptor: int, within_seconds: float | None = None) -> tuple[dict, bytearray]:
    """Read one message.

    Args:
        descriptor: the reading end of a pipe.
        within_seconds: how long the whole message may take; None: for ever.
    Returns:
        The header and the bytes after it.
    Raises:
        EOFError: the other end was closed.
        TimeoutError: it took longer.
        ValueError: what came is not a message.
    """
    deadline = None if within_seconds is None else time.monotonic() + within_seconds
    header_bytes, payload_bytes = _PREFIX.unpack(_read(descriptor, _PREFIX.size, deadline))
    if header_bytes > _LARGEST_HEADER_BYTES:
        raise ValueError(f"a header of {header_bytes} bytes")
    header = json.loads(_read(descriptor, header_bytes, deadline))
    return header, _read(descriptor, payload_bytes, deadline)


def _read(descriptor: int, size: int, deadline: float | None) -> bytearray:
    data = bytearray(size)
    left = memoryview(data)
    while left:
        _wait(descriptor, deadline)
        count = os.readv(descriptor, [left])
        if not count:
            raise EOFError("the other end was closed")
        left = left[count:]
    return data


def _wait(descriptor: int, deadline: float | None) -> None:
    if deadline is None:
        return
    poll = select.poll()  # not select(): it refuses descriptors above 1023
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError("no answer in time")
