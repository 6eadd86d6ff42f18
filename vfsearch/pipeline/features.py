"""Media to frozen features, in a store of their own."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

from vfsearch.artefact import exists
from vfsearch.data.manifest import Item, Manifest
from vfsearch.data.shard import Shard
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import ROWS_PER_PART, Part, plan_parts
from vfsearch.embed.reuse import Kept
from vfsearch.embed.run import Prepare, embed_parts, stopped
from vfsearch.encoders.base import Encoder
from vfsearch.files import digest
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import read_store_artefact
from vfsearch.store.writer import writing

ANYTHING = ("spaces", "rows_per_part", "list", "parts", "model", "precision", "dtype")
"""In all that the features of another training may differ: those of equal items and encoders are kept."""


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How media are read; nothing of it changes a row.

    Args:
        workers: decoding processes for a modality; 0: in this process, without protection.
        limits: what one file may cost.
    """

    workers: int = 2
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """How the features of a whole manifest are cut into shards.

    Args:
        parts: the shards.
        rows_per_part: the most items in one.
    """

    parts: list[Part]
    rows_per_part: int

    @property
    def names(self) -> list[str]:
        """Of the shards."""
        return [part.name for part in self.parts]

    def list_name(self) -> str:
        """What a store says of the list: the shards' names carry digests of their items and of the files' marks."""
        return f"{sum(len(part.items) for part in self.parts)} items ({digest(self.names)[:16]})"


def plan_features(
    workspace: Workspace,
    manifest: Manifest,
    encoders: dict[str, Encoder],
    rows_per_part: int | None = None,
    folder: Path | None = None,
    encoding: Encoding | None = None,
) -> Plan:
    """Cut a manifest into shards.

    Args:
        rows_per_part: None: as the store was begun, else 512. With another number than before, shards are cut anew.
        folder: of the store; None: that of the features.
        encoding: says how a changed file is noticed.
    """
    folder, encoding = folder or workspace.features_folder, encoding or Encoding()
    if rows_per_part is None and exists(folder):
        rows_per_part = read_store_artefact(folder).about["rows_per_part"]
    rows_per_part = ROWS_PER_PART if rows_per_part is None else rows_per_part
    spaces = {modality: encoder.space for modality, encoder in encoders.items()}
    precisions = {modality: encoding.precision_of(encoder) for modality, encoder in encoders.items()}
    parts = plan_parts(manifest, spaces, rows_per_part, encoding.changed_by, precisions)
    return Plan(parts=parts, rows_per_part=rows_per_part)


def fill_features(
    workspace: Workspace,
    manifest: Manifest,
    encoders: dict[str, Encoder],
    plan: Plan,
    split: str | None,
    decoding: Decoding,
    encoding: Encoding | None = None,
    progress: Progress = silent,
) -> dict[str, Meter]:
    """See that the store of frozen features holds every item of a split (None: of all).

    What was made before by the same encoders from the same items is kept, also when the manifest has changed since.

    Returns:
        Modality -> how fast it went, for those that were not there already.
    Raises:
        LockedError, VfsearchError: the store cannot be written.
    """
    encoding = encoding or Encoding()
    about = {
        "spaces": {modality: encoder.space.to_json() for modality, encoder in encoders.items()},
        "rows_per_part": plan.rows_per_part,
        "list": plan.list_name(),
    }
    with writing(
        workspace.features_folder, about, "float32", plan.names, may_differ=ANYTHING,
        retry_failed=encoding.retry_failed,
    ) as writer:  # fmt: skip
        asked = [part for part in plan.parts if split in (None, part.split)]
        meters = embed_media(manifest, encoders, asked, writer, decoding, encoding, progress)
        if not writer.complete and all(map(writer.holds, plan.names)):
            writer.finish(plan.names)
    return meters


def embed_media(
    manifest: Manifest,
    encoders: dict[str, Encoder],
    parts: Sequence[Part],
    writer: "Filling",
    decoding: Decoding,
    encoding: Encoding,
    progress: Progress,
) -> dict[str, Meter]:
    """Media to rows in a store, as far as it does not hold them yet; see `embed_parts`.

    Returns:
        Modality -> how fast it went, for those that were not there already.
    """
    meters = {}
    for modality, encoder in encoders.items():
        of_modality = [part for part in parts if part.modality == modality]
        if encoding.strict:
            _require_none_failed(writer, of_modality)
        if all(writer.holds(part.name) for part in of_modality):
            continue
        kept = Kept(writer.shard, writer.outdated(modality), encoder.space, writer.written_ns)
        with preparing(encoder, manifest, decoding) as prepare, encoding.running(encoder) as running:
            meters[modality] = embed_parts(of_modality, encoder, prepare, writer, running, progress, kept)
    return meters


def _require_none_failed(writer: "Filling", parts: Sequence[Part]) -> None:
    """A strict run takes no failures of an earlier one either."""
    for shard in (writer.shard(part.name) for part in parts if writer.holds(part.name)):
        for failure in shard.failures[:1]:
            raise stopped(failure.modality, failure.path, failure.stage, failure.reason)


class Filling(Protocol):
    """What is needed of a store that is being filled; see `StoreWriter`."""

    def holds(self, part: str) -> bool:
        """Whether a part is there."""

    def add(self, part: str, shard: Shard) -> None:
        """Take a part for good."""

    def outdated(self, modality: str) -> list[tuple[str, bool]]:
        """The shards whose rows may be taken over."""

    def written_ns(self, part: str) -> int:
        """When one of its shards was written."""

    def shard(self, part: str) -> Shard:
        """One of its shards."""


@contextmanager
def preparing(encoder: Encoder, manifest: Manifest, decoding: Decoding) -> Iterator[Prepare]:
    """What prepares items for an encoder: decoding processes, unless it needs no media."""
    if encoder.preparation is None:
        yield _ids
        return
    with PreparationWorkers(encoder.preparation, decoding.limits, decoding.workers) as workers:
        yield lambda items: workers.prepare(
            Task(path=manifest.media_path(item), start_seconds=item.start_seconds, end_seconds=item.end_seconds)
            for item in items
        )


def _ids(items: Iterable[Item]) -> Iterator[SimpleNamespace]:
    """The samples of an encoder that needs no media."""
    return (SimpleNamespace(sample=item.id, note="") for item in items)
