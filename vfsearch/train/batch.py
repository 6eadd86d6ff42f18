"""What one step of a training takes, wherever it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    import torch

Share = Callable[[int], slice]
"""The part of a batch of n pairs that this process computes: called as share(n)."""


def whole(size: int) -> slice:
    """The share of a process that is alone: all of it."""
    return slice(0, size)


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Pairs of a voice and a face of one identity.

    Args:
        voices, faces: what the networks take, of this process's share of the pairs, in their order.
        labels: (n,) int64, of all n pairs of the batch, whichever process computes them.
        share: which of the n pairs are this process's.
    """

    voices: torch.Tensor
    faces: torch.Tensor
    labels: np.ndarray
    share: slice

    @property
    def size(self) -> int:
        """n, pairs in the whole batch."""
        return len(self.labels)


class Pairs(Protocol):
    """Batches as a function of the step: a resumed training sees those that an undisturbed one sees."""

    identities: list[str]
    """Names, in the order of the labels."""

    def batch(self, run: int, step: int) -> Batch:
        """The batch of one step of one run; other runs of a training draw others."""
