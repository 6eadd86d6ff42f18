"""Scores of listed pairs on a CUDA device."""

import numpy as np
import torch

from vfsearch.kernels.cuda.pair_decision import exact_scores
from vfsearch.kernels.cuda.places import devices_of, memory_of
from vfsearch.kernels.cuda.streaming import dtype_there, resident

PAIRS = 2**22
Vectors = np.ndarray | torch.Tensor


def pair_scores_cuda(
    queries: Vectors, vectors: Vectors, query_rows: np.ndarray, rows: np.ndarray, device: str
) -> np.ndarray:
    """The exact scores of listed pairs, some millions at a time.

    Args:
        queries: (q, d) unit rows of float32, float16, bfloat16 or float64.
        vectors: (n, d) unit rows.
        query_rows: (t,) rows of `queries`.
        rows: (t,) rows of `vectors`.
        device: where to compute; of "cuda:all" the first.
    Returns:
        (t,) float64.
    """
    there = devices_of(device)[0]
    memory = memory_of(there, None) // 4
    left = _Side(queries, there, memory)
    right = left if vectors is queries else _Side(vectors, there, memory)
    step = max(1, min(PAIRS, memory // (16 * max(1, queries.shape[1]))))
    scores = np.empty(len(rows))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        (own, own_numbers), (other, numbers) = left.take(query_rows[part]), right.take(rows[part])
        scores[part] = exact_scores(own, other, own_numbers, numbers, "ip").cpu().numpy()
    return scores


class _Side:
    """Rows of one side: on the device if they fit there, else those that a block of pairs needs."""

    def __init__(self, vectors: Vectors, device: torch.device, memory: int) -> None:
        self.vectors, self.device = vectors, device
        size = len(vectors) * vectors.shape[1] * dtype_there(vectors).itemsize
        is_there = isinstance(vectors, torch.Tensor) and vectors.device == device
        self.kept = resident(vectors, device) if is_there or size <= memory else None

    def take(self, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows on the device, and which of them are asked for."""
        if self.kept is not None:
            return self.kept, torch.as_tensor(numbers.astype(np.int64, copy=False)).to(self.device)
        # In ascending order: rows mapped from disk are read in the order they lie there.
        needed, places = np.unique(numbers, return_inverse=True)
        chosen = self.vectors[torch.as_tensor(needed) if isinstance(self.vectors, torch.Tensor) else needed]
        return resident(chosen, self.device), torch.as_tensor(places.ravel()).to(self.device)
