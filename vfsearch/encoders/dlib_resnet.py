"""dlib's face encoder: its detector, its landmarks, and its network run by torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.encoders.dlib_faces import (
    NO_FACE_NOTE,
    PIP_LINE,
    FacePreparation,
    centre_square,
    landmarks_digest,
    model_file,
)
from vfsearch.encoders.inference import inference
from vfsearch.files import digest, read_file, sha256

if TYPE_CHECKING:
    import dlib

    from vfsearch.encoders.dlib_network import DlibNetwork

__all__ = ["NO_FACE_NOTE", "PIP_LINE", "DlibPreparation", "DlibResnet", "model_file"]

CHIP_PIXELS = 150
CHIP_PADDING = 0.25
# 16 photos at once stay in a processor's caches; a GPU wants more
CHIPS_AT_ONCE_CPU, CHIPS_AT_ONCE_GPU = 16, 256


@dataclass(frozen=True)
class DlibPreparation(FacePreparation):
    """Photo -> (150, 150, 3) uint8: its face, upright, as the network was trained with them.

    Args:
        aligned: the photo is such a face already: only its centre square is taken and scaled.
        on_no_face, upsample, detect_pixels, faces: see `FacePreparation`.
    """

    def _whole(self, photo: np.ndarray) -> np.ndarray:
        return centre_square(photo, CHIP_PIXELS)

    def _cut_out(self, photo: np.ndarray, landmarks: "dlib.full_object_detection") -> np.ndarray:
        import dlib

        return dlib.get_face_chip(photo, landmarks, size=CHIP_PIXELS, padding=CHIP_PADDING)

    def _centre(self, photo: np.ndarray) -> np.ndarray:
        return centre_square(photo, CHIP_PIXELS)


class DlibResnet(Encoder):
    """dlib's 128-d face descriptor, made unit length.

    The models are CC0; dlib itself, which only finds the faces here, has the Boost licence.

    Args:
        device: where the network runs, in torch's words.
        aligned, on_no_face, upsample, detect_pixels, faces: see `DlibPreparation`.
    """

    name = "dlib-resnet"
    modality = "face"
    dimension = 128
    licence = "CC0-1.0"
    concurrent = True

    def __init__(
        self,
        device: str = "cpu",
        *,
        aligned: bool = False,
        on_no_face: str = "crop",
        upsample: int = 1,
        detect_pixels: int = 1600,
        faces: str = "largest",
    ) -> None:
        self.device = device
        self.preparation = DlibPreparation(
            aligned=aligned, on_no_face=on_no_face, upsample=upsample, detect_pixels=detect_pixels, faces=faces
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
        return digest({"network": sha256(self._weights), "landmarks": landmarks_digest()})

    def weights_digest(self) -> str:
        """Digest over the network's file and the landmark model's, which decides how a face is turned."""
        return self._digest

    def encode(self, samples: Sequence[np.ndarray]) -> np.ndarray:
        """The rows of some upright faces."""
        import torch

        at_once = CHIPS_AT_ONCE_CPU if self.device == "cpu" else CHIPS_AT_ONCE_GPU
        parts = [np.empty((0, self.dimension), np.float32)]
        with inference(self.device):
            for i in range(0, len(samples), at_once):
                chips = torch.from_numpy(np.stack(samples[i : i + at_once]))
                parts.append(self._network(chips.to(self.device)).cpu().numpy())
        return unit_rows(np.concatenate(parts))
