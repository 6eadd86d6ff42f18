"""Several stores of the same spaces made into one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vfsearch.data.shard import Origins, Shard
from vfsearch.data.space import MODALITIES, require_same_space
from vfsearch.errors import MismatchError, SettingsError
from vfsearch.files import digest, sha256
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, open_store
from vfsearch.store.writer import writing

ON_DUPLICATE = ("refuse", "first", "last", "same")


@dataclass(frozen=True, kw_only=True)
class MergeReport:
    """What a merge did.

    Args:
        folder: of the new store.
        rows, failures: modality -> how many.
        dropped: rows left out because another store has their ids.
        repaired: failures left out because another store has rows of their ids.
    """

    folder: Path
    rows: dict[str, int]
    failures: dict[str, int]
    dropped: int
    repaired: int


def merge_stores(
    folders: Sequence[Path],
    out: Path,
    on_duplicate: str = "refuse",
    dtype: str | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> MergeReport:
    """Write the rows and failures of several stores into a new one, shard by shard.

    A merge that was stopped goes on where it was, and leaves the same bytes.

    Args:
        folders: of the stores, at least two; of each modality they have, all in one space.
        out: of the new store.
        on_duplicate: of an id that several have: "refuse"; take the "first" or the "last" row; or "same": take the
            first where the vectors are equal, else refuse.
        dtype: of the stored vectors; None: that of the stores.
        overwrite: replace another store at `out`.
        progress: called with shards done.
    Raises:
        SpaceMismatchError: two stores have a modality in different spaces.
        MismatchError: an id comes twice; the stores' dtypes differ and none is given.
    """
    if on_duplicate not in ON_DUPLICATE:
        raise SettingsError(f"on_duplicate is {on_duplicate!r}, wanted one of {', '.join(ON_DUPLICATE)}")
    if len(folders) < 2:
        raise SettingsError(f"{len(folders)} store is nothing to merge: name two or more")
    stores = [open_store(folder) for folder in folders]
    if out.absolute() in {store.artefact.folder.absolute() for store in stores}:
        raise SettingsError(f"{out} is one of the stores to be merged: give --out another folder")
    about, dtype = _about(stores, on_duplicate), dtype or _dtype(stores)
    ids = _Ids(on_duplicate)
    for number, store in enumerate(stores):
        ids.note(number, store)
    pieces = list(_pieces(stores, ids))
    names = [piece.name for piece in pieces]
    about["list"] = f"{sum(piece.size for piece in pieces)} items ({digest(names)[:16]})"
    with writing(out, about, dtype, names, overwrite) as writer:
        for done, piece in enumerate(pieces, start=1):
            if not writer.holds(piece.name):
                writer.add(piece.name, piece.shard(stores))
            progress("shards", done, len(pieces))
        if not writer.complete:
            writer.finish(names)
    merged = open_store(out)
    return MergeReport(
        folder=out,
        rows={modality: merged.count("rows", modality) for modality in merged.spaces},
        failures={modality: merged.count("failures", modality) for modality in merged.spaces},
        dropped=ids.dropped,
        repaired=sum(piece.repaired for piece in pieces),
    )


def _about(stores: Sequence[Store], on_duplicate: str) -> dict:
    spaces = {}
    for store in stores:
        for modality, space in store.spaces.items():
            first, where = spaces.setdefault(modality, (space, store.artefact.folder))
            require_same_space(
                first, f"the {modality} rows of {where}", space, f"the {modality} rows of {store.artefact.folder}"
            )
    models = [store.artefact.about.get("model") for store in stores]
    return {
        "spaces": {modality: spaces[modality][0].to_json() for modality in MODALITIES if modality in spaces},
        "model": models[0] if all(model == models[0] for model in models) else None,
        "rows_per_part": max(store.artefact.about.get("rows_per_part", 1) for store in stores),
        "merged": {"stores": [store.digest for store in stores], "on_duplicate": on_duplicate},
    }


def _dtype(stores: Sequence[Store]) -> str:
    found = sorted({store.artefact.about["dtype"] for store in stores})
    if len(found) > 1:
        raise MismatchError(f"the stores hold {' and '.join(found)}: say with --dtype which the new one shall hold")
    return found[0]


class _Ids:
    """Which store's row of an id is taken; ids are held as digests, not as texts."""

    def __init__(self, on_duplicate: str) -> None:
        self._rule, self.dropped = on_duplicate, 0
        self._owners: dict[bytes, tuple[int, str]] = {}

    def note(self, number: int, store: Store) -> None:
        """Look at the rows of a store."""
        for modality in store.spaces:
            for part in store.parts(modality):
                rows = store.shard(part).embeddings
                for id_, vector in zip(rows.ids, rows.vectors, strict=True):
                    self._note(number, store, modality, id_, vector)

    def _note(self, number: int, store: Store, modality: str, id_: str, vector: np.ndarray) -> None:
        key, mark = _key(modality, id_), sha256(vector.tobytes())[:16] if self._rule == "same" else ""
        known = self._owners.get(key)
        if known is not None:
            self.dropped += 1
            if self._rule == "refuse" or (self._rule == "same" and known[1] != mark):
                other = "with another vector" if self._rule == "same" else "too"
                raise MismatchError(
                    f"the {modality} row {id_!r} of {store.artefact.folder} is in another of the stores {other}; "
                    "say with --on-duplicate which one to take: first, last, or same (where they are equal)"
                )
        if known is None or self._rule == "last":
            self._owners[key] = (number, mark)

    def of(self, number: int, modality: str, id_: str) -> bool:
        """Whether the row of this id is taken from this store."""
        return self._owners[_key(modality, id_)][0] == number

    def has(self, modality: str, id_: str) -> bool:
        """Whether any store has a row of this id."""
        return _key(modality, id_) in self._owners


def _key(modality: str, id_: str) -> bytes:
    return bytes.fromhex(digest([modality, id_])[:32])


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """What is taken of one shard.

    Args:
        store, part: where it is.
        name: of the new shard.
        rows, failures: row numbers that are taken.
        repaired: failures that are not, as another store has a row.
    """

    store: int
    part: str
    name: str
    rows: tuple[int, ...]
    failures: tuple[int, ...]
    repaired: int

    @property
    def size(self) -> int:
        """Rows and failures."""
        return len(self.rows) + len(self.failures)

    def shard(self, stores: Sequence[Store]) -> Shard:
        """The new shard."""
        found = stores[self.store].shard(self.part)
        rows, failures = np.array(self.rows, np.int64), np.array(self.failures, np.int64)
        origins = found.origins and Origins(
            rows=found.origins.rows[rows],
            failures=found.origins.failures[failures],
            changed_by=found.origins.changed_by,
        )
        failed = tuple(found.failures[row] for row in failures)
        return replace(found, embeddings=found.embeddings.take(rows), failures=failed, origins=origins)


def _pieces(stores: Sequence[Store], ids: _Ids) -> Iterator[_Piece]:
    for modality in MODALITIES:
        failed: set[str] = set()
        for split in sorted({split for store in stores for split in store.splits(modality)}):
            listed = [
                (number, part) for number, store in enumerate(stores) for part in store.parts(modality, split)
            ]  # fmt: skip
            kept = [
                each
                for number, part in listed
                if (each := _kept(number, stores[number], modality, part, ids, failed)).size
            ]
            for number, piece in enumerate(kept):
                yield replace(piece, name=f"{modality}-{number:05d}-{piece.name}.h5")


def _kept(number: int, store: Store, modality: str, part: str, ids: _Ids, failed: set[str]) -> _Piece:
    shard = store.shard(part)
    rows = [row for row, id_ in enumerate(shard.embeddings.ids) if ids.of(number, modality, id_)]
    rowless = [row for row, each in enumerate(shard.failures) if not ids.has(modality, each.id)]
    # What failed in several stores is one failure.
    failures = [row for row in rowless if shard.failures[row].id not in failed]
    failed.update(shard.failures[row].id for row in failures)
    mark = digest([store.artefact.files[part]["sha256"], number, rows, failures])[:12]
    return _Piece(
        store=number, part=part, name=mark, rows=tuple(rows), failures=tuple(failures),
        repaired=len(shard.failures) - len(rowless),
    )  # fmt: skip
