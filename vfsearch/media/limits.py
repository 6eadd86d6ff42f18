"""What one media file may cost before it is refused."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on one media file.

    Args:
        pixels: of a photo, after decoding.
        audio_seconds: decoded length of a clip.
        decode_seconds: time that a worker may spend on one file before it is killed.
        memory_bytes: address space of a worker.
    """

    pixels: int = 50_000_000
    audio_seconds: float = 3600.0
    decode_seconds: float = 60.0
    memory_bytes: int = 8 * 2**30
