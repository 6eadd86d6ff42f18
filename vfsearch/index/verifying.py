"""Whether an index is as it was written, holds its rows and nothing else, and nothing of those that were removed."""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import MANIFEST_NAME, Artefact
from vfsearch.errors import ArtefactError, DamagedError, VfsearchError
from vfsearch.files import LOCK_NAME, TEMPORARY_PREFIX
from vfsearch.index.absence import Gone, Looked, look_for
from vfsearch.index.backends import open_index, opened
from vfsearch.index.base import Opened
from vfsearch.index.items import read_items
from vfsearch.index.layout import ITEMS, VECTORS, read_index_artefact
from vfsearch.index.partitions import is_sharded, partitions_of, size_bytes
from vfsearch.index.vector_file import VectorFile, npy_header
from vfsearch.index.writer import BUILDING
from vfsearch.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class IndexFindings:
    """What was found out about an index.

    Args:
        folder: where it is.
        backend, modality, rows: what it says that it is; "" and 0 where its manifest is damaged.
        files, size_bytes: that were read.
        faults: what is not as it should be.
        proved: what was made sure of.
        unproved: what could not be looked at, and why.
    """

    folder: Path
    backend: str = ""
    modality: str = ""
    rows: int = 0
    files: int = 0
    size_bytes: int = 0
    faults: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()

    def to_json(self) -> dict:
        """The findings as JSON."""
        lists = {name: list(getattr(self, name)) for name in ("faults", "proved", "unproved")}
        return {**self.__dict__, "folder": str(self.folder), **lists}


def verify_index(
    folder: Path, absent: Sequence[Gone] = (), device: str = "cpu", progress: Progress = silent
) -> IndexFindings:
    """Read every byte of an index and check it.

    Args:
        folder: of the index.
        absent: of whom nothing may be left in it.
        device: where to open it.
        progress: called with bytes read.
    Raises:
        ArtefactError: there is no index, or one of another layout.
    """
    try:
        artefact = read_index_artefact(folder)
    except DamagedError as error:
        return IndexFindings(folder=folder, faults=(str(error),))
    if is_sharded(artefact):
        return _of_partitions(artefact, absent, device, progress)
    whole = _damaged(artefact, progress)
    looked = [Looked(faults=(*whole, *_strangers(artefact)), proved=(), unproved=())]
    if not whole:
        looked += [_structure(artefact, device)]
        looked += [look_for(each, opened(artefact), progress) for each in absent]
    about = artefact.about
    return IndexFindings(
        folder=folder, backend=about["backend"], modality=about["modality"], rows=about["rows"],
        files=len(artefact.files), size_bytes=sum(facts["size"] for facts in artefact.files.values()),
        faults=tuple(fault for each in looked for fault in each.faults),
        proved=(*_of_files(artefact, whole), *(text for each in looked for text in each.proved)),
        unproved=tuple(text for each in looked for text in each.unproved),
    )  # fmt: skip


def _of_partitions(artefact: Artefact, absent: Sequence[Gone], device: str, progress: Progress) -> IndexFindings:
    """The findings of all partitions, and of the list of them."""
    found, listed = [], _damaged(artefact, silent)
    for partition in partitions_of(artefact):
        try:
            found.append(verify_index(partition.folder, absent, device, progress))
        except ArtefactError as error:
            found.append(IndexFindings(folder=partition.folder, faults=(str(error),)))
    about, theirs = artefact.about, (text for each in found for text in each.faults)
    return IndexFindings(
        folder=artefact.folder, backend=about["backend"], modality=about["modality"], rows=about["rows"],
        files=sum(each.files for each in found) + len(found), size_bytes=size_bytes(artefact),
        faults=tuple(dict.fromkeys((*listed, *_strangers(artefact), *theirs))),
        proved=tuple(f"{each.folder.name}: {text}" for each in found for text in each.proved),
        unproved=tuple(f"{each.folder.name}: {text}" for each in found for text in each.unproved),
    )  # fmt: skip


def _damaged(artefact: Artefact, progress: Progress) -> list[str]:
    """Files whose bytes are not those that were written."""
    found = []
    for done, name in enumerate(artefact.files, start=1):
        try:
            artefact.checked_path(name)
        except ArtefactError as error:
            found.append(str(error))
        progress("files read", done, len(artefact.files))
    return found


def _of_files(artefact: Artefact, damaged: Sequence[str]) -> list[str]:
    return [] if damaged else [f"each of {len(artefact.files)} files has the size and digest that were written"]


def _strangers(artefact: Artefact) -> list[str]:
    """What is in the folder and not in the list of its files."""
    known = {*(Path(name).parts[0] for name in artefact.files), MANIFEST_NAME, LOCK_NAME}
    return [_named(path) for path in sorted(artefact.folder.iterdir()) if path.name not in known]


def _named(path: Path) -> str:
    left = path.name == BUILDING or path.name.startswith(TEMPORARY_PREFIX)
    why = "a killed or running writer left it" if left else "the index does not list it"
    return f"{path} is no file of the index: {why}; `vfsearch index build`, `add` and `remove` clear away their own"


def _structure(artefact: Artefact, device: str) -> Looked:
    """Whether every entry of every file is of a row that is listed, and every row has its entry."""
    try:
        index = opened(artefact)
        faults = [*_items_faults(index), *_vectors_faults(index), *open_index(artefact.folder, device).inspect()]
    except ArtefactError as error:
        return Looked(faults=(str(error),), proved=(), unproved=())
    except VfsearchError as error:
        # The back end, or the device that it needs, is not there; the index may be whole.
        return Looked(faults=(), proved=(), unproved=(f"the entries of the back end's own files: {error}",))
    rows = len(index.gallery.ids)
    proved = () if faults else (f"every entry of every file is of one of the {rows} rows, and every row has its entry",)
    return Looked(faults=tuple(faults), proved=proved, unproved=())


def _items_faults(index: Opened) -> list[str]:
    """Bytes of the file of texts that belong to no text."""
    path = index.paths[ITEMS]
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    spans = sorted(facts["data_offsets"] for facts in header.values())
    ends = [0, *(stop for _, stop in spans)]
    gapless = all(start == end for (start, _), end in zip(spans, ends, strict=False))
    if not gapless or ends[-1] != path.stat().st_size - 8 - length:
        return [f"{path} has bytes that belong to no text"]
    gallery = read_items(path, index.gallery.modality, index.gallery.space, index.gallery.store)
    columns = {"ids": gallery.ids, "identities": gallery.identities, **gallery.columns}
    wrong = [name for name, texts in columns.items()
             if (np.diff(texts.ends, prepend=0) < 0).any() or int(texts.ends[-1]) != len(texts.data)]  # fmt: skip
    return [f"{path}: the texts of {name} are not one after another" for name in wrong]


def _vectors_faults(index: Opened) -> list[str]:
    """Bytes of the file of rows that belong to no row."""
    path = index.paths[VECTORS]
    rows = VectorFile(path)
    header = npy_header(rows.shape)
    with path.open("rb") as file:
        same = file.read(len(header)) == header
    if same and path.stat().st_size == len(header) + 4 * rows.shape[0] * rows.shape[1]:
        return []
    return [f"{path} has bytes that belong to no row"]
