"""Audio file -> mono samples at the rate that is wanted."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr

from vfsearch.errors import MediaError
from vfsearch.media.container import container_format
from vfsearch.media.container_audio import container_blocks
from vfsearch.media.limits import Limits
from vfsearch.media.source import require_regular_file
from vfsearch.media.truncation import require_whole, says_its_length

_BLOCK_SAMPLES = 2**21


def read_audio(
    path: Path, sample_rate_hz: int, start_seconds: float | None, end_seconds: float | None, limits: Limits
) -> np.ndarray:
    """The samples of a file, or of a part of it.

    Reads what libsndfile reads (WAV, FLAC, Ogg, Opus, MP3, AIFF, ...) and, by PyAV, the first sound stream of MP4, M4A,
    MOV, MKV, WebM, AVI and AAC files; the content decides, not the name. Channels are averaged. Only the part is
    decoded, and resampled with soxr HQ; at the file's own rate the samples stay as they are.

    Args:
        path: the file.
        sample_rate_hz: of the samples returned.
        start_seconds: where the part starts; None: at the start.
        end_seconds: where it ends; None, or past the end: at the end.
        limits: `audio_seconds` bounds the part.
    Returns:
        (n,) float32, full scale is 1.
    Raises:
        MediaError: it cannot be read, or is truncated, too long, empty in that part or not finite.
    """
    path = Path(path)
    require_whole(path, require_regular_file(path))
    read = container_blocks if container_format(path) else _sound_file_blocks
    return _joined(read(path, start_seconds, end_seconds, limits), sample_rate_hz)


def _joined(blocks: Iterator[tuple[int, np.ndarray]], wanted_hz: int) -> np.ndarray:
    """One array at the rate wanted; a file is never in memory at its own rate as well."""
    parts, count, stream = [np.empty(0, np.float32)], 0, None
    for rate_hz, block in blocks:
        if not np.isfinite(block).all():
            raise MediaError("has samples that are NaN or infinite")
        if stream is None and rate_hz != wanted_hz:
            stream = soxr.ResampleStream(rate_hz, wanted_hz, 1, dtype=np.float32, quality="HQ")
        count += len(block)
        parts.append(block if stream is None else stream.resample_chunk(block))
    if stream is None:
        return np.concatenate(parts)
    parts.append(stream.resample_chunk(np.empty(0, np.float32), last=True))
    return _of_length(parts, math.ceil(count * wanted_hz / rate_hz))


def _of_length(parts: list[np.ndarray], length: int) -> np.ndarray:
    # soxr rounds the length down or up; always up, as librosa does, keeps frame counts equal to its
    missing = length - sum(map(len, parts))
    return np.concatenate([*parts, np.zeros(max(0, missing), np.float32)])[:length]


def _sound_file_blocks(
    path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits
) -> Iterator[tuple[int, np.ndarray]]:
    try:
        # as bytes: a text would have to be UTF-8
        with soundfile.SoundFile(os.fsencode(path)) as file:
            start, stop = _frames_of_part(file, start_seconds, end_seconds)
            seconds = (stop - start) / file.samplerate
            if seconds > limits.audio_seconds:
                raise MediaError(f"{seconds:,.0f} s of audio, more than the limit of {limits.audio_seconds:,.0f} s")
            if start:
                file.seek(start)
            yield from ((file.samplerate, block) for block in _mono_blocks(file, path, stop - start))
    except soundfile.LibsndfileError as error:
        raise MediaError(f"not audio that can be decoded: {error.error_string}") from error


def _frames_of_part(
    file: soundfile.SoundFile, start_seconds: float | None, end_seconds: float | None
) -> tuple[int, int]:
    rate, frames = file.samplerate, file.frames
    start = 0 if start_seconds is None else round(start_seconds * rate)
    stop = frames if end_seconds is None else min(round(end_seconds * rate), frames)
    if frames <= 0:
        raise MediaError("has no samples")
    if start < 0:
        raise MediaError(f"the part starts at {start_seconds:g} s, before the file")
    if start >= frames:
        raise MediaError(f"the part starts at {start / rate:g} s, but the audio ends at {frames / rate:.6g} s")
    if stop <= start:
        raise MediaError(f"the part from {start / rate:g} s to {end_seconds:g} s has no samples")
    return start, stop


def _mono_blocks(file: soundfile.SoundFile, path: Path, frames: int) -> Iterator[np.ndarray]:
    # in blocks: neither many channels nor a header that lies about the length can ask for much memory at once
    left, block_frames = frames, max(1, _BLOCK_SAMPLES // file.channels)
    while left > 0:
        block = file.read(min(left, block_frames), dtype="float32", always_2d=True)
        if not len(block):
            break
        yield block.mean(axis=1) if file.channels > 1 else block[:, 0]
        left -= len(block)
    if left and (file.format != "MP3" or says_its_length(path)):
        raise MediaError(f"truncated: {frames - left:,} samples of {frames:,}")
    if left == frames:
        raise MediaError("has no samples")
