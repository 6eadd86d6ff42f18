"""Media to frozen features, in a store of their own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from vfsearch.artefact import exists
from vfsearch.data.manifest import Item, Manifest
from vfsearch.embed.plan import ROWS_PER_PART, Part, plan_parts
from vfsearch.embed.run import Writer, embed_parts
from vfsearch.encoders.base import Encoder
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Prepared, Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import read_store_artefact
from vfsearch.store.writer import writing


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


def plan_features(
    workspace: Workspace,
    manifest: Manifest,
    encoders: dict[str, Encoder],
    rows_per_part: int | None = None,
    folder: Path | None = None,
) -> Plan:
    """Cut a manifest into shards.

    Args:
        rows_per_part: None: as the store was begun, else 512. With another number than before, every item is embedded
            anew.
        folder: of the store; None: that of the features.
    """
    folder = folder or workspace.features_folder
    if rows_per_part is None and exists(folder):
        rows_per_part = read_store_artefact(folder).about["rows_per_part"]
    rows_per_part = ROWS_PER_PART if rows_per_part is None else rows_per_part
    spaces = {modality: encoder.space for modality, encoder in encoders.items()}
    return Plan(parts=plan_parts(manifest, spaces, rows_per_part), rows_per_part=rows_per_part)


def fill_features(
    workspace: Workspace,
    manifest: Manifest,
    encoders: dict[str, Encoder],
    plan: Plan,
    split: str | None,
    decoding: Decoding,
    batch_size: int = 64,
    progress: Progress = silent,
    retry_failed: bool = False,
) -> list[Part]:
    """See that the store of frozen features holds every item of a split (None: of all).

    What was made before by the same encoders from the same items is kept, also when the manifest has grown since.

    Returns:
        The parts of those items.
    Raises:
        LockedError, VfsearchError: the store cannot be written.
    """
    names = [part.name for part in plan.parts]
    about = {
        "spaces": {modality: encoder.space.to_json() for modality, encoder in encoders.items()},
        "rows_per_part": plan.rows_per_part,
        "parts": names,
    }
    with writing(workspace.features_folder, about, "float32", keep_same_parts=True, drop_failed=retry_failed) as writer:
        asked = [part for part in plan.parts if split in (None, part.split)]
        embed_media(manifest, encoders, asked, writer, decoding, batch_size, progress)
        if not writer.complete and all(map(writer.holds, names)):
            writer.finish(names)
    return asked


def embed_media(
    manifest: Manifest,
    encoders: dict[str, Encoder],
    parts: Sequence[Part],
    writer: Writer,
    decoding: Decoding,
    batch_size: int,
    progress: Progress,
) -> None:
    """Media to rows in a store, as far as it does not hold them yet; see `embed_parts`."""
    for modality, encoder in encoders.items():
        _embed(encoder, [part for part in parts if part.modality == modality], manifest, writer, decoding, batch_size,
               progress)  # fmt: skip


def _embed(
    encoder: Encoder,
    parts: list[Part],
    manifest: Manifest,
    writer: Writer,
    decoding: Decoding,
    batch_size: int,
    progress: Progress,
) -> None:
    if all(writer.holds(part.name) for part in parts):
        return
    if encoder.preparation is None:
        embed_parts(parts, encoder, _ids, writer, batch_size, progress)
        return
    with PreparationWorkers(encoder.preparation, decoding.limits, decoding.workers) as workers:

        def prepare(items: Iterable[Item]) -> Iterator[Prepared | Failure]:
            return workers.prepare(
                Task(path=manifest.media_path(item), start_seconds=item.start_seconds, end_seconds=item.end_seconds)
                for item in items
            )

        embed_parts(parts, encoder, prepare, writer, batch_size, progress)


def _ids(items: Iterable[Item]) -> Iterator[SimpleNamespace]:
    """The samples of an encoder that needs no media."""
    return (SimpleNamespace(sample=item.id, note="") for item in items)
