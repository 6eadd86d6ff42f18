"""Batches of frozen features."""

import numpy as np
import torch

from vfsearch.data.embeddings import Embeddings
from vfsearch.train.batch import Batch, Share, whole
from vfsearch.train.sampling import PairSampler


class FeaturePairs:
    """Pairs of rows of two matrices, which are kept on the device.

    Args:
        voices, faces: features to train on.
        batch_size, seed: see `PairSampler`.
        device: "cpu", "cuda", ...
        share: the part of each batch that this process computes.
    Raises:
        ManifestError: fewer than two identities have both modalities.
    """

    def __init__(
        self,
        voices: Embeddings,
        faces: Embeddings,
        batch_size: int,
        seed: int,
        device: str = "cpu",
        share: Share = whole,
    ) -> None:
        self._sampler = PairSampler(voices.identities, faces.identities, batch_size, seed)
        self._features = [torch.as_tensor(side.vectors).to(device) for side in (voices, faces)]
        self._share = share
        self.identities = self._sampler.identities

    def batch(self, run: int, step: int) -> Batch:
        """The features of one step's pairs, on the device."""
        voices, faces, labels = self._sampler.batch(step, run)
        share = self._share(len(labels))
        return Batch(
            voices=_taken(self._features[0], voices[share]),
            faces=_taken(self._features[1], faces[share]),
            labels=labels,
            share=share,
        )


def _taken(features: torch.Tensor, rows: np.ndarray) -> torch.Tensor:
    return features[torch.as_tensor(rows).to(features.device)]
