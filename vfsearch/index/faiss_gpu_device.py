"""The GPU as faiss sees it: whether there is one, its memory, indices brought there and back.

Nothing here needs a GPU to be imported. Source: the headers of faiss, gpu/GpuClonerOptions.h, gpu/GpuIndexCagra.h,
gpu/impl/IndexUtils.h.
"""

import contextlib
from collections.abc import Iterator

import faiss

from vfsearch.devices import one_device
from vfsearch.errors import DoesNotFitError, MissingExtraError, SettingsError, VfsearchError
from vfsearch.index.faiss_factory import word_of

GPU_LINE = "pip uninstall faiss-cpu, then pip install 'vfsearch[gpu]'"
CUVS_LINE = "pip uninstall faiss-cpu faiss-gpu-cu12, then pip install faiss-gpu-cuvs"
TEMPORARY_BYTES = 2**29
"""What faiss may use for its own work beside an index; its own choice is three times as much."""


def require_gpu() -> None:
    """Refuse to go on without a GPU that faiss can use.

    Raises:
        MissingExtraError: the faiss that is installed has no GPU part.
        SettingsError: it sees no GPU.
    """
    if not hasattr(faiss, "StandardGpuResources"):
        raise MissingExtraError(
            f"the faiss {faiss.__version__} that is installed has no GPU part; the two cannot stand beside each other: "
            f"{GPU_LINE}"
        )
    if not faiss.get_num_gpus():
        raise SettingsError("faiss sees no CUDA device; take an index for the CPU, or look whether `nvidia-smi` works")


def require_cagra() -> None:
    """Refuse a graph for the GPU without what makes it.

    Raises:
        MissingExtraError: the faiss that is installed was built without NVIDIA cuVS.
    """
    if not hasattr(faiss, "GpuIndexCagra"):
        raise MissingExtraError(
            f"the faiss {faiss.__version__} that is installed was built without NVIDIA cuVS, which CAGRA is part of: "
            f"{CUVS_LINE}"
        )


def number_of(device: str, what: str) -> int:
    """Which GPU a device is, by its number.

    Args:
        device: "cuda", "cuda:N" or "cuda:all" (the first).
        what: what shall run there, for the message.
    Raises:
        SettingsError: it is none, or faiss does not see it.
    """
    kind, _, number = one_device(device).partition(":")
    if kind != "cuda":
        raise SettingsError(f"{what} runs on a GPU, not on {device}; give --device cuda")
    if int(number or 0) >= faiss.get_num_gpus():
        raise SettingsError(f"{what}: {device} is not here, faiss sees {faiss.get_num_gpus()} CUDA devices")
    return int(number or 0)


class Gpu:
    """One GPU, and what faiss keeps there for its own work.

    Args:
        device: "cuda" or "cuda:N".
        what: what shall run there, for messages.
    """

    def __init__(self, device: str, what: str) -> None:
        require_gpu()
        self.number, self._what = number_of(device, what), what
        self.resources = faiss.StandardGpuResources()
        self.resources.setTempMemory(TEMPORARY_BYTES)

    def taken(self, index: faiss.Index, float16: bool, rows: int = 0) -> faiss.Index:
        """An index of the CPU, brought to the GPU.

        Args:
            index: trained or not, with rows or without.
            float16: half precision: of rows in a flat index, of tables of product codes.
            rows: how many will be added, so that lists need not grow.
        Raises:
            DoesNotFitError: the GPU has too little memory.
        """
        options = faiss.GpuClonerOptions()
        # The kernels of faiss itself: those of cuVS know neither 16-bit lists nor narrow ids.
        options.use_cuvs = False
        options.useFloat16, options.reserveVecs = float16, rows
        options.indicesOptions = faiss.INDICES_32_BIT if max(rows, index.ntotal) < 2**31 else faiss.INDICES_64_BIT
        with self.working():
            return faiss.index_cpu_to_gpu(self.resources, self.number, index, options)

    def brought_back(self, index: faiss.Index) -> faiss.Index:
        """An index of the GPU, as one of the CPU that can be written."""
        with self.working():
            return faiss.index_gpu_to_cpu(index)

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """What faiss says of the GPU, in our errors.

        Raises:
            DoesNotFitError: its memory does not do.
            VfsearchError: something else is wrong with it.
        """
        try:
            yield
        except (RuntimeError, MemoryError) as error:
            word = word_of(error)
            if "memory" in word.lower() or "alloc" in word.lower():
                raise DoesNotFitError(
                    f"{self._what} does not fit into the memory of GPU {self.number}: {word}; take a kind of index "
                    "that is smaller (ivf-pq, or float16), or one for the CPU"
                ) from error
            raise VfsearchError(f"{self._what} on GPU {self.number}: {word}") from error
