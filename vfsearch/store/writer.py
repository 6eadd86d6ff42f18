"""Filling a store, shard by shard, so that a killed run goes on where it was."""

import contextlib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from vfsearch.artefact import Artefact, exists, require_replaceable
from vfsearch.data.failure import failures_csv
from vfsearch.data.shard import Shard
from vfsearch.errors import MismatchError, SettingsError
from vfsearch.files import writer_lock
from vfsearch.store.shard import DTYPES, SCHEMA, pack_shard, unpack_shard
from vfsearch.store.staging import StagedShard, shard_facts, take_over
from vfsearch.store.store import FAILURES_NAME, Store, read_store_artefact

OWN_NAMES = rf"(voice|face)-\d{{5,}}-[0-9a-f]{{8,}}\.h5|{re.escape(FAILURES_NAME)}"
STALE, AGAIN = "stale", "again"
"""Facts of a file: it is of the list before; items of it are to be looked at again."""


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
    def folder(self) -> Path:
        """Of the store."""
        return self._artefact.folder

    @property
    def dtype(self) -> str:
        """Of the stored vectors."""
        return self._dtype

    @property
    def complete(self) -> bool:
        """Whether every part of the list is in the store."""
        return bool(self._artefact.about["complete"])

    def holds(self, part: str) -> bool:
        """Whether a part is in the store, whole, with nothing in it that is to be looked at again."""
        facts = self._artefact.files.get(part)
        return facts is not None and not (facts.get(STALE) or facts.get(AGAIN))

    def outdated(self, modality: str) -> list[tuple[str, bool]]:
        """The shards whose rows may be taken over, and whether their failures may be too.

        They are those of the list before, and those in which what failed is to be looked at again.
        """
        return [
            (name, not facts.get(AGAIN))
            for name, facts in self._artefact.files.items()
            if facts.get("modality") == modality and (facts.get(STALE) or facts.get(AGAIN))
        ]

    def written_ns(self, part: str) -> int:
        """When one of its shards was written; see `Store.written_ns`."""
        return Store(self._artefact).written_ns(part)

    def shard(self, part: str) -> Shard:
        """One of its shards, checked.

        Raises:
            DamagedError: see `Store.shard`.
        """
        return Store(self._artefact).shard(part)

    def add(self, part: str, shard: Shard) -> None:
        """Write one part; it is in the store for good when this returns.

        Raises:
            VfsearchError: it cannot be written; the store is as it was before (but that a part which was to be looked
                at again may be gone).
        """
        self._forget(part)
        self._artefact.add(part, pack_shard(shard, self._dtype), **shard_facts(shard))
        self._artefact.write()

    def adopt(self, part: str, staged: StagedShard) -> None:
        """Take one part that another process wrote; it is in the store for good when this returns.

        Raises:
            DamagedError: it is not there, or not whole.
            VfsearchError: see `add`.
        """
        self._forget(part)
        take_over(self._artefact.folder, part, staged)
        self._artefact.files[part] = staged.facts
        self._artefact.write()

    def _forget(self, part: str) -> None:
        if self._artefact.files.pop(part, None) is not None:
            # No file changes while it is listed: a process may be killed between the two names.
            self._artefact.write()

    def finish(self, parts: Sequence[str]) -> None:
        """Write the failures table and say that the list is done; what else the store held is removed.

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
        self._artefact.remove_unlisted(OWN_NAMES)


@contextlib.contextmanager
def writing(
    folder: Path,
    about: dict,
    dtype: str,
    parts: Collection[str] = (),
    overwrite: bool = False,
    may_differ: Collection[str] = (),
    retry_failed: bool = False,
) -> Iterator[StoreWriter]:
    """Open a store for writing: a new one, or one that was begun with the same encoders and settings.

    Args:
        folder: where the store is or shall be.
        about: what decides its content; JSON. "dtype" and "complete" are added.
        dtype: "float32" or "float16", of the stored vectors.
        parts: those of the list.
        overwrite: give up what is there.
        may_differ: names in `about` in which the store may differ from what is there (its list, say): parts of the list
            are kept then, others are stale until the store is complete, so that rows can be taken from them.
        retry_failed: parts in which an item failed are to be looked at again.
    Raises:
        LockedError: another process writes to it.
        MismatchError: it was begun with another encoder or setting; the message says which.
        DamagedError: what is there is damaged.
    """
    about = _whole_about(about, dtype)
    with writer_lock(folder):
        if exists(folder) and not overwrite:
            artefact = read_store_artefact(folder)
            _require_same(artefact, about, may_differ)
            artefact = _renewed(artefact, about, set(parts), retry_failed)
        else:
            require_replaceable(folder, "store")
            artefact = Artefact(folder=folder, kind="store", schema=SCHEMA, about=about)
            artefact.write()
        artefact.remove_unlisted(OWN_NAMES)
        yield StoreWriter(artefact, dtype)


def require_same_store(folder: Path, about: dict, dtype: str, may_differ: Collection[str] = ()) -> None:
    """Refuse early what `writing` would refuse; nothing is written.

    Args:
        folder, about, dtype, may_differ: as for `writing`.
    Raises:
        MismatchError, DamagedError: see `writing`.
    """
    about = _whole_about(about, dtype)
    if exists(folder):
        _require_same(read_store_artefact(folder), about, may_differ)


def _whole_about(about: dict, dtype: str) -> dict:
    if dtype not in DTYPES:
        raise SettingsError(f"vectors can be stored as {' or '.join(DTYPES)}, not as {dtype!r}")
    return {**about, "dtype": dtype, "complete": False}


def _require_same(artefact: Artefact, about: dict, may_differ: Collection[str]) -> None:
    names = sorted((set(artefact.about) | set(about)) - {"complete", *may_differ})
    differ = [name for name in names if artefact.about.get(name) != about.get(name)]
    if differ:
        # Another model is another space already.
        differ = [name for name in differ if name != "model"] or differ
        found = "; ".join(f"{name}: {_shown(artefact.about, name)} there, {_shown(about, name)} now" for name in differ)
        raise MismatchError(
            f"the store {artefact.folder} was made otherwise ({found}); "
            "give --overwrite to make it anew, or --out another folder"
        )


def _renewed(artefact: Artefact, about: dict, parts: Collection[str], retry_failed: bool) -> Artefact:
    """The store with this list: its parts are kept, others are stale."""
    again = {name for name, facts in artefact.files.items() if retry_failed and facts.get("failures")}
    if {**artefact.about, "complete": False} == about and not again:
        return artefact
    files = {
        name: _with_facts(facts, {STALE: name not in parts, AGAIN: name in again or facts.get(AGAIN, False)})
        for name, facts in artefact.files.items()
        if name != FAILURES_NAME
    }
    renewed = Artefact(folder=artefact.folder, kind="store", schema=SCHEMA, about=about, files=files)
    renewed.write()
    return renewed


def _with_facts(facts: dict, more: dict[str, bool]) -> dict:
    """The facts of a file, with those of some that hold."""
    plain = {name: value for name, value in facts.items() if name not in more}
    return {**plain, **{name: True for name, holds in more.items() if holds}}


def _shown(about: dict, name: str) -> str:
    """A value for a message: spaces by name and mark."""
    value = about.get(name)
    if name == "spaces" and value:
        return ", ".join(
            f"{modality} in {space['name']}:{space['fingerprint'][:12]}" for modality, space in value.items()
        )
    return str(value)
