"""Filling a store, shard by shard, so that a killed run goes on where it was."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from vfsearch.artefact import Artefact, exists, require_replaceable
from vfsearch.data.failure import failures_csv
from vfsearch.data.shard import Shard
from vfsearch.errors import MismatchError, SettingsError
from vfsearch.files import writer_lock
from vfsearch.store.shard import DTYPES, SCHEMA, pack_shard, unpack_shard
from vfsearch.store.store import FAILURES_NAME, MADE_BY, read_store_artefact

OWN_NAMES = rf"(voice|face)-\d{{5,}}-[0-9a-f]{{8,}}\.h5|{re.escape(FAILURES_NAME)}"


class StoreWriter:
    """The only writer of a store; get one from `writing`.

    Args:
        artefact: what the store holds so far.
        dtype: "float32" or "float16".
    """

    def __init__(self, artefact: Artefact, dtype: str) -> None:
        self._artefact = artefact
        self._dtype = dtype

    @property
    def complete(self) -> bool:
        """Whether every part of the list is in the store."""
        return bool(self._artefact.about["complete"])

    def holds(self, part: str) -> bool:
        """Whether a part is in the store, whole."""
        return part in self._artefact.files

    def add(self, part: str, shard: Shard) -> None:
        """Write one part; it is in the store for good when this returns.

        Raises:
            VfsearchError: it cannot be written; the store is as it was before.
        """
        self._artefact.add(
            part,
            pack_shard(shard, self._dtype),
            modality=shard.embeddings.modality,
            split=shard.split,
            rows=len(shard.embeddings),
            failures=len(shard.failures),
        )
        self._artefact.write()

    def finish(self, parts: list[str]) -> None:
        """Write the failures table and say that the list is done.

        Args:
            parts: every part of the list, in its order; the files are listed in this order from now on.
        """
        files = self._artefact.files
        shards = (unpack_shard(self._artefact.read(part), part) for part in parts if files[part]["failures"])
        table = failures_csv(failure for shard in shards for failure in shard.failures)
        in_order = {part: files[part] for part in parts}
        files.clear()
        files.update(in_order)
        self._artefact.add(FAILURES_NAME, table)
        self._artefact.about["complete"] = True
        self._artefact.write()


@contextlib.contextmanager
def writing(
    folder: Path,
    about: dict,
    dtype: str,
    overwrite: bool = False,
    keep_same_parts: bool = False,
    drop_failed: bool = False,
) -> Iterator[StoreWriter]:
    """Open a store for writing: a new one, or one that was begun with the same list, encoders and settings.

    Args:
        folder: where the store is or shall be.
        about: what decides its content; JSON. "dtype" and "complete" are added.
        dtype: "float32" or "float16", of the stored vectors.
        overwrite: give up what is there.
        keep_same_parts: where it was begun with another list, keep the parts of the same name ("parts" in `about`
            lists those wanted) instead of refusing.
        drop_failed: give up the parts in which an item failed, so that they are made again.
    Raises:
        LockedError: another process writes to it.
        MismatchError: it was begun with another list, encoder or setting; the message says which.
        DamagedError: what is there is damaged.
    """
    about = _whole_about(about, dtype)
    with writer_lock(folder):
        if exists(folder) and not overwrite:
            artefact = read_store_artefact(folder)
            if keep_same_parts:
                artefact = _with_same_parts(artefact, about)
            else:
                _require_same(artefact, about)
            if drop_failed:
                artefact = _without_failed(artefact, about)
        else:
            require_replaceable(folder, "store")
            artefact = Artefact(folder=folder, kind="store", schema=SCHEMA, about=about)
            artefact.write()
        artefact.remove_unlisted(OWN_NAMES)
        yield StoreWriter(artefact, dtype)


def require_same_store(folder: Path, about: dict, dtype: str) -> None:
    """Refuse early what `writing` would refuse; nothing is written.

    Args:
        folder, about, dtype: as for `writing`.
    Raises:
        MismatchError, DamagedError: see `writing`.
    """
    about = _whole_about(about, dtype)
    if exists(folder):
        _require_same(read_store_artefact(folder), about)


def _whole_about(about: dict, dtype: str) -> dict:
    if dtype not in DTYPES:
        raise SettingsError(f"vectors can be stored as {' or '.join(DTYPES)}, not as {dtype!r}")
    return {**about, "dtype": dtype, "complete": False}


def _require_same(artefact: Artefact, about: dict) -> None:
    names = sorted((set(artefact.about) | set(about)) - {"complete"})
    differ = [name for name in names if artefact.about.get(name) != about.get(name)]
    if differ:
        # Another model is another space already.
        differ = [name for name in differ if name != "model"] or differ
        found = "; ".join(f"{name}: {_shown(artefact.about, name)} there, {_shown(about, name)} now" for name in differ)
        raise MismatchError(
            f"the store {artefact.folder} was made otherwise ({found}); "
            f"give `{MADE_BY} --overwrite` to make it anew, or --out another folder"
        )


def _without_failed(artefact: Artefact, about: dict) -> Artefact:
    """The store less the parts in which an item failed."""
    whole = {name: facts for name, facts in artefact.files.items() if facts.get("failures") == 0}
    return _renewed(artefact, about, whole) if any(map(_failures, artefact.files.values())) else artefact


def _failures(facts: dict) -> int:
    """How many items failed in a file; none in one that is no shard."""
    return facts.get("failures", 0)


def _with_same_parts(artefact: Artefact, about: dict) -> Artefact:
    """The store with this list: what it holds of it already, nothing else."""
    if {**artefact.about, "complete": False} == about:
        return artefact
    kept = {name: artefact.files[name] for name in about["parts"] if name in artefact.files}
    return _renewed(artefact, about, kept)


def _renewed(artefact: Artefact, about: dict, files: dict[str, dict]) -> Artefact:
    """The store with these files alone, to be filled again."""
    renewed = Artefact(folder=artefact.folder, kind="store", schema=SCHEMA, about=about, files=files)
    renewed.write()
    return renewed


def _shown(about: dict, name: str) -> str:
    """A value for a message: spaces by name and mark."""
    value = about.get(name)
    if name == "spaces" and value:
        return ", ".join(
            f"{modality} in {space['name']}:{space['fingerprint'][:12]}" for modality, space in value.items()
        )
    return str(value)
