"""A gallery that is searched again and again: what each search would otherwise make anew."""

from threading import RLock
from typing import TYPE_CHECKING

import numpy as np
import torch

from vfsearch.errors import SettingsError
from vfsearch.kernels.rows import Rows, require_good

if TYPE_CHECKING:
    from vfsearch.kernels.cpu.packing import Panels
    from vfsearch.kernels.cpu.tiles import Kind

METRICS = ("ip", "l2")
MEMORY = 2**30
"""Bytes that a search may use beside its inputs and results, unless told otherwise."""


class SearchGallery:
    """Gallery rows, and on a CPU their packed panels, on a GPU their copy there; made when first needed, then kept.

    Args:
        vectors: (n, d) rows of float32, float16, bfloat16 or float64, in memory or mapped; they must not change.
        device: where searches run.
        metric: "ip" (inner product of rows no longer than 1) or "l2".
        max_memory: bytes that what is kept may take; a gallery that needs more is packed anew in each search.
    """

    def __init__(
        self,
        vectors: np.ndarray | torch.Tensor,
        device: str = "cpu",
        metric: str = "ip",
        max_memory: int | None = None,
    ) -> None:
        require_metric(metric)
        self.vectors, self.device, self.metric = vectors, device, metric
        self.shape = tuple(vectors.shape)
        self._most = max_memory
        self._lock = RLock()
        self._kept: dict[str, object] = {}

    def __len__(self) -> int:
        return self.shape[0]

    def rows(self) -> Rows:
        """The rows, for reading on the CPU."""
        return self._keep("rows", lambda: Rows(self.vectors))

    def panels(self, kind: "Kind") -> "Panels | None":
        """All rows packed for the CPU; None where that takes more memory than allowed.

        Raises:
            VectorError: a row is not finite or too long.
        """
        from vfsearch.kernels.cpu.search import packed

        if not self.has_room(kind):
            return None
        return self._keep(kind.name, lambda: packed(self.rows(), kind, 0, len(self), self.metric))

    def has_room(self, kind: "Kind") -> bool:
        """Whether all rows, packed for the CPU, take no more memory than allowed."""
        from vfsearch.kernels.cpu.packing import bytes_of_panels

        return self._most is None or bytes_of_panels(kind, *self.shape) <= self._most

    def require_good(self) -> None:
        """Refuse rows that are not finite or too long, if that was not done before.

        Raises:
            VectorError: naming the first one.
        """
        self._keep("good", lambda: require_good(self.rows(), self.metric))

    def on_device(self):
        """The rows on the GPU.

        Returns:
            vfsearch.kernels.cuda.rows.CudaRows
        """
        from vfsearch.kernels.cuda.rows import CudaRows

        return self._keep("device", lambda: CudaRows(self.vectors, self.device, self.metric, self._most))

    def _keep(self, name: str, make):
        with self._lock:
            if name not in self._kept:
                self._kept[name] = make()
            return self._kept[name]


def search_gallery(
    vectors: np.ndarray | torch.Tensor, device: str = "cpu", *, metric: str = "ip", max_memory: int | None = None
) -> SearchGallery:
    """What repeated searches of the same rows shall keep; see `SearchGallery`.

    Raises:
        SettingsError: no such metric.
    """
    return SearchGallery(vectors, device, metric, max_memory)


def require_metric(metric: str) -> None:
    """Refuse what is no metric.

    Raises:
        SettingsError: naming those there are.
    """
    if metric not in METRICS:
        raise SettingsError(f"the metric is {metric!r}, it must be one of {', '.join(METRICS)}")
