"""The back ends by name, and opening whichever one a folder holds."""

from pathlib import Path

from vfsearch.errors import ArtefactError
from vfsearch.index.base import Index, read_gallery, read_index_artefact
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
        )
    },
)


def open_index(folder: Path, device: str = "cpu") -> Index:
    """Open an index, checked.

    Args:
        folder: where it is.
        device: where searches shall run.
    Raises:
        ArtefactError: there is none, or it is empty.
        DamagedError: a file is damaged.
        UnknownNameError: its back end is not known here.
    """
    artefact = read_index_artefact(folder)
    gallery = read_gallery(artefact)
    if not gallery.ids:
        raise ArtefactError(f"the index {folder} has no rows")
    return BACKENDS.load(artefact.about["backend"])._open(artefact, gallery, device)
