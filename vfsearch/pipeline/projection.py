"""A model at work: features, or prepared media, to joint embeddings."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from vfsearch.encoders.inference import network_outputs


class Projection:
    """Features of frozen encoders to joint embeddings: a row is the same whatever else is in its batch.

    In float32 the last digits of a product depend on the batch and on the row's place in it, so that equal features
    would get unequal rows and ties would be lost. What is left of that in float64 goes in the rounding to float32.

    Args:
        heads: `JointNetworks` without backbones, in evaluation mode, float64.
        device: where they are.
    """

    def __init__(self, heads, device: str) -> None:
        self._heads = heads
        self._device = device

    def __call__(self, modality: str, features: np.ndarray) -> np.ndarray:
        """(n, dimension) float32 joint embeddings, not normalised, of (n, inputs) features."""
        import torch

        with torch.inference_mode():
            rows = self._heads(modality, torch.as_tensor(features).to(self._device, torch.float64))
            return rows.float().cpu().numpy()


def network_rows(
    networks, modality: str, samples: Sequence[np.ndarray], device: str, precision: str = "fp32"
) -> np.ndarray:
    """Prepared media to joint embeddings by networks that were trained end to end.

    Args:
        networks: `JointNetworks` in evaluation mode, on the device.
        modality: of the samples.
        samples: n prepared clips or photos.
        device: where to compute.
        precision: "fp32", "bf16" or "fp16".
    Returns:
        (n, dimension) float32, not normalised.
    """
    inputs = networks.backbones[modality].inputs.evaluation
    return network_outputs(partial(networks, modality), inputs, samples, device, precision)
