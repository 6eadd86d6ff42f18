"""Reading a store: checked before it is believed."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, read_artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.errors import ArtefactError, DamagedError
from vfsearch.store.shard import SCHEMA, unpack_shard

FAILURES_NAME = "failures.csv"
MADE_BY = "vfsearch embed"


def read_store_artefact(folder: Path) -> Artefact:
    """The sealed list of a store's files.

    Raises:
        ArtefactError: there is no store of this layout.
        DamagedError: its manifest is damaged.
    """
    return read_artefact(folder, "store", SCHEMA, MADE_BY)


@dataclass(frozen=True, eq=False)
class Store:
    """Rows of both modalities, in shards; get one from `open_store`.

    Args:
        artefact: the sealed list of its files.
    """

    artefact: Artefact

    @property
    def digest(self) -> str:
        """Digest of every row and failure."""
        return self.artefact.seal

    @property
    def spaces(self) -> dict[str, Space]:
        """Modality -> space of its rows."""
        return {modality: Space(**space) for modality, space in self.artefact.about["spaces"].items()}

    def parts(self, modality: str, split: str | None = None) -> list[str]:
        """The shard files of one modality and split (None: all splits)."""
        return [
            name
            for name, facts in self.artefact.files.items()
            if facts.get("modality") == modality and split in (None, facts["split"]) and not facts.get("stale")
        ]

    def splits(self, modality: str) -> tuple[str, ...]:
        """The values of the column `split`, sorted."""
        return tuple(sorted({self.artefact.files[part]["split"] for part in self.parts(modality)}))

    def count(self, what: str, modality: str) -> int:
        """How many "rows" or "failures" there are of a modality."""
        return sum(self.artefact.files[part][what] for part in self.parts(modality))

    def stale_parts(self) -> list[str]:
        """The shard files of the list before, kept until the store is complete again."""
        return [name for name, facts in self.artefact.files.items() if facts.get("stale")]

    def written_ns(self, part: str) -> int:
        """When a shard was written, in ns since 1970; 0 where nobody knows."""
        try:
            return (self.artefact.folder / part).stat().st_mtime_ns
        except OSError:
            return 0

    def shard(self, part: str) -> Shard:
        """One shard, checked.

        Raises:
            DamagedError: its bytes are not those that were written, or its header says otherwise than the manifest.
        """
        where = self.artefact.folder / part
        shard = unpack_shard(self.artefact.read(part), str(where))
        listed = self.artefact.files[part]
        header = {"modality": shard.embeddings.modality, "rows": len(shard.embeddings), "failures": len(shard.failures)}
        differ = {name: (value, listed[name]) for name, value in header.items() if listed[name] != value}
        # What is stale may have been made with another encoder.
        another = not listed.get("stale") and shard.embeddings.space != self.spaces[shard.embeddings.modality]
        if differ or another:
            raise DamagedError(f"{where} does not fit its store's manifest: {differ or 'another space'}")
        return shard

    def load(self, modality: str, split: str | None = None) -> Embeddings:
        """All rows of one modality and split in one value.

        Raises:
            ArtefactError: the store has no row of it.
            DamagedError: a shard is damaged.
        """
        shards = [self.shard(part).embeddings for part in self.parts(modality, split)]
        rows = join(shards) if shards else None
        if rows is None or not len(rows):
            of_split = "" if split is None else f" with split={split}"
            has = ", ".join(f"{name} ({self.count('rows', name)} rows)" for name in self.spaces) or "nothing"
            splits = sorted({name for each in self.spaces for name in self.splits(each)})
            raise ArtefactError(
                f"the store {self.artefact.folder} has no {modality} rows{of_split}: it holds {has}, "
                f"splits {', '.join(map(repr, splits))}"
            )
        return rows

    def failures(self, modality: str, split: str | None = None) -> list[FailedItem]:
        """The items of one modality and split that have no row."""
        return list(self._failures(modality, split))

    def _failures(self, modality: str, split: str | None) -> Iterator[FailedItem]:
        for part in self.parts(modality, split):
            if self.artefact.files[part]["failures"]:
                yield from self.shard(part).failures


def join(shards: list[Embeddings]) -> Embeddings:
    """The rows of several shards of one modality in one value; at least one shard."""
    names = sorted({name for shard in shards for name in shard.columns})
    return Embeddings(
        ids=[id_ for shard in shards for id_ in shard.ids],
        identities=[identity for shard in shards for identity in shard.identities],
        vectors=np.concatenate([shard.vectors for shard in shards]),
        modality=shards[0].modality,
        space=shards[0].space,
        columns={
            name: [text for shard in shards for text in shard.columns.get(name, [""] * len(shard))] for name in names
        },
    )


def open_store(folder: Path, complete: bool = True) -> Store:
    """Open a store for reading.

    Args:
        folder: where it is.
        complete: refuse one that is not finished.
    Raises:
        ArtefactError: there is none, or it is not finished.
        DamagedError: its manifest is damaged.
    """
    store = Store(read_store_artefact(folder))
    if complete and not store.artefact.about["complete"]:
        raise ArtefactError(f"the store {folder} is not finished; go on with `{MADE_BY}`")
    return store
