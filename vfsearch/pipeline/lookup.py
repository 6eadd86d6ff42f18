"""`vfsearch query --file`: one clip or photo, or several of one person, to the best items of the other side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.pooling import Pooling
from vfsearch.data.space import Space
from vfsearch.data.templates import pool
from vfsearch.data.text_places import rows_with
from vfsearch.devices import one_device
from vfsearch.encoders.base import Encoder
from vfsearch.errors import ArtefactError, MediaError, MismatchError, SettingsError
from vfsearch.index.answers import Opener, open_here
from vfsearch.index.base import Index
from vfsearch.index.layout import read_index_artefact
from vfsearch.kernels.memory import require_memory
from vfsearch.media.preparation import Failure, Prepared, Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.searched_index import (
    SearchSettings,
    lost_partitions,
    open_searched,
    require_fitting,
)
from vfsearch.pipeline.workspace import Workspace, chosen_split


@dataclass(frozen=True, kw_only=True)
class Match:
    """One item found.

    Args:
        rank: from 1.
        score: similarity, larger is more alike, at most 1.
        id, identity: of the item.
        path: of its file, as the manifest gives it.
    """

    rank: int
    score: float
    id: str
    identity: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """What was found for one file.

    Args:
        note: what preparation noted of the file, or "".
        matches: best first.
        lost: what was not searched, because its partitions could not be opened (`lost_partitions`).
    """

    note: str
    matches: tuple[Match, ...]
    lost: dict = field(default_factory=dict)


def look_up(
    workspace: Workspace,
    file: Path,
    probe: str,
    gallery: str,
    k: int = 10,
    decoding: Decoding | None = None,
    frozen: Encoders | None = None,
    device: str = "cpu",
    split: str | None = None,
    max_memory: int | None = None,
    search: SearchSettings | None = None,
    pooled_with: Sequence[Path] = (),
    opener: Opener = open_here,
    partial: bool = False,
) -> Lookup:
    """The k items of the gallery that are most like one file, or like several files of one person.

    Args:
        workspace: with an index of the gallery's modality and the model that it was embedded with.
        file: a clip or a photo.
        probe: its modality.
        gallery: modality to search.
        k: how many.
        decoding: how the file is read.
        frozen: embed it with these encoders alone, as the store was (`vfsearch embed --frozen`).
        device: where to compute.
        split: search the items of this split alone; None or "all": all items.
        max_memory: bytes that the search may use beside vectors and result; None: 1 GiB.
        search: how the index is searched; None: as it was tuned, else as its back end does by default.
        pooled_with: further files of the same person; the mean of all is searched for.
        opener: opens the partitions of a sharded index, here or elsewhere.
        partial: search what is left where partitions cannot be opened; what is missing is told.
    Returns:
        At most k matches: an approximate index may find fewer.
    Raises:
        MediaError: a file cannot be used.
        MismatchError: the index is of another modality.
        SpaceMismatchError: the index is not in the model's space.
        SettingsError: a search setting is none of the index's, or out of its range.
        DoesNotFitError: `max_memory` is too little to compute anything with.
    """
    if k < 1:
        raise SettingsError(f"k is {k}, it must be at least 1")
    model = open_model(workspace.model_folder) if frozen is None else None
    encoder = (frozen.make if model is None else model.encoders)([probe], one_device(device))[probe]
    if encoder.preparation is None:
        raise SettingsError(f"the encoder {encoder.name} reads no media: nothing can be told of {file}")
    space = encoder.space
    folder = workspace.searched_folder(gallery)
    artefact = read_index_artefact(folder)
    there = Space(**artefact.about["space"])
    require_memory(max_memory, there.dimension)
    if model is not None and there.name != model.space.name:
        raise MismatchError(
            f"the index {folder} holds what a frozen encoder gives ({there}), the model's space is {space}: search it "
            "with --frozen, or embed with the model"
        )
    require_fitting(artefact, gallery, space, f"{file}")
    decoding = decoding or Decoding()
    files = [file, *pooled_with]
    ready = _prepared(files, encoder, decoding)
    vector = _pooled(files, encoder.encode([each.sample for each in ready]), probe, space)
    index = open_searched(folder, search or SearchSettings(), device, opener, partial)
    known = index.gallery
    rows = _rows_of_split(index, split)
    there_are = min(k, len(index) if rows is None else len(rows))
    found = index.search(vector, there_are, rows, max_memory=max_memory)
    if "path" not in known.columns:
        raise ArtefactError(f"the index {folder} has no paths; build it anew")
    matches = tuple(
        Match(
            rank=place,
            score=float(score),
            id=known.ids[row],
            identity=known.identities[row],
            path=known.columns["path"][row],
        )
        for place, (row, score) in enumerate(zip(found.rows[0], found.scores[0], strict=True), start=1)
        if row != NO_ROW
    )
    notes = [each.note for each in ready if each.note]
    if len(matches) < there_are:
        notes.append(
            f"the index looked at {len(matches)} of the {there_are} wanted: search wider (--search), or with --exact"
        )
    return Lookup(note="; ".join(notes), matches=matches, lost=lost_partitions(artefact, index))


def _prepared(files: Sequence[Path], encoder: Encoder, decoding: Decoding) -> list[Prepared]:
    tasks = [Task(path=file.absolute()) for file in files]
    with PreparationWorkers(encoder.preparation, decoding.limits, min(len(files), decoding.workers)) as workers:
        found = list(workers.prepare(tasks))
    for file, each in zip(files, found, strict=True):
        if isinstance(each, Failure):
            raise MediaError(f"{file} cannot be searched for: {each.reason}")
    return found


def _pooled(files: Sequence[Path], vectors: np.ndarray, probe: str, space: Space) -> np.ndarray:
    """(1, d) the template of the files.

    Raises:
        SettingsError: a file is named twice, which would count twice.
    """
    ids = [str(file.absolute()) for file in files]
    twice = [file for file, id_ in zip(files, ids, strict=True) if ids.count(id_) > 1]
    if twice:
        raise SettingsError(f"{twice[0]} is named twice, and would count twice in the template: name it once")
    whose = ["them"] * len(files)
    rows = Embeddings(ids=ids, identities=whose, vectors=vectors, modality=probe, space=space)
    return pool(rows, Pooling()).rows.vectors


def _rows_of_split(index: Index, split: str | None) -> np.ndarray | None:
    """(m,) rows of a split; None for all."""
    if split in (None, "all"):
        return None
    column = index.gallery.columns.get("split", [""] * len(index))
    rows = rows_with(column, split)
    if not len(rows):
        chosen_split(sorted(set(column)), split, split, "the index")
    return rows
