"""The same number of threads for all that is measured."""

import contextlib
import importlib
import importlib.util
import os
from collections.abc import Iterator

import torch

from vfsearch.devices import set_threads, threads

# Loaded first: what is loaded later would take its threads from elsewhere.
_WITH_THREADS = ("numpy", "faiss", "sklearn.neighbors", "scipy.linalg")


@contextlib.contextmanager
def same_threads(count: int | None) -> Iterator[int]:
    """Within the block, every library computes with so many threads; gives their number.

    What has its own pool (OpenBLAS, MKL, OpenMP) is told by threadpoolctl where that is installed (scikit-learn brings
    it), else by the environment, which counts only for libraries that are not loaded yet.

    Args:
        count: None: as many as `vfsearch.devices.threads` says.
    Raises:
        SettingsError: fewer than one.
    """
    before, torch_before = os.environ.get("OMP_NUM_THREADS"), torch.get_num_threads()
    count = threads() if count is None else count
    set_threads(count)
    for name in _WITH_THREADS:
        if importlib.util.find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    try:
        with _pools(count):
            yield count
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before
        torch.set_num_threads(torch_before)


def _pools(count: int) -> contextlib.AbstractContextManager:
    if not importlib.util.find_spec("threadpoolctl"):
        return contextlib.nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(count)
