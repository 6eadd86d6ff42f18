"""Whether a container ends where its own headers say; decoders read a cut one as a shorter one, or as noise."""

import os
import struct
from typing import BinaryIO

from vfsearch.errors import MediaError

_MOST_BOXES = 200_000
_SEGMENT = b"\x18S\x80g"
_ADTS_HEADER_BYTES = 7


def require_whole_container(kind: str | None, file: BinaryIO) -> None:
    """Refuse a container of which a part is missing.

    Args:
        kind: see `container_format`; of an AVI file `require_whole` looks at the size.
        file: open for reading.
    Raises:
        MediaError: truncated; the message gives both sizes where they are known.
    """
    size = os.fstat(file.fileno()).st_size
    check = {"mov": _require_boxes, "matroska": _require_segment, "aac": _require_frames}.get(kind or "")
    if check:
        check(file, size)


def require_end(size: int, wanted: int) -> None:
    """Refuse a file that is shorter than its headers say.

    Raises:
        MediaError: truncated; the message gives both sizes.
    """
    if size < wanted:
        raise MediaError(f"truncated: {size:,} bytes of {wanted:,}")


def _require_boxes(file: BinaryIO, size: int) -> None:
    names, position = set(), 0
    for _ in range(_MOST_BOXES):
        if position + 8 > size:
            break
        name, length = _box(file, position, size)
        if b"moov" in names and not _is_name(name):
            break  # what some cameras and tag writers put after the last box
        names.add(name)
        position += length
        require_end(size, position)
    if b"moov" not in names:
        raise MediaError("truncated or never finished: it has no index (moov)")
    if not names & {b"mdat", b"moof"}:
        raise MediaError("truncated: it has an index, but no data (mdat)")


def _box(file: BinaryIO, position: int, size: int) -> tuple[bytes, int]:
    file.seek(position)
    length, name, long = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
    if length == 0:  # to the end of the file
        return name, size - position
    length = long if length == 1 else length
    if length < 8 and _is_name(name):
        raise MediaError(f"damaged: a box of {length} bytes at byte {position:,}")
    return name, length


def _is_name(name: bytes) -> bool:
    """Names of boxes are readable, but for the sign at the start of some of Apple's."""
    return all(32 <= byte < 127 or byte == 0xA9 for byte in name)


def _require_segment(file: BinaryIO, size: int) -> None:
    """The one big element after the head; a stream that was recorded live does not say its size."""
    start = _element_end(file, 0)
    require_end(size, start + len(_SEGMENT) + 1)
    file.seek(start)
    if file.read(len(_SEGMENT)) == _SEGMENT:
        require_end(size, _element_end(file, start))


def _element_end(file: BinaryIO, start: int) -> int:
    """Where an element with a name of four bytes ends: at its start if it does not say."""
    file.seek(start + 4)
    length, width = _variable_size(file.read(8))
    return start if length is None else start + 4 + width + length


def _variable_size(data: bytes) -> tuple[int | None, int]:
    """An EBML size (None: not known) and the bytes that it takes."""
    width = 9 - data[0].bit_length() if data and data[0] else 8
    value = int.from_bytes(data[:width]) & ((1 << 7 * width) - 1)
    return (None if value == (1 << 7 * width) - 1 else value), width


def _require_frames(file: BinaryIO, size: int) -> None:
    position = 0
    while True:
        file.seek(position)
        head = file.read(_ADTS_HEADER_BYTES)
        if len(head) < _ADTS_HEADER_BYTES or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            return
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < _ADTS_HEADER_BYTES:
            raise MediaError(f"damaged: a frame of {length} bytes at byte {position:,}")
        position += length
        require_end(size, position)
