"""The same row for everything: what chance looks like."""

import hashlib
from collections.abc import Sequence

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows


class Constant(Encoder):
    """One and the same unit row, whatever the id; every score ties."""

    dimension = 64
    licence = "none needed"

    def encode(self, samples: Sequence[str]) -> np.ndarray:
        """That row, once for each id."""
        return unit_rows(np.ones((len(samples), self.dimension)))

    def weights_digest(self) -> str:
        """Digest of the rule."""
        return hashlib.sha256(f"ones, {self.dimension}-d".encode()).hexdigest()


class ConstantVoice(Constant):
    """`Constant` as a voice encoder."""

    name = "constant-voice"
    modality = "voice"


class ConstantFace(Constant):
    """`Constant` as a face encoder."""

    name = "constant-face"
    modality = "face"
