"""Rows as kernels read them: float32, a stretch or a choice at a time, whatever they are held in."""

import numpy as np
import torch

from vfsearch.errors import SettingsError, VectorError

LONGEST = {"ip": 1.01, "l2": 1e15}
"""Exact products are defined for rows of length 1; float32 holds the squares of rows up to the other length."""
CHECKED_AT_ONCE = 2**12
_FLOAT32 = np.dtype("f4")
ROW_TYPES = ("float32", "float16", "bfloat16", "float64")


class Rows:
    """(n, d) rows in memory or mapped, as numpy or torch hold them, or in parts (`PartedVectors`).

    Args:
        vectors: of float32, float16 or bfloat16; float64 is rounded to float32, in which rows are stored.
    Raises:
        SettingsError: they are no matrix of such numbers.
    """

    def __init__(self, vectors: np.ndarray | torch.Tensor) -> None:
        if isinstance(vectors, np.ndarray) and vectors.dtype == _FLOAT32 and vectors.ndim == 2:
            # What almost all rows are; a probe that comes alone waits for each question.
            self.held, self.shape = np.asarray(vectors), vectors.shape
            return
        dtype = str(vectors.dtype).removeprefix("torch.")
        if vectors.ndim != 2 or dtype not in ROW_TYPES:
            raise SettingsError(
                f"the rows are {dtype} of shape {tuple(vectors.shape)}, wanted (n, d) of {', '.join(ROW_TYPES)}"
            )
        if isinstance(vectors, torch.Tensor) and dtype != "bfloat16":
            vectors = vectors.detach().cpu().numpy()
        # A subclass such as a mapped array is looked at as what it is beneath.
        self.held = np.asarray(vectors) if isinstance(vectors, np.ndarray) else vectors
        self.shape = (len(vectors), vectors.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def plain(self) -> np.ndarray | None:
        """The rows themselves, where compiled loops can read them without a copy."""
        held = self.held
        if isinstance(held, np.ndarray) and held.dtype == np.float32:
            flags = held.flags
            return held if flags.c_contiguous and flags.writeable and flags.aligned else None
        return None

    def read(self, first: int, last: int) -> np.ndarray:
        """(last - first, d) float32 rows in memory, in the order of C."""
        return self._float32(self.held[first:last]) if self.plain is None else self.plain[first:last]

    def take(self, rows: np.ndarray) -> np.ndarray:
        """(m, d) float32 copies of chosen rows."""
        if isinstance(self.held, torch.Tensor):
            return self._float32(self.held[torch.as_tensor(rows)])
        return self._float32(self.held[rows])

    @staticmethod
    def _float32(part: np.ndarray | torch.Tensor) -> np.ndarray:
        if isinstance(part, torch.Tensor):
            return part.detach().cpu().float().numpy()
        with np.errstate(over="ignore"):
            # What float32 cannot hold becomes infinite, and is refused as such.
            return np.array(part, dtype=np.float32, order="C")


def too_long(row: int, metric: str) -> VectorError:
    """The error of a gallery row that is not finite, or longer than a metric allows."""
    advice = "an inner product is asked of unit rows" if metric == "ip" else "leave it out, or scale the rows"
    return VectorError(f"row {row} of the gallery is not finite or longer than {LONGEST[metric]:g}: {advice}")


def require_good(rows: Rows, metric: str) -> None:
    """Refuse rows that no metric can rank.

    Raises:
        VectorError: naming the first row that is not finite or too long.
    """
    for first in range(0, len(rows), CHECKED_AT_ONCE):
        part = rows.read(first, min(first + CHECKED_AT_ONCE, len(rows)))
        lengths = np.sqrt(np.einsum("nd,nd->n", part, part, dtype=np.float64))
        bad = np.flatnonzero(~(lengths <= LONGEST[metric]))
        if len(bad):
            raise too_long(first + int(bad[0]), metric)
