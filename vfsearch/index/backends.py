"""The back ends by name, and opening whichever one a folder holds."""

from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.space import Space
from vfsearch.errors import ArtefactError, DamagedError, SettingsError
from vfsearch.index.base import Index, Opened
from vfsearch.index.items import read_items
from vfsearch.index.layout import ITEMS, VECTORS, file_of, paths_by_role, read_index_artefact
from vfsearch.index.partitions import is_sharded
from vfsearch.index.settings import BuildSettings
from vfsearch.index.vector_file import VectorFile
from vfsearch.registry import Entry, Registry

BACKENDS = Registry(
    "index back end",
    "vfsearch.indices",
    {
        "exact": Entry(
            target="vfsearch.index.exact:ExactIndex",
            facts={"description": "compares with every row; exact, CPU and GPU"},
            requires=("torch",),
            pip_line="pip install torch",
        ),
        "clustered": Entry(
            target="vfsearch.index.clustered:ClusteredIndex",
            facts={"description": "lists of rows around centres, our own kernels; quickest for many probes at a time"},
            requires=("torch",),
            pip_line="pip install torch",
        ),
        "faiss": Entry(
            target="vfsearch.index.faiss_cpu:FaissIndex",
            facts={"description": "any index that a faiss factory string names"},
            requires=("faiss",),
            pip_line="pip install 'vfsearch[cpu]'",
        ),
        "hnswlib": Entry(
            target="vfsearch.index.hnswlib_graph:HnswlibIndex",
            facts={"description": "hnswlib's graph of full rows"},
            requires=("hnswlib",),
            pip_line="pip install 'vfsearch[hnswlib]' (needs a C++ compiler)",
        ),
        "svs": Entry(
            target="vfsearch.index.svs_graph:SvsIndex",
            facts={"description": "Vamana graph of full or compressed rows, Scalable Vector Search"},
            requires=("svs",),
            pip_line="pip install 'vfsearch[svs]'",
        ),
        "faiss-gpu": Entry(
            target="vfsearch.index.faiss_gpu:FaissGpuIndex",
            facts={"description": "flat, IVF, IVF-PQ and CAGRA on a CUDA GPU"},
            requires=("faiss",),
            pip_line="pip install 'vfsearch[gpu]'",
        ),
    },
    base=Index,
)


def open_index(folder: Path, device: str = "cpu") -> Index:
    """Open an index, checked: manifest, size and digest of every file, what they say of one another, one search.

    It searches with the settings that it was tuned to, else with the defaults of its back end.

    Args:
        folder: where it is.
        device: where searches shall run; those of a sharded index are asked in this process, one after another.
    Raises:
        ArtefactError: there is none.
        DamagedError: a file is damaged.
        UnknownNameError, MissingExtraError: its back end is not known or not installed here.
        SettingsError: it does not search on this device.
    """
    artefact = read_index_artefact(folder)
    if is_sharded(artefact):
        from vfsearch.index.answers import open_here

        return open_here(artefact, device)
    # Before any native loader: most of them read past their memory in a file that is damaged.
    artefact.verify()
    kind: type[Index] = BACKENDS.load(artefact.about["backend"])
    require_device(kind, artefact.about["backend"], device)
    index = kind(opened(artefact, device))
    index.use(artefact.about["search"])
    _probe(index)
    return index


def opened(artefact: Artefact, device: str = "cpu") -> Opened:
    """What a back end is given of an index whose files were checked.

    Raises:
        DamagedError: the files do not fit one another.
    """
    about = artefact.about
    paths = paths_by_role(artefact)
    items, file = artefact.folder / file_of(artefact, ITEMS), VectorFile(artefact.folder / file_of(artefact, VECTORS))
    space = Space(**about["space"])
    gallery = read_items(items, about["modality"], space, about["store"])
    if file.shape != (len(gallery.ids), space.dimension) or about["rows"] != len(gallery.ids):
        raise DamagedError(
            f"{file.path} holds {file.shape}, {items} {len(gallery.ids)} rows of {space}, its index says "
            f"{about['rows']}; make it anew"
        )
    if not len(gallery.ids):
        raise ArtefactError(f"the index {artefact.folder} has no rows")
    return Opened(
        folder=artefact.folder, paths=paths, gallery=gallery, vectors=file.mapped(),
        made_with=BuildSettings.from_json(about["settings"]), device=device,
    )  # fmt: skip


def _probe(index: Index) -> None:
    """One search, before anybody relies on the index."""
    # An exact index reads every row that it is asked about, of as many gigabytes as there are.
    found = index.search(np.array(index.vectors[:1]), 1, np.arange(1) if index.exact else None)
    row, score = int(found.rows[0, 0]), float(found.scores[0, 0])
    if not -1 <= row < len(index) or not (row == -1 or np.isfinite(score)):
        raise DamagedError(
            f"the index {index.folder} answers with row {row} and score {score}: its files do not go together; "
            "make it anew"
        )


def working_device(name: str, device: str) -> str:
    """The device that a back end works on where the rest is computed on `device`: that one, else the CPU.

    Raises:
        SettingsError: it works on neither.
        UnknownNameError, MissingExtraError: the back end is not known or not installed here.
    """
    kind: type[Index] = BACKENDS.load(name)
    if device.partition(":")[0] not in kind.devices and "cpu" in kind.devices:
        return "cpu"
    require_device(kind, name, device)
    return device


def require_device(kind: type[Index], name: str, device: str) -> None:
    """Refuse a device that a back end cannot search on.

    Raises:
        SettingsError: it cannot.
    """
    if device.partition(":")[0] not in kind.devices:
        how = "--device cpu" if "cpu" in kind.devices else f"--device {kind.devices[0]} on a machine with a GPU"
        raise SettingsError(
            f"the back end {name} searches on {' and '.join(kind.devices)}, not on {device}: give {how}, or take "
            "another kind of index; `vfsearch index plan` says which can be had here"
        )
