"""Adding rows to an index and removing rows from it: all or nothing, and what is killed goes on."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings, require_unit_rows
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.row_source import RowSource
from vfsearch.data.space import require_same_space
from vfsearch.data.text_places import places_of
from vfsearch.data.texts import Texts
from vfsearch.errors import MismatchError, SettingsError, VectorError
from vfsearch.files import canonical_json, digest, sha256, writer_lock
from vfsearch.index.backends import BACKENDS, opened, require_device
from vfsearch.index.base import Gallery, Index, Opened
from vfsearch.index.building import gallery_of
from vfsearch.index.items import pack_items, read_items
from vfsearch.index.layout import ITEMS, VECTORS, read_index_artefact
from vfsearch.index.vector_file import VectorFile, npy_header
from vfsearch.index.writer import IndexWriter, remove_building, writing_index
from vfsearch.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class Updated:
    """An index after a change.

    Args:
        folder: where it is.
        rows: that it holds now.
        added, removed: rows that came and went.
        how: it was done, for people.
        artefact: the index as it is now.
    """

    folder: Path
    rows: int
    added: int
    removed: int
    how: str
    artefact: Artefact


def update_index(
    folder: Path,
    keep: np.ndarray | None = None,
    added: RowSource | None = None,
    device: str = "cpu",
    progress: Progress = silent,
    store: str | None = None,
) -> Updated:
    """Remove rows from an index and add others; the old index is whole until the new one is.

    Rows that stay keep their order, new ones come after them. An update that was killed goes on where it was. What was
    tuned stays in force, and is marked as tuned before the change.

    Args:
        folder: of the index.
        keep: (n,) bool, which rows stay; None: all.
        added: rows to add; they are read twice, to be checked first. None: none.
        device: where to build, if need be.
        progress: called with rows done.
        store: digest of the store that all rows are of now; None: as it was.
    Raises:
        ArtefactError, DamagedError: there is no whole index.
        LockedError: another process writes there.
        MismatchError, SpaceMismatchError: the rows are of another modality or space, or an id of them is there already.
        SettingsError: no row would be left, or the build settings do not go with so few rows.
        VectorError: a row is not finite or not of unit length.
        VfsearchError: a file cannot be written.
    """
    before = read_index_artefact(folder)
    before.verify()
    old = opened(before, device)
    kept, more = _checked_keep(keep, old), _Added.read(added, old)
    _require_new_ids(more, old, kept)
    if kept.all() and not more.rows:
        return _unchanged(before, store)
    kind: type[Index] = BACKENDS.load(before.about["backend"])
    require_device(kind, before.about["backend"], device)
    with writing_index(folder, _plan(before, kept, more, store)) as writer:
        _require_same(before)
        how = _rewritten(kind, old, kept, added, writer, device, progress)
        about = _about(before.about, kept, more.rows, store, how)
        artefact = writer.finish({**about, "search": _still_fitting(kind, old, about, writer)})
    removed = len(kept) - int(kept.sum())
    return Updated(
        folder=folder, rows=artefact.about["rows"], added=more.rows, removed=removed, how=how, artefact=artefact
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Added:
    """What must be known of new rows before any of them is written.

    Args:
        ids: of them.
        content: digest of all that is added.
    """

    ids: Texts
    content: str

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.ids)

    @classmethod
    def read(cls, source: RowSource | None, old: Opened) -> "_Added":
        """Read and check rows once.

        Raises:
            MismatchError, SpaceMismatchError: they are of another modality or space.
            VectorError: a row is not finite or not of unit length, or an id is there twice.
        """
        ids, content = [Texts.of(())], hashlib.sha256()
        if source is not None and len(source):
            _require_fitting(source, old)
            for block in source.blocks():
                _require_fitting(block, old)
                require_unit_rows(block.vectors, block.ids)
                ids.append(Texts.of(block.ids))
                content.update(canonical_json([list(block.ids), list(block.identities), _lists(block.columns)]))
                content.update(np.ascontiguousarray(block.vectors, "<f4"))
        found = cls(ids=Texts.joined(ids), content=content.hexdigest())
        _require_each_once(found.ids)
        return found


def _lists(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(texts) for name, texts in columns.items()}


def _require_fitting(rows: RowSource | Embeddings, old: Opened) -> None:
    """Refuse rows, or a source of them, that do not go with an index."""
    if rows.modality != old.gallery.modality:
        raise MismatchError(
            f"the rows to add are {rows.modality} rows, the index {old.folder} holds {old.gallery.modality} rows: "
            "name an index of the same modality"
        )
    require_same_space(rows.space, "what is to be added", old.gallery.space, f"the index {old.folder}")


def _require_each_once(ids: Texts) -> None:
    marks = content_marks(text.encode("utf-8", "surrogatepass") for text in ids)
    order = np.lexsort(marks.T)
    twice = np.flatnonzero((marks[order[1:]] == marks[order[:-1]]).all(axis=1))
    if len(twice):
        raise VectorError(f"the id {ids[int(order[twice[0]])]!r} is there twice among the rows to add; want it once")


def content_marks(contents: Iterable[bytes]) -> np.ndarray:
    """(n, 2) uint64 of each content; equal for equal contents alone."""
    data = b"".join(hashlib.blake2b(each, digest_size=16).digest() for each in contents)
    return np.frombuffer(data, "<u8").reshape(-1, 2)


def _checked_keep(keep: np.ndarray | None, old: Opened) -> np.ndarray:
    rows = len(old.gallery.ids)
    if keep is None:
        return np.ones(rows, dtype=bool)
    if keep.dtype != bool or keep.shape != (rows,):
        raise SettingsError(
            f"the index {old.folder} has {rows} rows: which of them stay must be a bool of each, got {keep.dtype} "
            f"{keep.shape}"
        )
    return keep


def _require_new_ids(more: _Added, old: Opened, keep: np.ndarray) -> None:
    if not keep.any() and not more.rows:
        raise SettingsError(f"no row of the index {old.folder} would be left; remove the folder {old.folder} instead")
    places = places_of(more.ids, old.gallery.ids)
    there = np.flatnonzero((places != NO_ROW) & keep[places])
    if len(there):
        raise MismatchError(
            f"{len(there)} of the {more.rows} rows to add are in the index {old.folder} already, the first is "
            f"{more.ids[int(there[0])]!r}; remove them first, or leave them out"
        )


def _plan(before: Artefact, keep: np.ndarray, more: _Added, store: str | None) -> dict:
    """What decides the new index; an update that was killed is gone on with if all of it is the same."""
    kept = digest([len(keep), sha256(np.packbits(keep).tobytes())])
    return {"update": {"of": before.seal, "keep": kept, "added": more.content, "store": store}}


def _require_same(before: Artefact) -> None:
    if read_index_artefact(before.folder).seal != before.seal:
        raise MismatchError(f"the index {before.folder} was changed by another process meanwhile; run it again")


def _rewritten(
    kind: type[Index], old: Opened, keep: np.ndarray, added: RowSource | None, writer: IndexWriter, device: str,
    progress: Progress,
) -> str:  # fmt: skip
    """Write the files of the new index; how the back end did it."""
    if not writer.has(ITEMS):
        _write_rows(old, keep, added, writer, progress)
    rows = VectorFile(writer.path(VECTORS))
    new = len(rows) - int(keep.sum())
    try:
        return kind.rewrite(old, keep, new, rows, old.made_with, writer, device, progress)
    except SettingsError:
        # It would fail in the same way again.
        remove_building(old.folder)
        raise


def _write_rows(
    old: Opened, keep: np.ndarray, added: RowSource | None, writer: IndexWriter, progress: Progress
) -> None:
    """Write the vectors of rows that stay, then those of new rows, and what is known of each."""
    parts = [_taken(old.gallery, np.flatnonzero(keep))]
    more = 0 if added is None else len(added)
    kept = len(parts[0].ids)

    def pieces() -> Iterator[bytes]:
        yield npy_header((kept + more, old.gallery.space.dimension))
        for start, rows in VectorFile(old.paths[VECTORS]).blocks():
            stay = keep[start : start + len(rows)]
            yield (rows if stay.all() else rows[stay]).tobytes()
            progress("rows kept", start + len(rows), len(keep))
        for block in added.blocks() if more else ():
            require_unit_rows(block.vectors, block.ids)
            parts.append(gallery_of(block, added.origin))
            yield np.ascontiguousarray(block.vectors, "<f4").tobytes()
            progress("rows added", sum(len(part.ids) for part in parts[1:]), more)

    writer.add(VECTORS, pieces())
    writer.add(ITEMS, pack_items(*parts))


def _taken(gallery: Gallery, rows: np.ndarray) -> Gallery:
    """What is known of some rows."""
    ids, identities = (Texts.of(texts).take(rows) for texts in (gallery.ids, gallery.identities))
    columns = {name: Texts.of(texts).take(rows) for name, texts in gallery.columns.items()}
    return replace(gallery, ids=ids, identities=identities, columns=columns)


def _about(about: dict, keep: np.ndarray, added: int, store: str | None, how: str) -> dict:
    """What the index says of itself after the change; how many rows came and went, never which."""
    kept = int(keep.sum())
    change = {"added": added, "removed": len(keep) - kept, "how": how}
    return {
        **about,
        "rows": kept + added,
        "store": store or about["store"],
        "tuned": about["tuned"] and {**about["tuned"], "stale": True},
        "changes": [*about.get("changes", []), change],
    }


def _still_fitting(kind: type[Index], old: Opened, about: dict, writer: IndexWriter) -> dict[str, int]:
    """The search settings that were in force, brought into the ranges that the new index has: it may have fewer lists.

    Settings that it does not have any more are left out.
    """
    if not about["search"]:
        return {}
    gallery = read_items(writer.path(ITEMS), about["modality"], old.gallery.space, about["store"])
    paths = {role: writer.path(role) for role in writer.roles}
    index = kind(replace(old, paths=paths, gallery=gallery, vectors=VectorFile(paths[VECTORS]).mapped()))
    fitting = {knob.name: (knob.low, knob.high) for knob in index.knobs}
    return {name: min(max(value, fitting[name][0]), fitting[name][1])
            for name, value in about["search"].items() if name in fitting}  # fmt: skip


def _unchanged(before: Artefact, store: str | None) -> Updated:
    """Nothing comes and nothing goes; at most the rows are those of another store now."""
    artefact = before
    if store not in (None, before.about["store"]):
        with writer_lock(before.folder):
            _require_same(before)
            artefact = replace(before, about={**before.about, "store": store})
            artefact.write()
    rows = artefact.about["rows"]
    return Updated(folder=before.folder, rows=rows, added=0, removed=0, how="nothing to do", artefact=artefact)
