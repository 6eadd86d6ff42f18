"""How an index of SVS keeps its rows."""

from dataclasses import dataclass

import numpy as np

from vfsearch.index.vector_file import VectorFile

SAMPLE = 20_000
MOST = 127


@dataclass(frozen=True, kw_only=True)
class RowFormat:
    """Numbers of one type, with one scale for all of them.

    Args:
        compression: "none", "float16" or "int8".
        scale: what numbers are multiplied by before they are rounded to int8; 1 for the others.

    Example:
        >>> RowFormat(compression="int8", scale=100.0).encode(np.array([[0.5, -0.004]], np.float32)).tolist()
        [[50, 0]]
    """

    compression: str
    scale: float = 1.0

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""
        return np.dtype("f4" if self.compression == "none" else "f2" if self.compression == "float16" else "i1")

    def encode(self, rows: np.ndarray) -> np.ndarray:
        """(m, d) what is kept of float32 rows."""
        if self.compression != "int8":
            return rows.astype(self.dtype, copy=False)
        return np.rint(np.clip(rows * np.float32(self.scale), -MOST, MOST)).astype(np.int8)

    def encode_queries(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """What SVS is asked with, and by what (q, 1) its scores are to be multiplied; None: they are what they are.

        A query has its own scale, which changes nothing in the order of its neighbours.
        """
        if self.compression != "int8":
            return queries, None
        from vfsearch.kernels.cpu.packing import int8_rows

        short, scales = int8_rows(queries)
        return short, (scales / np.float32(self.scale))[:, None]

    @classmethod
    def fitting(cls, compression: str, rows: VectorFile, seed: int) -> "RowFormat":
        """The format that keeps most of these rows."""
        if compression != "int8":
            return cls(compression=compression)
        return cls(compression=compression, scale=_best_scale(rows.sample(SAMPLE, seed)))


def _best_scale(rows: np.ndarray) -> float:
    """The scale with the least squared error: numbers beyond it are cut off, the others rounded finer."""
    greatest = float(np.abs(rows).max())
    scales = [MOST / (greatest * share) for share in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)]
    return min(scales, key=lambda scale: float(np.square(_decoded(rows, scale) - rows).sum(dtype=np.float64)))


def _decoded(rows: np.ndarray, scale: float) -> np.ndarray:
    return RowFormat(compression="int8", scale=scale).encode(rows) / np.float32(scale)
