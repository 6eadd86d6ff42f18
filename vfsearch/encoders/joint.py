"""A trained model as an encoder."""

from collections.abc import Callable, Sequence

import numpy as np

from vfsearch.data.space import Space
from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.media.preparation import Preparation


class JointEncoder(Encoder):
    """What a trained model makes of one modality: unit rows in the joint space.

    Args:
        modality: "voice" or "face".
        space: that of the model, the same for both modalities.
        preparation: of the model's backbone; None: it takes ids.
        rows: prepared samples and a precision -> (n, dimension) joint embeddings, not normalised.
        precisions: that `rows` knows.
        name: what a person calls it.
    """

    licence = "that of its model"
    concurrent = True

    def __init__(
        self,
        *,
        modality: str,
        space: Space,
        preparation: Preparation | None,
        rows: Callable[[Sequence, str], np.ndarray],
        precisions: tuple[str, ...] = ("fp32",),
        name: str = "joint",
    ) -> None:
        self.name = name
        self.modality = modality
        self.dimension = space.dimension
        self.preparation = preparation
        self._space = space
        self._rows = rows
        self.precisions = precisions

    def encode(self, samples: Sequence) -> np.ndarray:
        """The rows of some samples of the modality."""
        return (
            unit_rows(self._rows(samples, self.precision))
            if len(samples)
            else np.empty((0, self.dimension), np.float32)
        )

    def weights_digest(self) -> str:
        """The fingerprint of the space, which covers the weights."""
        return self._space.fingerprint

    @property
    def space(self) -> Space:
        """The joint space."""
        return self._space
