"""The two levels of modality alignment, each a small module.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, section 3.2.
"""

import torch
from torch import nn
from torch.nn import functional


class ImplicitLoss(nn.Module):
    """Global alignment: one classifier, shared by both modalities.

    L = mean_i [ CE(W v_i, y_i) + CE(W x_i, y_i) ], W without bias.

    Args:
        dimension: of the joint space.
        identities: M, rows of W.
    """

    def __init__(self, dimension: int, identities: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(dimension, identities, bias=False)

    def forward(self, voices: torch.Tensor, faces: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of a batch.

        Args:
            voices, faces: (n, d) joint embeddings; row i of both is of identity labels[i].
            labels: (n,) int64, below M.
        Returns:
            A scalar.
        """
        return functional.cross_entropy(self.classifier(voices), labels) + functional.cross_entropy(
            self.classifier(faces), labels
        )


class ExplicitLoss(nn.Module):
    """Local alignment: each anchor's own pair against every other identity's in the batch.

    L = (1/n) sum_i log(1 + m' + sum_{y_j != y_i} exp(s_ij - s_ii)), the mean of both directions, with
    s_ij = a_i . (b_j / |b_j|): the gallery side is normalised, the anchor is not.

    Args:
        margin: m', 4.4 in the authors' release.
    Source: Wen et al., CVPR 2021, equations (3) to (5); pairs of one identity are masked, which changes nothing on
        batches of distinct identities.
    """

    def __init__(self, margin: float = 4.4) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, voices: torch.Tensor, faces: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of a batch; arguments as for `ImplicitLoss`."""
        other = labels[:, None] != labels[None, :]
        return 0.5 * (self._one_way(voices, faces, other) + self._one_way(faces, voices, other))

    def _one_way(self, anchors: torch.Tensor, gallery: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        scores = anchors @ functional.normalize(gallery, dim=1).T
        gaps = (scores - scores.diagonal()[:, None]).masked_fill(~other, -torch.inf)
        constant = torch.full_like(gaps[:, :1], 1.0 + self.margin).log()
        return torch.logsumexp(torch.cat([constant, gaps], dim=1), dim=1).mean()
