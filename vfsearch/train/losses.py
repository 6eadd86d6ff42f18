"""The two levels of modality alignment and their sum, each a small module.

All of them give one value a sample, in float32 or wider whatever the inputs are and whatever autocast says: a sum of
exponentials over hundreds of identities does not go with eight bits of mantissa.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, section 3.2.
"""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional


class Losses(NamedTuple):
    """What a batch costs; a tuple, so that wrappers of modules (DDP) see the tensors in it.

    Args:
        total: scalar with gradient, the mean over samples of weight * (implicit + explicit).
        implicit, explicit: the two terms of the total, scalars without gradient, before the weights of the terms.
        hardness: (n,) without gradient, ce_face + ce_voice of each sample, before any weight.
    """

    total: torch.Tensor
    implicit: torch.Tensor
    explicit: torch.Tensor
    hardness: torch.Tensor


class ImplicitLoss(nn.Module):
    """Global alignment: one classifier, shared by both modalities.

    L_i = CE(W v_i, y_i) + CE(W x_i, y_i), with CE(z, y) = -log softmax(z)[y] and W without bias.

    Args:
        dimension: of the joint space.
        identities: M, rows of W.
    Source: Wen et al., CVPR 2021, section 3.2, equations (1) and (2); `vfsearch.train.bounds` has what it bounds.
    """

    def __init__(self, dimension: int, identities: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(dimension, identities, bias=False)

    def forward(self, voices: torch.Tensor, faces: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of each sample.

        Args:
            voices, faces: (n, d) joint embeddings; row i of both is of identity labels[i].
            labels: (n,) int64, below M.
        Returns:
            (n,) float32, or float64 for float64 embeddings.
        """
        return self._one_way(voices, labels) + self._one_way(faces, labels)

    def _one_way(self, rows: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        with torch.autocast(rows.device.type, enabled=False):
            rows = _exact(rows)
            logits = functional.linear(rows, self.classifier.weight.to(rows.dtype))
            return functional.cross_entropy(logits, labels, reduction="none")


class ExplicitLoss(nn.Module):
    """Local alignment: each anchor's own pair against every other identity's in the batch.

    l_i = log(1 + m' + sum_{y_j != y_i} exp(s_ij - s_ii)), the mean of both directions, with
    s_ij = a_i . (b_j / |b_j|): the gallery side is normalised, the anchor is not.
    An anchor without any other identity in the batch gives log(1 + m'), and no gradient.

    Args:
        margin: m', 4.4 in the authors' release.
    Source: Wen et al., CVPR 2021, equations (3) to (5); pairs of one identity are masked, which changes nothing on
        batches of distinct identities.
    """

    def __init__(self, margin: float = 4.4) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, voices: torch.Tensor, faces: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The loss of each sample; arguments and result as for `ImplicitLoss`."""
        with torch.autocast(voices.device.type, enabled=False):
            voices, faces = _exact(voices), _exact(faces)
            other = labels[:, None] != labels[None, :]
            return 0.5 * (self._one_way(voices, faces, other) + self._one_way(faces, voices, other))

    def _one_way(self, anchors: torch.Tensor, gallery: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        scores = anchors @ functional.normalize(gallery, dim=1).T
        gaps = (scores - scores.diagonal()[:, None]).masked_fill(~other, -torch.inf)
        constant = torch.full_like(gaps[:, :1], 1.0 + self.margin).log()
        return torch.logsumexp(torch.cat([constant, gaps], dim=1), dim=1)


class TotalLoss(nn.Module):
    """L = (1/n) sum_i w_i (a L_i + b l_i): implicit and explicit of each sample, times the weight of its identity.

    A term with weight 0 is measured, for the record and for the hardness, without gradients; the classifier of an
    implicit loss that is switched off stands still, outside the optimiser's and DDP's view (`requires_grad`).

    Args:
        dimension: of the joint space.
        identities: M, rows of the classifier.
        implicit, explicit: a and b, the weights of the two terms, 1 and 1 in the paper; 0 switches one off.
        margin: m' of the explicit loss.
    Source: Wen et al., CVPR 2021, sections 3.2 and 3.3.
    """

    def __init__(
        self, dimension: int, identities: int, implicit: float = 1.0, explicit: float = 1.0, margin: float = 4.4
    ) -> None:
        super().__init__()
        self.implicit = ImplicitLoss(dimension, identities).requires_grad_(implicit != 0)
        self.explicit = ExplicitLoss(margin)
        self.implicit_weight, self.explicit_weight = implicit, explicit

    def forward(
        self, voices: torch.Tensor, faces: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor | None = None
    ) -> Losses:
        """What a batch costs.

        Args:
            voices, faces: (n, d) joint embeddings; row i of both is of identity labels[i].
            labels: (n,) int64, below M.
            weights: (n,) of the samples, not negative; None for 1 each.
        Returns:
            The losses of the batch; only `total` has a gradient.
        """
        implicit = self._term(self.implicit, self.implicit_weight, voices, faces, labels)
        explicit = self._term(self.explicit, self.explicit_weight, voices, faces, labels)
        means = [(each if weights is None else weights.to(each) * each).mean() for each in (implicit, explicit)]
        total = self.implicit_weight * means[0] + self.explicit_weight * means[1]
        return Losses(total, means[0].detach(), means[1].detach(), implicit.detach())

    def _term(self, loss: nn.Module, weight: float, *batch: torch.Tensor) -> torch.Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and weight != 0):
            return loss(*batch)


def _exact(rows: torch.Tensor) -> torch.Tensor:
    """The same rows in float32 at least; float64 stays."""
    return rows.to(torch.promote_types(rows.dtype, torch.float32))
