"""Audio file -> mono samples at the rate that is wanted."""

import math
from pathlib import Path

import numpy as np
import soundfile
import soxr

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits
from vfsearch.media.source import require_regular_file
from vfsearch.media.truncation import require_whole, says_its_length

_BLOCK_SAMPLES = 2**21


def read_audio(
    path: Path, sample_rate_hz: int, start_seconds: float | None, end_seconds: float | None, limits: Limits
) -> np.ndarray:
    """The samples of a file, or of a part of it.

    Reads what libsndfile reads (WAV, FLAC, Ogg, Opus, MP3, AIFF, ...). Channels are averaged. Only the part is decoded,
    and resampled with soxr HQ; at the file's own rate the samples stay as they are.

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
    try:
        with soundfile.SoundFile(str(path)) as file:
            samples, rate_hz = _read_part(file, path, start_seconds, end_seconds, limits), file.samplerate
    except soundfile.LibsndfileError as error:
        raise MediaError(f"not audio that can be decoded: {error.error_string}") from error
    if not np.isfinite(samples).all():
        raise MediaError("has samples that are NaN or infinite")
    return _resample(samples, rate_hz, sample_rate_hz)


def _read_part(
    file: soundfile.SoundFile, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits
) -> np.ndarray:
    start, stop = _frames_of_part(file, start_seconds, end_seconds)
    seconds = (stop - start) / file.samplerate
    if seconds > limits.audio_seconds:
        raise MediaError(f"{seconds:,.0f} s of audio, more than the limit of {limits.audio_seconds:,.0f} s")
    if start:
        file.seek(start)
    samples = _read_mono(file, stop - start)
    if len(samples) < stop - start and (file.format != "MP3" or says_its_length(path)):
        raise MediaError(f"truncated: {len(samples):,} samples of {stop - start:,}")
    if not len(samples):
        raise MediaError("has no samples")
    return samples


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


def _read_mono(file: soundfile.SoundFile, frames: int) -> np.ndarray:
    # in blocks: neither many channels nor a header that lies about the length can ask for much memory at once
    blocks, block_frames = [np.empty(0, np.float32)], max(1, _BLOCK_SAMPLES // file.channels)
    while frames > 0:
        block = file.read(min(frames, block_frames), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block.mean(axis=1) if file.channels > 1 else block[:, 0])
        frames -= len(block)
    return np.concatenate(blocks)


def _resample(samples: np.ndarray, rate_hz: int, wanted_hz: int) -> np.ndarray:
    if rate_hz == wanted_hz:
        return samples
    resampled = soxr.resample(samples, rate_hz, wanted_hz, quality="HQ")
    # soxr rounds the length down or up; always up, as librosa does, keeps frame counts equal to its
    length = math.ceil(len(samples) * wanted_hz / rate_hz)
    return np.pad(resampled[:length], (0, max(0, length - len(resampled))))
