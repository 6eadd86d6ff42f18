"""What a person sees of a media file: a small square picture, the outline of a clip."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits
from vfsearch.media.photo import read_photo
from vfsearch.media.preparation import Preparation, Prepared
from vfsearch.media.video import is_video, read_frame

RATE_HZ = 16_000
_BLURRED = 6
"""Pixels across of a blurred picture: nobody is known by so few."""


@dataclass(frozen=True)
class Thumbnail(Preparation):
    """Photo, or frame of a video -> (pixels, pixels, 3) uint8: the square in its middle.

    Args:
        pixels: across.
        blurred: leave nothing that tells who it is.
    """

    pixels: int = 112
    blurred: bool = False

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode and make small."""
        photo = read_frame(path, start_seconds, limits) if is_video(path) else read_photo(path, limits)
        image = Image.fromarray(photo)
        if self.blurred:
            few = ImageOps.fit(image, (_BLURRED, _BLURRED), Image.Resampling.BOX)
            image = few.resize((self.pixels, self.pixels), Image.Resampling.BICUBIC)
        else:
            image = ImageOps.fit(image, (self.pixels, self.pixels), Image.Resampling.LANCZOS)
        return Prepared(sample=np.asarray(image))


@dataclass(frozen=True)
class Outline(Preparation):
    """Clip -> (bins, 2) float32: least and greatest sample of each equal part of it.

    Args:
        bins: how many.
    """

    bins: int = 200

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode and sum up."""
        samples = read_audio(path, RATE_HZ, start_seconds, end_seconds, limits)
        edges = np.linspace(0, len(samples), self.bins + 1).astype(np.int64)
        starts = np.minimum(edges[:-1], max(0, len(samples) - 1))
        low, high = np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)
        return Prepared(sample=np.column_stack([low, high]), seconds=len(samples) / RATE_HZ)


@dataclass(frozen=True)
class Sound(Preparation):
    """Clip -> (n,) float32: its samples, of a longer one the first.

    Args:
        rate_hz: of the samples.
        most_seconds: that are decoded.
    """

    rate_hz: int = 48_000
    most_seconds: float = 20.0

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode."""
        end = (start_seconds or 0.0) + self.most_seconds
        end = end if end_seconds is None else min(end, end_seconds)
        samples = read_audio(path, self.rate_hz, start_seconds, end, limits)
        return Prepared(sample=samples, seconds=len(samples) / self.rate_hz)
