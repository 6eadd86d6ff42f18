"""Bytes of an index before it is built: formulas of number of rows and dimension, for each back end."""

from collections.abc import Callable
from dataclasses import dataclass

from vfsearch.errors import SettingsError
from vfsearch.index.faiss_costs import ROWS_AT_ONCE, faiss_costs
from vfsearch.index.settings import BuildSettings

PROCESS_BYTES = 350 * 2**20
"""Python with torch, numba and a library of indices, before there is any row."""
TEXT_BYTES = 100
"""Of a row: id, identity and other columns, where no store tells."""
TEXT_COPIES = 3.6
"""Texts are collected, looked through for doubled ids, joined and written, before the rest of an index is built."""
MANIFEST_BYTES = 4096
SAMPLE_A_LIST = 64
"""Rows of each list that the clustered back end learns centres from."""
SCALED_ROWS = 20_000
"""That the scale of one-byte rows is chosen with; a few copies of them are made."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """A gallery that is to be indexed.

    Args:
        rows: how many.
        dimension: of the rows.
        text_bytes: id, identity and columns of a row, in the mean, with 8 bytes for each of them.
    Raises:
        SettingsError: one is out of range.
    """

    rows: int
    dimension: int
    text_bytes: int = TEXT_BYTES

    def __post_init__(self) -> None:
        if self.rows < 1 or self.dimension < 1 or self.text_bytes < 0:
            raise SettingsError(f"want at least one row and dimension, got {self.rows:,} rows x {self.dimension}")

    @property
    def vector_bytes(self) -> int:
        """Bytes of the rows themselves."""
        return 4 * self.rows * self.dimension


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Bytes of one index.

    Args:
        disk: of its folder.
        memory: what searches keep in memory, beside the process itself.
        mapped: files that searches read where they lie: they want so much of the system's cache, or wait for the disk.
        build: most memory while it is built, beside the process itself.
    """

    disk: int
    memory: int
    mapped: int
    build: int


def costs(settings: BuildSettings, size: Size) -> Costs:
    """What an index takes.

    Args:
        settings: as `Index.prepared` gave them, nothing left to choose.
        size: of the gallery.
    Raises:
        SettingsError: the bytes of such an index are not known.

    Example:
        >>> costs(BuildSettings(backend="exact"), Size(rows=1000, dimension=16, text_bytes=40)).disk
        108096
    """
    if settings.backend not in _FORMULAS:
        raise SettingsError(f"what an index of {settings.backend} takes is not known before it is built")
    own = _FORMULAS[settings.backend](settings, size)
    texts = size.rows * size.text_bytes
    return Costs(
        disk=size.vector_bytes + texts + own.disk + MANIFEST_BYTES,
        memory=own.memory,
        mapped=own.mapped,
        build=max(int(TEXT_COPIES * texts), texts + own.build),
    )


def _exact(settings: BuildSettings, size: Size) -> Costs:
    return Costs(disk=0, memory=panel_bytes(size), mapped=size.vector_bytes, build=0)


def panel_bytes(size: Size) -> int:
    """Bytes of the rows made ready for our kernel, of the quickest numbers that the processor multiplies.

    Rows that want more than the exact engine keeps are made ready anew in each search.
    """
    from vfsearch.kernels.cpu.packing import bytes_of_panels
    from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8
    from vfsearch.kernels.search_gallery import MEMORY

    kind = next(kind for kind in (INT8, BF16, FLOAT32) if kind.here or kind is FLOAT32)
    needed = bytes_of_panels(kind, size.rows, size.dimension)
    return needed if needed <= MEMORY // 2 else 0


def _clustered(settings: BuildSettings, size: Size) -> Costs:
    """Searches pack the rows list by list, in panels of which the last of each list is half empty in the mean."""
    from vfsearch.kernels.cpu.lists import kind_for
    from vfsearch.kernels.cpu.tiles import PANEL

    lists = settings.parameters["lists"]
    centres, numbers, block = 4 * lists * size.dimension, 4 * size.rows, min(size.rows, ROWS_AT_ONCE)
    places = size.rows + lists * min(PANEL // 2, size.rows)
    packed = places * (4 * (kind_for(size.dimension).words(size.dimension) + 1) + 8)
    return Costs(
        disk=centres + numbers + 256,
        memory=packed + 2 * centres + numbers,
        mapped=size.vector_bytes,
        build=(3 * min(size.rows, SAMPLE_A_LIST * lists) + 5 * block) * 4 * size.dimension + numbers,
    )


def _faiss(settings: BuildSettings, size: Size) -> Costs:
    parameters = settings.parameters
    found = faiss_costs(parameters["factory"], parameters["train_rows"], size.rows, size.dimension)
    scored = 0 if parameters["factory"].endswith("Flat") else size.vector_bytes
    return Costs(disk=found.file, memory=found.memory, mapped=found.mapped + scored, build=found.build)


def _hnswlib(settings: BuildSettings, size: Size) -> Costs:
    """An entry of the lowest layer has its links, its row and its number; one in `M` is in the next layer too."""
    links = settings.parameters["M"]
    entry = 4 + 8 * links + 4 * size.dimension + 8
    above = 4 + (4 * links + 4) / (links - 1)
    file = int(size.rows * (entry + above)) + 96
    return Costs(disk=file, memory=file, mapped=0, build=file)


def _svs(settings: BuildSettings, size: Size) -> Costs:
    parameters = settings.parameters
    graph = size.rows * (parameters["degree"] + 1) * 4
    rows = size.vector_bytes * {"none": 4, "float16": 2, "int8": 1}[parameters["compression"]] // 4
    scored = 0 if parameters["compression"] == "none" else size.vector_bytes
    tried = 4 * min(size.rows, SCALED_ROWS) * 4 * size.dimension if parameters["compression"] == "int8" else 0
    # The graph of a build has room for more links than the finished one.
    build = 2 * graph + rows + tried
    return Costs(disk=graph + rows + 4096, memory=graph + rows, mapped=scored, build=build)


_FORMULAS: dict[str, Callable[[BuildSettings, Size], Costs]] = {
    "exact": _exact,
    "clustered": _clustered,
    "faiss": _faiss,
    "hnswlib": _hnswlib,
    "svs": _svs,
}
