"""Whether an audio file is as long as it says: decoders read a cut file as shorter audio, without an error."""

import struct
from pathlib import Path

from vfsearch.errors import MediaError

# first four bytes -> format and offset of the declared size, and what to add to get the size of the file
_DECLARED = {
    b"RIFF": ("<I", 4, 8),
    b"RIFX": (">I", 4, 8),
    b"FORM": (">I", 4, 8),
    b"RF64": ("<Q", 20, 8),
    b"riff": ("<Q", 16, 0),
}
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)
_LARGEST_OGG_PAGE_BYTES = 65_307
_OGG_HEADER_BYTES = 27
_OGG_END_OF_STREAM = 4


def require_whole(path: Path, size_bytes: int) -> None:
    """Refuse a WAV, AIFF, RF64, W64 or Ogg file that ends before its own headers say; others pass.

    A size that was never filled in (a WAV written to a pipe) passes too.

    Raises:
        MediaError: truncated; the message gives both sizes where they are known.
    """
    with path.open("rb") as file:
        head = file.read(64)
        if head[:4] in _DECLARED and len(head) >= 28:
            _require_declared_size(head, size_bytes)
        elif head[:4] == b"OggS":
            file.seek(max(0, size_bytes - _LARGEST_OGG_PAGE_BYTES))
            _require_last_page(file.read())


def _require_declared_size(head: bytes, size_bytes: int) -> None:
    layout, offset, more = _DECLARED[head[:4]]
    (declared,) = struct.unpack_from(layout, head, offset)
    # one byte less is no loss: some writers count a padding byte that they do not write
    if declared not in _UNKNOWN_SIZES and size_bytes < declared + more - 1:
        raise MediaError(f"truncated: {size_bytes:,} bytes of {declared + more:,}")


def _require_last_page(tail: bytes) -> None:
    page = tail[max(0, tail.rfind(b"OggS")) :]
    whole = len(page) > _OGG_HEADER_BYTES and page[5] & _OGG_END_OF_STREAM
    if not whole or len(page) < _ogg_page_bytes(page):
        raise MediaError("truncated: the last page of the Ogg stream is missing or cut")


def _ogg_page_bytes(page: bytes) -> int:
    segments = page[_OGG_HEADER_BYTES - 1]
    return _OGG_HEADER_BYTES + segments + sum(page[_OGG_HEADER_BYTES : _OGG_HEADER_BYTES + segments])


def says_its_length(path: Path) -> bool:
    """Whether an MP3 file carries its length (a Xing or Info tag); else a decoder can only estimate it."""
    with path.open("rb") as file:
        head = file.read(10)
        size = head[6:10] if head[:3] == b"ID3" else b""
        file.seek(sum(byte << 7 * place for place, byte in enumerate(reversed(size))))
        start = file.read(2048)
    return b"Xing" in start or b"Info" in start
