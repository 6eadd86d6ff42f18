"""What a step minimises: from the inputs of a batch to its losses, in one module."""

from collections.abc import Callable

import torch
from torch import nn

from vfsearch.networks.joint import JointNetworks
from vfsearch.train.losses import Losses, TotalLoss

Gather = Callable[[torch.Tensor, int], torch.Tensor]
"""Called as gather(rows, n): the n rows of the whole batch, given those of this process's share."""


def alone(rows: torch.Tensor, n: int) -> torch.Tensor:
    """The gathering of a process that is alone: its rows are all there are."""
    return rows


class Objective(nn.Module):
    """Features of a share of a batch, gathered; heads and losses on the whole batch.

    In several processes the backbones, which cost, see a share each. The heads cost next to nothing: every process
    runs them on the whole batch, so that their batch norms, their dropout and the negatives of the explicit loss are
    those of one process.

    Args:
        networks: to be trained.
        loss: of joint embeddings.
        gather: how rows come together; `vfsearch.train.parallel.wrap` sets it for several processes.
    """

    def __init__(self, networks: JointNetworks, loss: TotalLoss, gather: Gather = alone) -> None:
        super().__init__()
        self.networks, self.loss, self.gather = networks, loss, gather

    def forward(
        self,
        voices: torch.Tensor,
        faces: torch.Tensor,
        labels: torch.Tensor,
        weights: torch.Tensor | None = None,
    ) -> Losses:
        """The losses of the whole batch, the same in every process.

        Args:
            voices, faces: what the networks take, of this process's share of the pairs.
            labels: (n,) int64, of the whole batch.
            weights: (n,) of the whole batch; None for 1 each.
        """
        n = len(labels)
        return self.loss(self._embeddings("voice", voices, n), self._embeddings("face", faces, n), labels, weights)

    def _embeddings(self, modality: str, inputs: torch.Tensor, n: int) -> torch.Tensor:
        return self.networks.project(modality, self.gather(self.networks.features(modality, inputs), n))
