"""Where the vectors of lists come from: files that others wrote, or the store of a workspace."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.named_vectors import NamedVectors
from vfsearch.data.neighbors import NO_ROW
from vfsearch.errors import InputError, SpaceMismatchError
from vfsearch.protocol.listed_rows import ListedRows
from vfsearch.store.foreign_vectors import read_vectors
from vfsearch.store.store import Store, open_store


@dataclass(frozen=True, kw_only=True, eq=False)
class ListVectors:
    """Vectors by name, and what is known of them.

    Args:
        tables: where the rows are, one table a space.
        spaces: what to call each table's space in messages.
        identity: whose an item is, where the source tells.
        made_from: what the source is, with its digest; JSON.
    """

    tables: Sequence[ListedRows]
    spaces: Sequence[str]
    identity: Callable[[str], str | None] | None
    made_from: Mapping[str, object]

    def table(self, names: Sequence[str], where: str) -> ListedRows:
        """The table that the names of one list are in.

        Raises:
            SpaceMismatchError: some are in one space, some in another.
        """
        if len(self.tables) == 1:
            return self.tables[0]
        known = [bool((table.rows(names) != NO_ROW).any()) for table in self.tables]
        if sum(known) > 1:
            raise SpaceMismatchError(
                f"{where} has items in the spaces {' and '.join(self.spaces)}: their scores would mean nothing; embed "
                "all with one joint model (`vfsearch train`, `vfsearch embed`)"
            )
        return self.tables[known.index(True) if any(known) else 0]


def vectors_of_files(paths: Sequence[Path], device: str, max_memory: int | None = None) -> ListVectors:
    """The vectors of some files (see `vfsearch.store.foreign_vectors`)."""
    vectors = read_vectors(paths)
    return ListVectors(
        tables=(ListedRows(vectors, device=device, max_memory=max_memory),),
        spaces=(vectors.where,),
        identity=None,
        made_from={"vectors": {str(path): sha256_of(path) for path in paths}},
    )


def vectors_of_store(folder: Path, device: str, max_memory: int | None = None) -> ListVectors:
    """The vectors of a store, to be named by id or by path.

    Raises:
        ArtefactError: there is no store.
    """
    store = open_store(folder)
    modalities = {name: [each for each in store.spaces if store.spaces[each] == space and store.count("rows", each)]
                  for name, space in {str(space): space for space in store.spaces.values()}.items()}  # fmt: skip
    identities: dict[str, str] = {}
    tables = [_table(store, each, identities, device, max_memory) for each in modalities.values() if each]
    for modality in store.spaces:
        for failure in store.failures(modality):
            identities |= {failure.id: failure.identity, failure.path: failure.identity}
    return ListVectors(
        tables=tables,
        spaces=[name for name, each in modalities.items() if each],
        identity=_IdentityInStore(tables, identities),
        made_from={"store": store.digest, "model": store.artefact.about.get("model"),
                   "spaces": {name: space.to_json() for name, space in store.spaces.items()}},
    )  # fmt: skip


def _table(
    store: Store, modalities: Sequence[str], identities: dict[str, str], device: str, max_memory: int | None
) -> ListedRows:
    """The rows of some modalities of one space; whose they are is added to `identities`, by id."""
    rows = [store.load(modality) for modality in modalities]
    ids = [id_ for each in rows for id_ in each.ids]
    identities |= dict(zip(ids, (name for each in rows for name in each.identities), strict=True))
    paths = [path for each in rows for path in each.columns.get("path", each.ids)]
    vectors = NamedVectors(names=ids, vectors=np.concatenate([each.vectors for each in rows]),
                           where=f"the store {store.artefact.folder}")  # fmt: skip
    return ListedRows(vectors, paths, device, max_memory)


class _IdentityInStore:
    """Whose an item is, by the row that its name stands for; else as one of those that could not be embedded."""

    def __init__(self, tables: Sequence[ListedRows], identities: Mapping[str, str]) -> None:
        self._tables, self._identities = tables, identities

    def __call__(self, name: str) -> str | None:
        for table in self._tables:
            row = int(table.rows([name])[0])
            if row != NO_ROW:
                return self._identities[table.names[row]]
        return self._identities.get(name)


def sha256_of(path: Path) -> str:
    """Digest of a file's bytes, which need not fit in memory.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
