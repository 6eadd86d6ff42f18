"""What a search gives back."""

from dataclasses import dataclass

import numpy as np

from vfsearch.errors import VectorError

NO_ROW = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Neighbors:
    """The best gallery rows of each probe, best first; equal scores in the order of their rows.

    Args:
        rows: (q, k) int64 gallery rows, padded with -1.
        scores: (q, k) float64 similarities, padded with -inf.
    """

    rows: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        if self.rows.shape != self.scores.shape or self.rows.ndim != 2:
            raise VectorError(f"rows {self.rows.shape} and scores {self.scores.shape} must have one shape (q, k)")
