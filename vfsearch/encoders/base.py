"""What an encoder is: media in, unit rows out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from vfsearch.data.space import Space
from vfsearch.files import digest
from vfsearch.media.preparation import Preparation, Prepared

__all__ = ["Encoder", "Preparation", "Prepared", "unit_rows"]


class Encoder(ABC):
    """Turns the prepared samples of one modality into unit rows.

    A subclass gives the class attributes and the two methods; `vfsearch.encoders.catalog` registers it, or a user
    names it as "module:Class".
    """

    name: ClassVar[str]
    modality: ClassVar[str]
    dimension: ClassVar[int]
    licence: ClassVar[str] = "not stated"
    preparation: Preparation | None = None
    """None: `encode` needs no media, it is given the ids themselves."""
    concurrent: ClassVar[bool] = False
    """Whether several threads may call `encode` at once: then each of them gets a batch of its own."""
    precisions: ClassVar[tuple[str, ...]] = ("fp32",)
    """What it can compute in."""
    precision: str = "fp32"
    """What it computes in: one of `precisions`."""

    @abstractmethod
    def encode(self, samples: Sequence) -> np.ndarray:
        """The rows of a batch.

        Args:
            samples: n prepared samples (or ids, if there is no preparation).
        Returns:
            (n, dimension) float32, unit rows, the same whatever else is in the batch.
        """

    @abstractmethod
    def weights_digest(self) -> str:
        """Hexadecimal digest of the weights, or of whatever else decides the rows."""

    @property
    def space(self) -> Space:
        """The space of the rows: encoder, weights and preprocessing."""
        preparation = self.preparation and {"target": self.preparation.target, **self.preparation.settings()}
        identity = {"encoder": self.name, "weights": self.weights_digest(), "preparation": preparation}
        return Space(name=self.name, fingerprint=digest(identity), dimension=self.dimension)


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """(n, d) float32 rows of length one; an all-zero row stays zero (and is refused later, by name)."""
    vectors = np.asarray(vectors, dtype=np.float64)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1.0)).astype(np.float32)
