"""Files that hold sound, pictures or both (MP4, Matroska, ...): which they are, and how they are opened."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vfsearch.errors import MediaError
from vfsearch.media.container_truncation import require_whole_container

if TYPE_CHECKING:
    from fractions import Fraction

    from av.container import InputContainer

_HEAD_BYTES = 64
_LAST_STAMP = 2**62
_EBML = b"\x1aE\xdf\xa3"
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")
_PHOTO_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"crx ")


def container_format(path: Path) -> str | None:
    """What kind of container a file is, by its first bytes, whatever its name says.

    Args:
        path: a regular file.
    Returns:
        "mov" (MP4, M4A, MOV, 3GP), "matroska" (MKV, WebM), "avi", "aac" (ADTS), or None: something else.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head[4:8] in _FIRST_BOXES:
        return None if head[4:8] == b"ftyp" and head[8:12] in _PHOTO_BRANDS else "mov"
    if head[:4] == _EBML:
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    # twelve bits set, then the layer, which is 0 in AAC and never in MP3
    return "aac" if len(head) > 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0 else None


@contextlib.contextmanager
def opened(path: Path, what: str) -> Iterator["InputContainer"]:
    """A container that is as long as it says, open for reading.

    Args:
        path: a file of which `container_format` knows the kind.
        what: "audio" or "a video", for messages.
    Raises:
        MediaError: truncated, damaged, or (while it is open) what is in it cannot be decoded.
    """
    import av

    kind = container_format(path)
    with path.open("rb") as file:
        require_whole_container(kind, file)
        file.seek(0)
        try:
            # By an open file and a format that was chosen here: libav itself would take some texts for lists of
            # other files or addresses, and open those.
            with av.open(file, format=kind, metadata_errors="replace") as container:
                yield container
        except av.FFmpegError as error:
            raise MediaError(f"not {what} that can be decoded: {error.strerror or type(error).__name__}") from error


def origin_seconds(container: "InputContainer") -> float:
    """The timestamp that is the start of the file; what lies before 0 is a codec's delay, which is dropped."""
    return max(0, container.start_time or 0) / 1e6


def stamp(seconds: float, time_base: "Fraction") -> int:
    """A time in a stream's own unit, and no more than a seek takes."""
    return int(min(seconds / time_base, _LAST_STAMP))
