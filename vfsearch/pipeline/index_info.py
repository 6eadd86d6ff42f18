"""`vfsearch index info` and `vfsearch index verify`."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.pooling import Pooling
from vfsearch.data.space import MODALITIES, Space
from vfsearch.errors import ArtefactError, DamagedError, VfsearchError
from vfsearch.index.absence import Gone
from vfsearch.index.backends import BACKENDS, open_index
from vfsearch.index.base import Index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import COUNT, Partition, is_sharded, partitions_of
from vfsearch.index.presets import PRESETS
from vfsearch.index.settings import BuildSettings, Knob
from vfsearch.index.verifying import IndexFindings, verify_index
from vfsearch.pipeline.pooled_rows import pooled
from vfsearch.pipeline.update_index import index_folders
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, join, open_store

FRESH, OTHER, UNKNOWN = "the store as it is", "another state of the store", "no store to compare with"


@dataclass(frozen=True, kw_only=True)
class IndexInfo:
    """What an index is.

    Args:
        folder: where it is.
        about: what its manifest says: back end, build settings, rows, space, store, split, what was tuned, changes.
        presets: names of those that give its build settings.
        files: name -> bytes.
        state: whether the store is as it was when the index was built or last changed.
        search: search settings in force; None where the index cannot be opened here.
        knobs: those that it has, with their ranges.
        memory_bytes: that searches keep; None where the index cannot be opened here.
        problem: why it cannot be opened; "" where it can.
        partitions: of a sharded index.
    """

    folder: Path
    about: dict
    presets: tuple[str, ...]
    files: dict[str, int]
    state: str
    search: dict[str, int] | None
    knobs: tuple[Knob, ...]
    memory_bytes: int | None
    problem: str = ""
    partitions: tuple[Partition, ...] = ()

    @property
    def size_bytes(self) -> int:
        """On disk."""
        return sum(self.files.values()) + sum(each.size_bytes for each in self.partitions)

    def to_json(self) -> dict:
        """The index as JSON."""
        own = {name: value for name, value in self.__dict__.items() if name != "about"}
        more = {"folder": str(self.folder), "knobs": [asdict(knob) for knob in self.knobs]}
        if self.partitions:
            more["partitions"] = [{**asdict(each), "folder": str(each.folder)} for each in self.partitions]
        else:
            del own["partitions"]
        return {**self.about, **own, **more, "presets": list(self.presets), "size_bytes": self.size_bytes}


def index_infos(workspace: Workspace, names: Sequence[str] = (), device: str = "cpu") -> list[IndexInfo]:
    """What indices are.

    Args:
        workspace: with indices, and perhaps a store.
        names: of indices, or their folders; empty: all of the workspace.
        device: where to open them, to see what can be set.
    Raises:
        ArtefactError: there is none.
        DamagedError: a manifest is damaged.
    """
    return [_info(folder, workspace, device) for folder in index_folders(workspace, names)]


def _info(folder: Path, workspace: Workspace, device: str) -> IndexInfo:
    artefact = read_index_artefact(folder)
    index, problem = _opened(folder, device)
    return IndexInfo(
        folder=folder, about=artefact.about, presets=_presets_of(artefact),
        files={name: facts["size"] for name, facts in artefact.files.items()},
        state=_state(artefact, workspace), search=index and index.settings, knobs=index.knobs if index else (),
        memory_bytes=index and index.memory_bytes(), problem=problem,
        partitions=tuple(partitions_of(artefact)) if is_sharded(artefact) else (),
    )  # fmt: skip


def _opened(folder: Path, device: str) -> tuple[Index | None, str]:
    try:
        return open_index(folder, device), ""
    except VfsearchError as error:
        return None, str(error)


def _presets_of(artefact: Artefact) -> tuple[str, ...]:
    """The presets that give these very build settings for so many rows."""
    about = artefact.about
    built = BuildSettings.from_json(about["settings"])
    try:
        kind = BACKENDS.load(about["backend"])
    except VfsearchError:
        return ()
    # The settings of a sharded index are those of its largest partition.
    shape = -(-about["rows"] // about.get(COUNT, 1)), about["space"]["dimension"]
    known = [preset for preset in PRESETS.values() if preset.backend == about["backend"]]
    return tuple(preset.name for preset in known if _prepared(kind, preset.settings(seed=built.seed), shape) == built)


def _prepared(kind: type[Index], settings: BuildSettings, shape: tuple[int, int]) -> BuildSettings | None:
    try:
        return kind.prepared(settings, *shape)
    except VfsearchError:
        return None


def _state(artefact: Artefact, workspace: Workspace) -> str:
    try:
        store = open_store(workspace.store_folder, complete=False)
    except ArtefactError:
        return UNKNOWN
    about = artefact.about
    if store.digest != about["store"]:
        return OTHER
    lacks = 0 if about.get("split") or about.get("pooling") else store.count("rows", about["modality"]) - about["rows"]
    return f"{FRESH}, less {lacks} rows" if lacks else FRESH


def verify_indices(
    workspace: Workspace,
    names: Sequence[str] = (),
    identities: Sequence[str] = (),
    ids: Sequence[str] = (),
    device: str = "cpu",
    progress: Progress = silent,
) -> list[IndexFindings]:
    """Read every byte of indices; and look whether anything is left of people in them.

    Their ids and rows are taken from the store, as long as it has them.

    Args:
        workspace: with indices, and perhaps a store.
        names: of indices, or their folders; empty: all of the workspace.
        identities, ids: of whom nothing may be left.
        device: where to open them.
        progress: called with what was read.
    Raises:
        ArtefactError: there is no such index.
    """
    return [
        verify_index(folder, _gone(folder, workspace, identities, ids), device, progress)
        for folder in index_folders(workspace, names)
    ]


def _gone(folder: Path, workspace: Workspace, identities: Sequence[str], ids: Sequence[str]) -> list[Gone]:
    """What is known of those of whom nothing may be left."""
    people, items = dict.fromkeys(identities), dict.fromkeys(ids)
    if not people and not items:
        return []
    store, why = None, ""
    try:
        store = open_store(workspace.store_folder, complete=False)
    except ArtefactError as error:
        why = f"only the name was looked for: {error}"
    space, pooling = _space_of(folder), _pooling_of(folder)
    wanted = [("identity", text, _identities) for text in people] + [("id", text, _ids) for text in items]
    return [
        _gone_one(kind, text, _with_templates(_found(store, text, column), pooling), space, why)
        for kind, text, column in wanted
    ]


def _pooling_of(folder: Path) -> Pooling | None:
    """How the rows of an index were pooled; None where they are items, or its manifest is damaged."""
    try:
        found = read_index_artefact(folder).about.get("pooling")
    except DamagedError:
        return None
    return None if found is None else Pooling.from_json(found)


def _with_templates(found: list[Embeddings], pooling: Pooling | None) -> list[Embeddings]:
    """Rows, and in an index of templates also what they were pooled into."""
    if pooling is None:
        return found
    sides = [[rows for rows in found if rows.modality == modality] for modality in MODALITIES]
    return [*found, *(rows for side in sides if side for rows in _templates(join(side), pooling))]


def _templates(rows: Embeddings, pooling: Pooling) -> list[Embeddings]:
    """What rows were pooled into; nothing where they cannot be pooled so: then they are not in the index."""
    try:
        return [pooled(rows, pooling).rows]
    except VfsearchError:
        return []


def _identities(rows: Embeddings) -> Sequence[str]:
    return rows.identities


def _ids(rows: Embeddings) -> Sequence[str]:
    return rows.ids


def _space_of(folder: Path) -> Space | None:
    """The space of an index; None where its manifest is damaged, which will be said."""
    try:
        return Space(**read_index_artefact(folder).about["space"])
    except DamagedError:
        return None


def _found(store: Store | None, text: str, column: Callable[[Embeddings], Sequence[str]]) -> list[Embeddings]:
    """The rows of a store, of both modalities, that have a text in a column."""
    parts = [] if store is None else [part for modality in store.spaces for part in store.parts(modality)]
    found = []
    for part in parts:
        rows = store.shard(part).embeddings
        places = np.flatnonzero(np.array([each == text for each in column(rows)], dtype=bool))
        found += [rows.take(places)] if len(places) else []
    return found


def _gone_one(kind: str, text: str, found: Sequence[Embeddings], space: Space | None, why: str) -> Gone:
    same = [rows for rows in found if rows.space == space]
    if not same and not why:
        there = "has no row of it" if not found else "has only rows of another space"
        why = f"the store {there}: only {'its names were' if found else 'the name was'} looked for"
    return Gone(
        what=f"the {kind} {text!r}",
        texts=tuple(dict.fromkeys([text, *(name for rows in found for name in _names(rows))])),
        ids=tuple(id_ for rows in same for id_ in rows.ids),
        vectors=np.concatenate([rows.vectors for rows in same]) if same else np.empty((0, 0), np.float32),
        unknown=why,
    )  # fmt: skip


def _names(rows: Embeddings) -> list[str]:
    """What rows are called: ids, and the paths of their files."""
    return [*rows.ids, *(path for path in rows.columns.get("path", ()) if path)]
