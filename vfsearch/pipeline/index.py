"""`vfsearch index build`: store to indices."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vfsearch.artefact import Artefact, exists
from vfsearch.data.pooling import IDENTITY, Pooling
from vfsearch.data.row_source import RowSource
from vfsearch.data.space import MODALITIES
from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.index.backends import BACKENDS, working_device
from vfsearch.index.building import about_index, build_index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import COUNT, size_bytes, verify_files
from vfsearch.index.presets import find_preset
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sharding import about_sharded, build_sharded
from vfsearch.index.writer import remove_leftovers
from vfsearch.pipeline.partition_work import HERE, BuildEngine, PartitionWork, source_of
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, open_store
from vfsearch.timing import peak_memory_bytes


@dataclass(frozen=True, kw_only=True)
class IndexRequest:
    """One kind of index that shall be there.

    Args:
        preset: name of a preset, a back end, or module:Class.
        parameters: build settings that go before those of the preset.
        name: of the index; None: the modality for exact ones, else modality and preset; of templates, and "pooled";
            of partitions, and "sharded".
        pooling: make it of templates; None: of items.
        partitions: make it a sharded index of so many; None: one index.
    """

    preset: str = "exact"
    parameters: dict | None = None
    name: str | None = None
    pooling: Pooling | None = None
    partitions: int | None = None

    def name_for(self, modality: str) -> str:
        """What the index of a modality is called."""
        usual = modality if self.preset == "exact" else f"{modality}-{self.preset.replace(':', '.')}"
        return self.name or usual + self._pooled + ("" if self.partitions is None else "-sharded")

    @property
    def _pooled(self) -> str:
        """What pooling adds to the name: "-pooled", "-pooled-source"."""
        finer = () if self.pooling is None else (each for each in self.pooling.by if each != IDENTITY)
        return "" if self.pooling is None else "-".join(["", "pooled", *finer]).replace("/", ".")


@dataclass(frozen=True, kw_only=True)
class BuiltIndex:
    """One index.

    Args:
        folder: where it is.
        modality, backend, preset, rows, dimension: what it holds.
        size_bytes: on disk.
        seconds: that building took; 0 when it was there already.
        peak_memory_bytes: of the process so far.
        built_now: False when it was there already.
        partitions: of a sharded index.
    """

    folder: Path
    modality: str
    backend: str
    preset: str
    rows: int
    dimension: int
    size_bytes: int
    seconds: float
    peak_memory_bytes: int
    built_now: bool
    partitions: int | None = None


def build_indices(
    workspace: Workspace,
    modalities: Sequence[str] = (),
    wanted: Sequence[IndexRequest] = (IndexRequest(),),
    split: str | None = None,
    seed: int = 1,
    overwrite: bool = False,
    device: str = "cpu",
    progress: Progress = silent,
    engine: BuildEngine = HERE,
    usual: Callable[[int], int | None] = lambda _: None,
) -> list[BuiltIndex]:
    """Index the rows of the store, one index a modality and kind.

    An index that was built from the very same store with the same settings is kept.

    Args:
        workspace: with a store.
        modalities: which; empty: those that the store has.
        wanted: kinds of index.
        split: index the items of this split alone; None: all.
        seed: of every random choice.
        overwrite: build anew in any case.
        device: where to build; a back end that cannot work there works on the CPU.
        progress: called with rows done.
        engine: what builds partitions.
        usual: number of rows -> of partitions, for kinds that do not say how many; None: one index.
    Raises:
        ArtefactError: there is no store, it is not finished, or has no rows of a modality or split.
        DamagedError: a shard is damaged.
        LockedError: another process writes one of the indices.
        SettingsError, UnknownNameError, MissingExtraError: a kind cannot be built here, a name is for several, items
            cannot be pooled so, or rows were removed from an index that would be replaced.
        VectorError: items cannot be pooled so.
    """
    store = open_store(workspace.store_folder)
    rows = {name: store.count("rows", name) for name in store.spaces}
    wanted = [replace(each, partitions=each.partitions or usual(max(rows.values(), default=1))) for each in wanted]
    chosen = list(modalities) or [name for name in MODALITIES if name in store.spaces and store.count("rows", name)]
    if not chosen:
        raise SettingsError(f"the store {workspace.store_folder} has no rows to index")
    _require_own_folders(workspace, chosen, wanted)
    for each in wanted:
        # Before the first of them is built.
        working_device(find_preset(each.preset).backend, device)
    return [
        _built(workspace, store, modality, each, split, seed, overwrite, device, progress, engine)
        for modality in chosen
        for each in wanted
    ]


def _require_own_folders(workspace: Workspace, modalities: Sequence[str], wanted: Sequence[IndexRequest]) -> None:
    folders = [workspace.index_folder(each.name_for(modality)) for modality in modalities for each in wanted]
    twice = [folder for folder in folders if folders.count(folder) > 1]
    if twice:
        raise SettingsError(
            f"two indices would be {twice[0]}; a name is for one modality and one preset: give one of each, or no name"
        )


def _built(
    workspace: Workspace,
    store: Store,
    modality: str,
    wanted: IndexRequest,
    split: str | None,
    seed: int,
    overwrite: bool,
    device: str,
    progress: Progress,
    engine: BuildEngine,
) -> BuiltIndex:
    folder = workspace.index_folder(wanted.name_for(modality))
    source = source_of(store, modality, split, wanted.pooling)
    settings = find_preset(wanted.preset).settings(wanted.parameters, seed)
    start, device = time.perf_counter(), working_device(settings.backend, device)
    fresh = overwrite or not _is_of(folder, settings, source, split, wanted.partitions)
    if fresh and not overwrite:
        _require_none_to_return(folder, len(source))
    if fresh and wanted.partitions is not None:
        work = PartitionWork(
            store=workspace.store_folder, modality=modality, split=split, pooling=wanted.pooling, settings=settings,
            device=device,
        )  # fmt: skip
        build = partial(engine.build, work, source)
        artefact = build_sharded(folder, source, settings, wanted.partitions, build, device, progress, split, overwrite)
    elif fresh:
        artefact = build_index(folder, source, settings, device, progress, split)
    else:
        artefact = read_index_artefact(folder)
        remove_leftovers(folder)
        progress("rows indexed", len(source), len(source))
    return _described(artefact, wanted.preset, time.perf_counter() - start if fresh else 0.0, fresh)


def _is_of(folder: Path, settings: BuildSettings, source: RowSource, split: str | None, partitions: int | None) -> bool:
    """Whether the folder holds, undamaged, this index of this store."""
    if not exists(folder):
        return False
    try:
        artefact = read_index_artefact(folder)
        verify_files(artefact)
    except ArtefactError:
        return False
    about = artefact.about
    if partitions is None:
        chosen = BACKENDS.load(settings.backend).prepared(settings, len(source), source.space.dimension)
        fresh = about_index(chosen, source, len(source), split)
    else:
        fresh = about_sharded(settings, source, partitions, split)
    # What was tuned stays.
    return {**about, "search": {}, "tuned": None} == fresh


def _require_none_to_return(folder: Path, rows: int) -> None:
    """Leave an index alone from which rows were removed that the store still has.

    Args:
        folder: of the index.
        rows: that it would have if it were built anew.
    Raises:
        SettingsError: there is such an index.
    """
    try:
        about = read_index_artefact(folder).about
    except ArtefactError:
        return
    removed = sum(change["removed"] for change in about.get("changes", ()))
    if removed and about["rows"] < rows:
        raise SettingsError(
            f"{removed} rows were removed from the index {folder}: built anew it would hold those again that the store "
            "still has; take them out of the store too, or give --overwrite to `vfsearch index build`"
        )


def _described(artefact: Artefact, preset: str, seconds: float, built_now: bool) -> BuiltIndex:
    about = artefact.about
    return BuiltIndex(
        folder=artefact.folder,
        modality=about["modality"],
        backend=about["backend"],
        preset=preset,
        rows=about["rows"],
        dimension=about["space"]["dimension"],
        size_bytes=size_bytes(artefact),
        seconds=seconds,
        peak_memory_bytes=peak_memory_bytes(),
        built_now=built_now,
        partitions=about.get(COUNT),
    )
