"""`vfsearch index add` and `vfsearch index remove`: an index follows its store, or forgets some of its rows."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, exists
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.pooling import Pooling
from vfsearch.data.row_source import RowSource
from vfsearch.data.space import Space, require_same_space
from vfsearch.data.text_places import places_of
from vfsearch.data.texts import Texts
from vfsearch.errors import ArtefactError, SettingsError
from vfsearch.index.backends import opened
from vfsearch.index.base import Opened
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import COUNT, is_sharded
from vfsearch.index.updating import Updated, content_marks, update_index
from vfsearch.index.vector_file import ROWS_AT_ONCE
from vfsearch.index.writer import remove_leftovers
from vfsearch.pipeline.gallery_source import store_source
from vfsearch.pipeline.tune_index import index_named
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, open_store

NAMED = 5
"""Rows that are named for people; of the others only the number is told."""


@dataclass(frozen=True, kw_only=True)
class IndexChange:
    """What was done to an index, or would be.

    Args:
        folder: of the index.
        rows_before, rows: that it had and has.
        added: rows that it lacked.
        replaced: rows that the store has otherwise now (embedded anew, another identity).
        removed: rows that went, those replaced not counted.
        not_in_store: rows of the index that the store does not have (any more) and that stayed.
        named: ids of a few rows that went, or are not in the store.
        how: it was done, for people; "" where nothing was done.
        written: the index was changed.
        seconds: that it took.
        warnings: what a user should know.
    """

    folder: Path
    rows_before: int
    rows: int
    added: int = 0
    replaced: int = 0
    removed: int = 0
    not_in_store: int = 0
    named: tuple[str, ...] = ()
    how: str = ""
    written: bool = False
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict:
        """The change as JSON."""
        lists = {"named": list(self.named), "warnings": list(self.warnings)}
        return {**self.__dict__, "folder": str(self.folder), **lists}


def index_folders(workspace: Workspace, names: Sequence[str] = ()) -> list[Path]:
    """The folders of indices.

    Args:
        workspace: with indices.
        names: of them, or their paths; empty: all of the workspace.
    Raises:
        ArtefactError: one is not there, or there are none.
    """
    if names:
        return [index_named(workspace, name) for name in names]
    place = workspace.indices_folder
    if exists(place):
        return [place]
    found = [folder for folder in sorted(place.glob("*")) if exists(folder)]
    if not found:
        raise ArtefactError(f"there is no index in {place}; build one with `vfsearch index build`")
    return found


def followers(workspace: Workspace, names: Sequence[str] = ()) -> tuple[list[Path], list[str]]:
    """The folders of indices that rows can be added to.

    Args:
        workspace: with indices.
        names: of them, or their paths; empty: all of the workspace but those of templates.
    Returns:
        The folders, and what a user should know of those that were passed over.
    Raises:
        ArtefactError: one is not there, or there are none.
    """
    folders = index_folders(workspace, names)
    if names:
        return folders, []
    found, passed_over = [], []
    for folder in folders:
        artefact = read_index_artefact(folder)
        if is_sharded(artefact):
            passed_over.append(_as_sharded(artefact))
        elif artefact.about.get("pooling"):
            passed_over.append(_as_templates(folder))
        else:
            found.append(folder)
    return found, passed_over


def _as_sharded(artefact: Artefact) -> str:
    about = artefact.about
    return (
        f"the index {artefact.folder} is sharded, nothing is added to it or removed from it: take the rows out of the "
        f"store or into it, then build it anew with `vfsearch index build --modality {about['modality']} --partitions "
        f"{about[COUNT]} ...`"
    )


def _as_templates(folder: Path) -> str:
    about = read_index_artefact(folder).about
    pooling = Pooling.from_json(about["pooling"])
    options = f"--modality {about['modality']} --pool {'+'.join(pooling.by)}"
    return (
        f"the index {folder} holds templates ({pooling}), which new items of a person change: nothing is added to it; "
        f"build it anew with `vfsearch index build {options} ...`"
    )


def add_to_index(
    workspace: Workspace,
    name: str,
    prune: bool = False,
    dry_run: bool = False,
    device: str = "cpu",
    progress: Progress = silent,
) -> IndexChange:
    """Add the rows of the store that an index lacks, and replace those that the store has otherwise now.

    An index of one split gets the rows of that split alone.

    Args:
        workspace: with the store.
        name: of the index, or its folder.
        prune: remove the rows that the store does not have.
        dry_run: only say what would be done.
        device: where to build, if need be.
        progress: called with rows done.
    Raises:
        ArtefactError, DamagedError: there is no whole index or store, or the store has no such rows.
        LockedError: another process writes there.
        SettingsError: the index is sharded, or holds templates, which new items of a person would change.
        SpaceMismatchError: the store is of another model than the index.
    """
    begun = time.perf_counter()
    artefact, old = _opened(index_named(workspace, name))
    if artefact.about.get("pooling"):
        raise SettingsError(_as_templates(old.folder))
    store = open_store(workspace.store_folder)
    source = _source(store, artefact)
    theirs, ours = _read_rows(source.blocks(), progress, len(source)), _rows_of(old)
    place = places_of(theirs.ids, ours.ids)
    there = place != NO_ROW
    differs = there & (theirs.marks != ours.marks[place]).any(axis=1)
    strange = np.ones(len(ours.ids), dtype=bool)
    strange[place[there]] = False
    keep = ~strange if prune else np.ones(len(ours.ids), dtype=bool)
    keep[place[differs]] = False
    wanted = ~there | differs
    stays = 0 if prune else int(strange.sum())
    found = {
        "folder": old.folder, "rows_before": len(keep), "rows": int(keep.sum() + wanted.sum()),
        "added": int((~there).sum()), "replaced": int(differs.sum()), "not_in_store": stays,
        "removed": int(strange.sum()) if prune else 0, "named": _first(ours.ids, strange),
        "warnings": _of_strange_rows(stays, store, old.folder),
    }  # fmt: skip
    if dry_run:
        return IndexChange(**found)
    # An index with rows that the store lacks is not of this store.
    seal = artefact.about["store"] if stays else store.digest
    updated = update_index(old.folder, keep, _chosen(source, wanted), device, progress, seal)
    return _done(updated, artefact, begun, found)


def remove_from_index(
    workspace: Workspace,
    name: str,
    identities: Sequence[str] = (),
    ids: Sequence[str] = (),
    dry_run: bool = False,
    device: str = "cpu",
    progress: Progress = silent,
) -> IndexChange:
    """Remove people or single rows from an index, so that no byte of them is left in it.

    Args:
        workspace: with the index.
        name: of the index, or its folder.
        identities: all of whose rows go.
        ids: of further rows that go.
        dry_run: only say what would be done.
        device: where to build, if need be.
        progress: called with rows done.
    Raises:
        ArtefactError, DamagedError: there is no whole index.
        LockedError: another process writes there.
        SettingsError: an identity or id is not in the index, none is named, or no row would be left; or it is sharded.
    """
    begun = time.perf_counter()
    artefact, old = _opened(index_named(workspace, name))
    if not identities and not ids:
        raise SettingsError("nothing is named to be removed: give an identity or an id")
    try:
        keep = ~(_rows_with("identity", old.gallery.identities, identities, old.folder)
                 | _rows_with("id", old.gallery.ids, ids, old.folder))  # fmt: skip
    except SettingsError:
        # A removal that was killed at its very end has left old files, which hold those rows.
        if not dry_run:
            remove_leftovers(old.folder)
        raise
    found = {
        "folder": old.folder, "rows_before": len(keep), "rows": int(keep.sum()), "removed": int((~keep).sum()),
        "named": _first(old.gallery.ids, ~keep), "warnings": _of_copies(workspace, old.folder),
    }  # fmt: skip
    if not keep.any():
        raise SettingsError(f"no row of the index {old.folder} would be left; remove the folder {old.folder} instead")
    if dry_run:
        return IndexChange(**found)
    return _done(update_index(old.folder, keep, None, device, progress), artefact, begun, found)


def _opened(folder: Path) -> tuple[Artefact, Opened]:
    artefact = read_index_artefact(folder)
    if is_sharded(artefact):
        raise SettingsError(_as_sharded(artefact))
    artefact.verify()
    return artefact, opened(artefact)


def _source(store: Store, artefact: Artefact) -> RowSource:
    """The rows of the store that an index is of."""
    source = store_source(store, artefact.about["modality"], artefact.about.get("split"))
    where = f"the store {store.artefact.folder}"
    require_same_space(source.space, where, Space(**artefact.about["space"]), f"the index {artefact.folder}")
    return source


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rows:
    """Rows of a store or of an index, to be compared.

    Args:
        ids: of each.
        marks: (n, 2) uint64 of all that is known of each, equal for equal rows alone.
    """

    ids: Texts
    marks: np.ndarray


def _read_rows(blocks: Iterator[Embeddings], progress: Progress, total: int) -> _Rows:
    ids, marks = [Texts.of(())], [np.empty((0, 2), np.uint64)]
    for block in blocks:
        ids.append(Texts.of(block.ids))
        marks.append(content_marks(_contents(block)))
        progress("rows compared", sum(map(len, marks)), total)
    return _Rows(ids=Texts.joined(ids), marks=np.concatenate(marks))


def _contents(block: Embeddings) -> Iterator[bytes]:
    """All that is known of each row, as bytes."""
    names = sorted(block.columns)
    for row, vector in enumerate(np.ascontiguousarray(block.vectors, "<f4")):
        # An empty text is as good as no column: parts of a store may have different columns.
        known = [(name, text) for name in names if (text := block.columns[name][row])]
        yield vector.tobytes() + repr((block.identities[row], known)).encode("utf-8", "surrogatepass")


def _rows_of(old: Opened) -> _Rows:
    return _read_rows(_blocks_of(old), silent, len(old.gallery.ids))


def _blocks_of(old: Opened) -> Iterator[Embeddings]:
    gallery = old.gallery
    for start in range(0, len(gallery.ids), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        yield Embeddings(
            ids=gallery.ids[part], identities=gallery.identities[part], vectors=old.vectors[part],
            modality=gallery.modality, space=gallery.space,
            columns={name: texts[part] for name, texts in gallery.columns.items()},
        )  # fmt: skip


def _chosen(source: RowSource, wanted: np.ndarray) -> RowSource | None:
    """Some rows of a source; None for none."""
    parts = np.split(wanted, np.cumsum(source.sizes)[:-1])
    blocks = [(number, np.flatnonzero(part)) for number, part in enumerate(parts) if part.any()]
    if not blocks:
        return None
    return RowSource(
        modality=source.modality, space=source.space, origin=source.origin,
        sizes=tuple(len(rows) for _, rows in blocks),
        read=lambda number: source.read(blocks[number][0]).take(blocks[number][1]),
    )  # fmt: skip


def _rows_with(what: str, texts: Sequence[str], wanted: Sequence[str], folder: Path) -> np.ndarray:
    """(n,) bool, which rows have one of the texts.

    Raises:
        SettingsError: no row has one of them.
    """
    asked = list(dict.fromkeys(wanted))
    place = places_of(texts, asked)
    found = np.zeros(len(asked), dtype=bool)
    found[place[place != NO_ROW]] = True
    unknown = [text for text, is_there in zip(asked, found, strict=True) if not is_there]
    if unknown:
        more = f" (and {len(unknown) - 1} more that were named)" if unknown[1:] else ""
        raise SettingsError(f"the index {folder} has no row of the {what} {unknown[0]!r}{more}; nothing was removed")
    return place != NO_ROW


def _first(ids: Sequence[str], rows: np.ndarray) -> tuple[str, ...]:
    return tuple(ids[int(row)] for row in np.flatnonzero(rows)[:NAMED])


def _of_strange_rows(stays: int, store: Store, folder: Path) -> tuple[str, ...]:
    if not stays:
        return ()
    return (
        f"{stays} rows of the index {folder} are not in the store {store.artefact.folder}, so queries will refuse it; "
        "--prune removes them",
    )


def _of_copies(workspace: Workspace, folder: Path) -> tuple[str, ...]:
    """Where else removed rows may be."""
    others = [place for place in (workspace.store_folder, workspace.features_folder) if exists(place)]
    runs = workspace.runs or workspace.folder / "runs"
    others += [runs] if any(runs.glob("*/MANIFEST.json")) else []
    if not others:
        return ()
    return (
        f"this changes the index {folder} alone: {', '.join(map(str, others))} may hold the same people, and "
        "`vfsearch index add` and `index build --overwrite` bring back what the store has",
    )


def _done(updated: Updated, before: Artefact, begun: float, found: dict) -> IndexChange:
    written = updated.artefact.seal != before.seal
    if not written:
        remove_leftovers(updated.folder)
    how = updated.how if updated.added or updated.removed else ""
    return IndexChange(**found, how=how, written=written, seconds=time.perf_counter() - begun)
