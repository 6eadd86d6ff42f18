"""What happens to photos and clips before a network of ours sees them; nothing here needs torch."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vfsearch.encoders.dlib_faces import FacePreparation, centre_square
from vfsearch.encoders.speech import raise_volume, trim_silence
from vfsearch.errors import MediaError, MissingExtraError, SettingsError
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Preparation, Prepared

if TYPE_CHECKING:
    import dlib

VAD_PIP_LINE = "pip install 'vfsearch[voice]'"
RATE_HZ = 16_000
FULL_SCALE = 32_768.0
LONGEST_SHAPE = 8
# Where the field's aligned faces have the middle between the eyes' centres, and how far these are from one another,
# for 112 pixels; and the five landmarks of dlib's mean face, which is 1 wide.
_TEMPLATE_PIXELS = 112
_EYES_MIDDLE, _EYES_APART = (55.913, 51.599), 35.237
_MEAN_FACE = ((0.85957, 0.21350), (0.64606, 0.22897), (0.12058, 0.21373), (0.33409, 0.22906), (0.49011, 0.62780))


@dataclass(frozen=True)
class NetworkPhotoPreparation(FacePreparation):
    """Photo -> (h, w, 3) uint8, BGR, its shorter side `pixels` long.

    A face that is found is a square, turned and scaled so that the eyes lie where networks of the ArcFace family are
    trained to have them. A photo that is a face already keeps its shape.

    Args:
        aligned, on_no_face, upsample, detect_pixels, faces: see `FacePreparation`.
        pixels: length of the shorter side.
    Source: Deng et al., "ArcFace", CVPR 2019, section 4.1 (five landmarks, similarity transform, 112 x 112); we have
        dlib's landmarks, so its mean face takes the place of their template, its eyes on theirs.
    """

    pixels: int = 112

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pixels < 1:
            raise SettingsError(f"pixels: got {self.pixels}, wanted 1 or more")

    def _whole(self, photo: np.ndarray) -> np.ndarray:
        height, width = photo.shape[:2]
        if max(height, width) > LONGEST_SHAPE * min(height, width):
            raise MediaError(f"{width} x {height} pixels: one side is more than {LONGEST_SHAPE} times the other")
        scale = self.pixels / min(height, width)
        size = (round(width * scale), round(height * scale))
        return _bgr(np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR)))

    def _cut_out(self, photo: np.ndarray, landmarks: "dlib.full_object_detection") -> np.ndarray:
        import dlib

        wanted = dlib.dpoints([dlib.dpoint(x, y) for x, y in landmark_template(self.pixels)])
        found = dlib.dpoints([dlib.dpoint(point.x, point.y) for point in landmarks.parts()])
        where = dlib.chip_details(wanted, found, dlib.chip_dims(self.pixels, self.pixels))
        return _bgr(dlib.extract_image_chip(photo, where))

    def _centre(self, photo: np.ndarray) -> np.ndarray:
        return _bgr(centre_square(photo, self.pixels))


def landmark_template(pixels: int) -> np.ndarray:
    """(5, 2): x and y of dlib's five landmarks in an aligned face of that size."""
    points = np.array(_MEAN_FACE)
    left, right = points[2:4].mean(axis=0), points[:2].mean(axis=0)
    unit = _EYES_APART / np.linalg.norm(right - left)
    return ((points - (left + right) / 2) * unit + _EYES_MIDDLE) * (pixels / _TEMPLATE_PIXELS)


def _bgr(photo: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(photo[:, :, ::-1])


@dataclass(frozen=True)
class NetworkClipPreparation(Preparation):
    """Clip -> (m,) float32, 16 kHz, mono, in the range of 16-bit numbers: its first seconds.

    Args:
        seconds: the most that is taken.
        vad: cut the silence out first, with WebRTC's detector, as the Resemblyzer encoder does (the volume is raised
            for that): the first seconds of speech. All of the clip, or of its part, is then read.
    """

    seconds: float = 10.0
    vad: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise SettingsError(f"seconds: got {self.seconds}, wanted more than 0")
        if not isinstance(self.vad, bool):
            raise SettingsError(f"vad: got {self.vad!r}, wanted true or false")
        if self.vad and importlib.util.find_spec("_webrtcvad") is None:
            raise MissingExtraError(f"vad: looking for speech needs webrtcvad; install with: {VAD_PIP_LINE}")

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode no more than is wanted, resample, scale."""
        take = self._speech if self.vad else self._start
        samples = take(path, start_seconds, end_seconds, limits)
        return Prepared(sample=samples * np.float32(FULL_SCALE), seconds=len(samples) / RATE_HZ)

    def settings(self) -> dict:
        """The fields, as JSON; `vad` only where it is wanted: older stores and models do not know it."""
        return {name: value for name, value in super().settings().items() if (name, value) != ("vad", False)}

    def _speech(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> np.ndarray:
        samples = read_audio(path, RATE_HZ, start_seconds, end_seconds, limits)
        return trim_silence(raise_volume(samples))[: self._most_samples]

    def _start(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> np.ndarray:
        stop = (start_seconds or 0.0) + self.seconds
        end_seconds = stop if end_seconds is None else min(stop, end_seconds)
        samples = read_audio(path, RATE_HZ, start_seconds, end_seconds, limits)[: self._most_samples]
        if not samples.any():
            raise MediaError("silent: every sample is zero")
        return samples

    @property
    def _most_samples(self) -> int:
        return round(self.seconds * RATE_HZ)
