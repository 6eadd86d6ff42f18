"""Whether a media file would be decoded: by its headers and a moment of it, or by all of it."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from vfsearch.errors import MediaError
from vfsearch.media.audio import read_audio
from vfsearch.media.container import container_format, opened
from vfsearch.media.limits import Limits
from vfsearch.media.photo import read_photo, require_pixels
from vfsearch.media.preparation import Preparation, Prepared
from vfsearch.media.source import require_regular_file
from vfsearch.media.video import is_video, read_frame

RATE_HZ = 16_000
MOMENT_SECONDS = 0.05
SILENT = "silent: every sample is zero"


@dataclass(frozen=True)
class ClipCheck(Preparation):
    """Clip -> (1,) its seconds, by its headers.

    Args:
        deep: decode all of it; else a moment at the start.
    """

    deep: bool = False

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Look at the headers and decode."""
        if self.deep:
            samples = read_audio(path, RATE_HZ, start_seconds, end_seconds, limits)
            if not samples.any():
                raise MediaError(SILENT)
            return _said(len(samples) / RATE_HZ)
        start = start_seconds or 0.0
        moment = start + MOMENT_SECONDS
        read_audio(path, RATE_HZ, start_seconds, moment if end_seconds is None else min(moment, end_seconds), limits)
        end = _seconds(path)
        seconds = max(0.0, (end if end_seconds is None else min(end, end_seconds)) - start)
        if seconds > limits.audio_seconds:
            raise MediaError(f"{seconds:,.0f} s of audio, more than the limit of {limits.audio_seconds:,.0f} s")
        return _said(seconds)


@dataclass(frozen=True)
class PhotoCheck(Preparation):
    """Photo, or frame of a video -> (1,) its pixels.

    Args:
        deep: decode it; else its headers alone are read (a frame is always decoded).
    """

    deep: bool = False

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Look at the headers, or decode."""
        require_regular_file(path)
        if is_video(path):
            return _said(read_frame(path, start_seconds, limits).size / 3)
        if self.deep:
            return _said(read_photo(path, limits).size / 3)
        try:
            with Image.open(path) as image:
                require_pixels(image, limits)
                return _said(image.width * image.height)
        except (MediaError, MemoryError):
            raise
        except Exception as error:
            raise MediaError("not a photo that can be decoded") from error


def _said(value: float) -> Prepared:
    return Prepared(sample=np.array([value], np.float64))


def _seconds(path: Path) -> float:
    """How long a file says that its sound is; 0 where it does not."""
    if not container_format(path):
        return soundfile.info(os.fsencode(path)).duration
    with opened(path, "audio") as container:
        return (container.duration or 0) / 1e6
