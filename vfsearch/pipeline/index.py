"""`vfsearch index build`: store to one index a modality."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.space import MODALITIES
from vfsearch.errors import DamagedError, SettingsError
from vfsearch.index.backends import BACKENDS
from vfsearch.index.base import read_index_artefact, remove_leftovers
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import open_store


@dataclass(frozen=True, kw_only=True)
class BuiltIndex:
    """One index.

    Args:
        folder: where it is.
        modality, backend, rows, dimension: what it holds.
        size_bytes: on disk.
        built_now: False when it was there already.
    """

    folder: Path
    modality: str
    backend: str
    rows: int
    dimension: int
    size_bytes: int
    built_now: bool


def build_indices(
    workspace: Workspace,
    modalities: Sequence[str] = (),
    backend: str = "exact",
    overwrite: bool = False,
    progress: Progress = silent,
) -> list[BuiltIndex]:
    """Index the rows of the store, one index a modality, named after it.

    An index that was built from the very same store is kept.

    Args:
        workspace: with a store.
        modalities: which; empty: those that the store has.
        backend: name of a registered back end.
        overwrite: build anew in any case.
        progress: called with rows done.
    Raises:
        ArtefactError: there is no store, it is not finished, or has no rows of a modality.
        DamagedError: a shard is damaged.
    """
    store = open_store(workspace.store_folder)
    wanted = list(modalities) or [name for name in MODALITIES if name in store.spaces and store.count("rows", name)]
    if not wanted:
        raise SettingsError(f"the store {workspace.store_folder} has no rows to index")
    kind = BACKENDS.load(backend)
    total, done, built = sum(store.count("rows", modality) for modality in wanted), 0, []
    for modality in wanted:
        folder = workspace.index_folder(modality)
        fresh = overwrite or not _is_of(folder, backend, store.digest)
        if fresh:
            kind.build(store.load(modality), store.digest).save(folder)
        else:
            remove_leftovers(folder)
        done += store.count("rows", modality)
        progress("rows indexed", done, total)
        built.append(_describe(folder, fresh))
    return built


def _is_of(folder: Path, backend: str, store_digest: str) -> bool:
    """Whether the folder holds, undamaged, this index of this store."""
    if not exists(folder):
        return False
    try:
        artefact = read_index_artefact(folder)
        artefact.verify()
    except DamagedError:
        return False
    return artefact.about["backend"] == backend and artefact.about["store"] == store_digest


def _describe(folder: Path, built_now: bool) -> BuiltIndex:
    artefact = read_index_artefact(folder)
    about = artefact.about
    return BuiltIndex(
        folder=folder,
        modality=about["modality"],
        backend=about["backend"],
        rows=about["rows"],
        dimension=about["space"]["dimension"],
        size_bytes=sum(facts["size"] for facts in artefact.files.values()),
        built_now=built_now,
    )
