"""What a page shows of a media file: a small JPEG, an MP3 with its outline."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Preparation, Prepared
from vfsearch.media.views import Sound, Thumbnail

# Every browser plays MP3 without help of the system, which cannot be said of Opus and AAC.
RATE_HZ, BITS_PER_SECOND = 24_000, 48_000
_QUICK = {"compression_level": "7"}
FRAME = 1152
"""Samples that the encoder of MP3 takes at once; it may be given fewer at the end alone."""


@dataclass(frozen=True)
class PagePhoto(Preparation):
    """Photo, or frame of a video -> the bytes of a JPEG, as uint8.

    Args:
        pixels: across.
        blurred: leave nothing that tells who it is.
    """

    pixels: int = 128
    blurred: bool = False

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode, make small, encode."""
        made = Thumbnail(pixels=self.pixels, blurred=self.blurred)(path, start_seconds, end_seconds, limits)
        file = io.BytesIO()
        Image.fromarray(made.sample).save(file, "JPEG", quality=80)
        return Prepared(sample=np.frombuffer(file.getvalue(), np.uint8))


@dataclass(frozen=True)
class PageClip(Preparation):
    """Clip -> the bytes of an MP3, as uint8; then its outline.

    The outline, the one of `others`, is (bins,) uint8: the greatest absolute sample of each equal part, 255 being the
    greatest of all.

    Args:
        most_seconds: of the clip that sound.
        bins: of the outline.
    """

    most_seconds: float = 20.0
    bins: int = 80

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode, measure, encode."""
        heard = Sound(rate_hz=RATE_HZ, most_seconds=self.most_seconds)(path, start_seconds, end_seconds, limits)
        outline = Prepared(sample=_outline(heard.sample, self.bins))
        return Prepared(sample=_mp3(heard.sample), others=(outline,), seconds=heard.seconds)


def _outline(samples: np.ndarray, bins: int) -> np.ndarray:
    parts = np.array_split(np.abs(samples), bins)
    peaks = np.array([part.max(initial=0.0) for part in parts])
    return np.round(255 * peaks / max(1e-6, float(peaks.max()))).astype(np.uint8)


def _mp3(samples: np.ndarray) -> np.ndarray:
    import av

    file = io.BytesIO()
    # Neither the encoder's name nor a date: equal clips give equal files.
    options = {"id3v2_version": "0", "fflags": "+bitexact"}
    with av.open(file, "w", format="mp3", options=options) as container:
        stream = container.add_stream(
            "libmp3lame", rate=RATE_HZ, layout="mono", format="s16p", bit_rate=BITS_PER_SECOND, options=_QUICK
        )
        whole = np.round(samples.clip(-1, 1) * 32767).astype(np.int16)
        for start in range(0, len(whole), FRAME):
            frame = av.AudioFrame.from_ndarray(whole[None, start : start + FRAME], format="s16p", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return np.frombuffer(file.getvalue(), np.uint8)
