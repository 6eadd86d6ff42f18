"""What an index is: gallery rows in, neighbours out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from vfsearch.artefact import Artefact, read_artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import Neighbors
from vfsearch.data.space import Space
from vfsearch.errors import DamagedError
from vfsearch.files import writer_lock
from vfsearch.tables import build, get_columns, get_texts, put_columns, put_texts, reading

SCHEMA = 1
MADE_BY = "vfsearch index build"
ITEMS_NAME = "items.h5"
OWN_NAMES = r"[0-9a-f]{8}-(items|vectors|index)\.[a-z0-9]+"


@dataclass(frozen=True, kw_only=True, eq=False)
class Gallery:
    """What an index knows of its rows beside their vectors.

    Args:
        ids, identities: of each row.
        columns: name -> one text a row (path, split, ...).
        modality: of all rows.
        space: of all rows.
        store: digest of the store that they come from.
    """

    ids: list[str]
    identities: list[str]
    columns: dict[str, list[str]]
    modality: str
    space: Space
    store: str


class Index(ABC):
    """Rows of one modality that can be searched.

    Args:
        gallery: what is known of the rows.
    """

    backend: ClassVar[str]

    def __init__(self, gallery: Gallery) -> None:
        self.gallery = gallery

    def __len__(self) -> int:
        return len(self.gallery.ids)

    @classmethod
    @abstractmethod
    def build(cls, embeddings: Embeddings, store: str, device: str = "cpu") -> Self:
        """Index the rows of one modality.

        Args:
            embeddings: the rows.
            store: digest of the store that they come from.
            device: where searches will run.
        """

    @abstractmethod
    def search(
        self,
        queries: np.ndarray,
        k: int,
        rows: np.ndarray | None = None,
        exclude: np.ndarray | None = None,
        max_memory: int | None = None,
    ) -> Neighbors:
        """The k best rows of each query.

        Args:
            queries: (q, d) unit rows of the index's space.
            k: how many.
            rows: (m,) ascending rows to search among; None: all.
            exclude: (q,) one row each query must not get (itself); -1 for none.
            max_memory: bytes to use beside the rows and the answer; None: 1 GiB.
        """

    @abstractmethod
    def _files(self) -> dict[str, bytes]:
        """The files that hold the index, beside the one that names its rows; they are called vectors.* or index.*."""

    @classmethod
    @abstractmethod
    def _open(cls, artefact: Artefact, gallery: Gallery, device: str) -> Self:
        """The index that `_files` gave, from checked files."""

    def save(self, folder: Path) -> None:
        """Write the index; a reader finds the old one or the new one, whole.

        Raises:
            LockedError: another process writes there.
            VfsearchError: it cannot be written.
        """
        gallery = self.gallery
        about = {
            "backend": self.backend,
            "modality": gallery.modality,
            "space": gallery.space.to_json(),
            "store": gallery.store,
            "rows": len(self),
        }
        with writer_lock(folder):
            artefact = Artefact(folder=folder, kind="index", schema=SCHEMA, about=about)
            # Names carry the store's digest: an open index goes on reading the files that it mapped.
            mark = gallery.store[:8]
            for name, data in {**self._files(), ITEMS_NAME: _pack_items(gallery)}.items():
                artefact.add(f"{mark}-{name}", data, role=name)
            artefact.write()
            artefact.remove_unlisted(OWN_NAMES)


def file_of(artefact: Artefact, role: str) -> str:
    """The name of the file that has a role ("items.h5") in an index.

    Raises:
        DamagedError: there is none.
    """
    for name, facts in artefact.files.items():
        if facts.get("role") == role:
            return name
    raise DamagedError(f"the index {artefact.folder} has no {role}; make it anew with `{MADE_BY}`")


def read_index_artefact(folder: Path) -> Artefact:
    """The sealed list of an index's files.

    Raises:
        ArtefactError: there is no index of this layout.
        DamagedError: its manifest is damaged.
    """
    return read_artefact(folder, "index", SCHEMA, MADE_BY)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed `Index.save` left beside an index.

    Raises:
        LockedError: another process writes there.
    """
    with writer_lock(folder):
        read_index_artefact(folder).remove_unlisted(OWN_NAMES)


def read_gallery(artefact: Artefact) -> Gallery:
    """What an index knows of its rows.

    Raises:
        DamagedError: the file is damaged.
    """
    name = file_of(artefact, ITEMS_NAME)
    with reading(artefact.read(name), str(artefact.folder / name)) as file:
        return Gallery(
            ids=get_texts(file, "ids"),
            identities=get_texts(file, "identities"),
            columns=get_columns(file["columns"]),
            modality=artefact.about["modality"],
            space=Space(**artefact.about["space"]),
            store=artefact.about["store"],
        )


def _pack_items(gallery: Gallery) -> bytes:
    def fill(file) -> None:
        put_texts(file, "ids", gallery.ids)
        put_texts(file, "identities", gallery.identities)
        put_columns(file.create_group("columns"), gallery.columns)

    return build(fill)
