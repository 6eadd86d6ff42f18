"""Rows from the text of the ids: no media, no network; for tests of everything around an encoder."""

import hashlib
from collections.abc import Sequence

import numpy as np

from vfsearch.encoders.base import Encoder, unit_rows


class IdHash(Encoder):
    """A row that is drawn at random, but always the same for the same id."""

    dimension = 64
    licence = "none needed"

    def encode(self, samples: Sequence[str]) -> np.ndarray:
        """The rows of some ids."""
        rows = [_normal(text, self.dimension) for text in samples]
        return unit_rows(np.reshape(rows, (len(rows), self.dimension)))

    def weights_digest(self) -> str:
        """Digest of the rule."""
        return hashlib.sha256(f"normal numbers from shake-256 of the id, {self.dimension}-d".encode()).hexdigest()


class IdHashVoice(IdHash):
    """`IdHash` as a voice encoder."""

    name = "id-hash-voice"
    modality = "voice"


class IdHashFace(IdHash):
    """`IdHash` as a face encoder."""

    name = "id-hash-face"
    modality = "face"


def _normal(text: str, count: int) -> np.ndarray:
    """`count` (even) normal numbers, by Box and Muller: numpy does not promise the same stream for ever."""
    stream = hashlib.shake_256(text.encode("utf-8", "surrogateescape")).digest(4 * count)
    radius, turn = (np.frombuffer(stream, "<u4").reshape(2, -1) + 0.5) / 2**32
    length, angle = np.sqrt(-2 * np.log(radius)), 2 * np.pi * turn
    return np.concatenate([length * np.cos(angle), length * np.sin(angle)])
