"""What embeds: this process, or others that are told what to do (`vfsearch.distributed`)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import numpy as np

from vfsearch.data.embeddings import Embeddings, bad_rows
from vfsearch.data.failure import FailedItem
from vfsearch.data.manifest import Item
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.assembly import ADDED_COLUMNS
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import Part
from vfsearch.embed.reuse import Kept
from vfsearch.embed.run import Prepare, embed_parts
from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.media.preparation import Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.model import Model
from vfsearch.pipeline.recipe import Recipe
from vfsearch.progress import Progress
from vfsearch.store.staging import StagedShard
from vfsearch.store.store import open_store

SEEN_COLUMN = "seen_in_training"
Project = Callable[[str, np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class MediaWork:
    """Parts of one modality that a store shall hold.

    Args:
        folder: what relative paths of items are relative to.
        encoder: of the modality.
        parts: all of them, those that are there too.
        decoding, encoding: how.
        recipe: how other processes make the encoder; None: they cannot.
        seen_by: folder of the model whose training the rows are asked about; None: nothing is asked.
    """

    folder: Path
    encoder: Encoder
    parts: Sequence[Part]
    decoding: Decoding
    encoding: Encoding
    recipe: Recipe | None = None
    seen_by: Path | None = None

    @property
    def modality(self) -> str:
        """Of the parts."""
        return self.parts[0].modality


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectWork:
    """Parts of features to be taken into the space of a store.

    Args:
        features: folder of their store, which holds them all.
        parts: all of them, those that are there too.
        spaces: modality -> space of the store.
        project: features -> rows of the store.
        model: folder of the model whose projection it is; None: features stay what they are.
    """

    features: Path
    parts: Sequence[Part]
    spaces: dict[str, Space]
    project: Project
    model: Path | None


class Engine(Protocol):
    """What embeds: this process, or others."""

    def embed(self, work: MediaWork, writer: "Filling", progress: Progress) -> Meter:
        """See that the store holds the parts; see `embed_parts`."""

    def project(self, work: ProjectWork, writer: "Filling", progress: Progress) -> None:
        """See that the store holds the parts, made of features."""


class Here:
    """This process, with its decoders."""

    def embed(self, work: MediaWork, writer: "Filling", progress: Progress) -> Meter:
        """See `Engine.embed`."""
        kept = Kept(writer.shard, writer.outdated(work.modality), work.encoder.space, writer.written_ns)
        with (
            preparing(work.encoder, work.folder, work.decoding) as prepare,
            work.encoding.running(work.encoder) as running,
        ):
            return embed_parts(work.parts, work.encoder, prepare, writer, running, progress, kept)

    def project(self, work: ProjectWork, writer: "Filling", progress: Progress) -> None:
        """See `Engine.project`."""
        features, total = open_store(work.features), sum(len(part.items) for part in work.parts)
        for done, part in enumerate(work.parts, start=1):
            if not writer.holds(part.name):
                shard = features.shard(part.name)
                writer.add(part.name, projected(shard, work.spaces[part.modality], work.project))
            progress("rows stored", total * done // len(work.parts), total)


HERE = Here()


class Filling(Protocol):
    """What is needed of a store that is being filled; see `StoreWriter`."""

    @property
    def folder(self) -> Path:
        """Of the store."""

    @property
    def dtype(self) -> str:
        """Of the stored vectors."""

    def holds(self, part: str) -> bool:
        """Whether a part is there."""

    def add(self, part: str, shard: Shard) -> None:
        """Take a part for good."""

    def adopt(self, part: str, staged: StagedShard) -> None:
        """Take a part for good that another process wrote."""

    def outdated(self, modality: str) -> list[tuple[str, bool]]:
        """The shards whose rows may be taken over."""

    def written_ns(self, part: str) -> int:
        """When one of its shards was written."""

    def shard(self, part: str) -> Shard:
        """One of its shards."""


@contextmanager
def preparing(encoder: Encoder, folder: Path, decoding: Decoding) -> Iterator[Prepare]:
    """What prepares items, whose paths are relative to a folder: decoding processes, unless no media are needed."""
    if encoder.preparation is None:
        yield _ids
        return
    with PreparationWorkers(encoder.preparation, decoding.limits, decoding.workers) as workers:
        yield lambda items: workers.prepare(
            Task(path=folder / item.path, start_seconds=item.start_seconds, end_seconds=item.end_seconds)
            for item in items
        )


def _ids(items: Iterable[Item]) -> Iterator[SimpleNamespace]:
    """The samples of an encoder that needs no media."""
    return (SimpleNamespace(sample=item.id, note="") for item in items)


def projected(shard: Shard, space: Space, project: Project) -> Shard:
    """The rows in another space; those without a direction there are failures."""
    rows = shard.embeddings
    vectors = unit_rows(project(rows.modality, rows.vectors)) if len(rows) else np.zeros((0, space.dimension))
    bad = bad_rows(vectors)
    kept = rows.take([row for row in range(len(rows)) if row not in bad])
    embeddings = Embeddings(
        ids=kept.ids,
        identities=kept.identities,
        vectors=np.delete(vectors, list(bad), axis=0).astype(np.float32),
        modality=kept.modality,
        space=space,
        columns=kept.columns,
    )
    failures = (*shard.failures, *(_failed(rows, row, found) for row, found in bad.items()))
    return Shard(embeddings=embeddings, failures=failures, split=shard.split)


def with_seen(shard: Shard, model: Model | None) -> Shard:
    """The shard with what a model's training saw of each row; as it is where nothing is known of that."""
    if model is None or not model.names_identities:
        return shard
    rows = shard.embeddings
    seen = {SEEN_COLUMN: [model.seen(identity, shard.split) for identity in rows.identities]}
    return replace(shard, embeddings=replace(rows, columns={**rows.columns, **seen}))


def _failed(rows: Embeddings, row: int, found: str) -> FailedItem:
    columns = {name: values[row] for name, values in rows.columns.items() if name not in ADDED_COLUMNS}
    return FailedItem(
        id=rows.ids[row],
        path=rows.columns["path"][row],
        modality=rows.modality,
        identity=rows.identities[row],
        stage="project",
        reason=f"the model's row is {found}",
        columns=columns,
    )
