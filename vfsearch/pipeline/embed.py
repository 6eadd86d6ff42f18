"""`vfsearch embed`: manifest and model to store."""

import re
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from vfsearch.artefact import exists
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.meter import Meter
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.embedding_plan import EmbeddingPlan, plan_embedding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.engine import HERE, Engine, with_seen
from vfsearch.pipeline.features import embed_media, fill_features
from vfsearch.pipeline.model import Model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.staging import StagedShard
from vfsearch.store.store import open_store
from vfsearch.store.writer import StoreWriter, writing


@dataclass(frozen=True, kw_only=True)
class EmbedReport:
    """What an embedding did.

    Args:
        folder: of the store.
        spaces: modality -> space of its rows.
        rows: modality -> how many.
        failures: modality -> items without a row.
        failed: those items.
        notes: note -> how many items it was made for ("no face found: centre crop").
        added: rows written now; 0 when the store was complete already.
        meters: modality -> how fast media were embedded, where any were.
        precisions: modality -> what its encoder computes in.
        fallen_back: modalities whose encoder computes in fp32 although another precision was asked for.
        touched: items that were kept although their files were changed later: these have the size that they had.
    """

    folder: Path
    spaces: dict[str, Space]
    rows: dict[str, int]
    failures: dict[str, int]
    failed: tuple[FailedItem, ...]
    notes: dict[str, int]
    added: int
    meters: dict[str, Meter]
    precisions: dict[str, str]
    fallen_back: tuple[str, ...]
    touched: int


def embed_manifest(
    workspace: Workspace,
    frozen: Encoders | None = None,
    decoding: Decoding | None = None,
    encoding: Encoding | None = None,
    dtype: str = "float32",
    overwrite: bool = False,
    prune: bool = False,
    progress: Progress = silent,
    rows_per_part: int | None = None,
    engine: Engine = HERE,
) -> EmbedReport:
    """Embed every item of the manifest that the store does not hold yet.

    A store that was made from another state of the list is brought to this one: only items that are new, or whose file
    has changed, are embedded; rows that are no longer listed, and their bytes, are removed.

    Args:
        workspace: with a manifest and, unless `frozen` is given, a model.
        frozen: store what these encoders give, each modality in its own space; None: use the model.
        decoding: how media are read.
        encoding: how samples become rows, and on which device.
        dtype: "float32" or "float16", of the stored vectors.
        overwrite: give up what the store holds.
        prune: remove rows that are no longer listed even where these are most of the store.
        progress: called with items done.
        rows_per_part: the most items in a shard; None: as the features were begun, else 512.
        engine: what does the work: this process, or a cluster (`vfsearch.distributed`).
    Raises:
        ArtefactError: there is no model.
        MismatchError: the store was begun with another model or setting, or with quite another list.
        MediaError: an item failed, and `encoding` is strict.
    """
    work = plan_embedding(workspace, frozen, encoding, rows_per_part)
    encoding, decoding = work.encoding, decoding or Decoding()
    if not overwrite:
        # Said before any medium is read, and before features that another list needs are given up.
        work.require_fitting(dtype, prune)
    touched = 0 if overwrite and not work.project else work.touched()
    meters = _features(work, decoding, dtype, overwrite, progress, engine) if work.project else {}
    with _writing(work, dtype, overwrite) as writer:
        filling = _Filling(writer, work.model)
        if work.project:
            engine.project(work.projecting, filling, progress)
        else:
            parts = work.plan.parts
            meters = embed_media(
                work.manifest, work.encoders, parts, filling, decoding, encoding, progress, engine, work.recipe,
                work.model_folder,
            )  # fmt: skip
        if not writer.complete:
            writer.finish(work.plan.names)
    return _report(work, filling.added, meters, touched)


def _features(
    work: EmbeddingPlan, decoding: Decoding, dtype: str, overwrite: bool, progress: Progress, engine: Engine
) -> dict[str, Meter]:
    if work.encoding.retry_failed and not overwrite and exists(work.workspace.store_folder):
        # What is to be looked at again is noted in both stores before any of it is: a run may end between the two.
        with _writing(work, dtype, overwrite):
            pass
    return fill_features(
        work.workspace, work.manifest, work.encoders, work.plan, None, decoding, work.encoding, progress, engine,
        work.recipe,
    )  # fmt: skip


def _writing(work: EmbeddingPlan, dtype: str, overwrite: bool) -> AbstractContextManager[StoreWriter]:
    return writing(
        work.workspace.store_folder, work.about, dtype, work.plan.names, overwrite, ("list",),
        work.encoding.retry_failed,
    )  # fmt: skip


class _Filling:
    """A writer that adds to each row what the model's training saw of it, and counts the rows.

    Args:
        writer: of the store.
        model: None: nothing is known of a training.
    """

    def __init__(self, writer: StoreWriter, model: Model | None) -> None:
        self._writer, self._model, self.added = writer, model, 0

    @property
    def folder(self) -> Path:
        """Of the store."""
        return self._writer.folder

    @property
    def dtype(self) -> str:
        """Of the stored vectors."""
        return self._writer.dtype

    def holds(self, part: str) -> bool:
        """Whether the part is there."""
        return self._writer.holds(part)

    def outdated(self, modality: str) -> list[tuple[str, bool]]:
        """The shards whose rows may be taken over."""
        return self._writer.outdated(modality)

    def written_ns(self, part: str) -> int:
        """When one of its shards was written."""
        return self._writer.written_ns(part)

    def shard(self, part: str) -> Shard:
        """One of its shards."""
        return self._writer.shard(part)

    def add(self, part: str, shard: Shard) -> None:
        """Take the part for good."""
        self._writer.add(part, with_seen(shard, self._model))
        self.added += len(shard.embeddings)

    def adopt(self, part: str, staged: StagedShard) -> None:
        """Take the part for good that another process wrote, what was seen with it."""
        self._writer.adopt(part, staged)
        self.added += staged.facts["rows"]


def _kind_of_note(note: str) -> str:
    """Notes that differ in numbers alone (which face of a photo, and where) are counted as one.

    Example:
        >>> _kind_of_note("face 2 of 5 at 10,20,80,80")
        'face N of N at N,N,N,N'
    """
    return re.sub(r"-?\d+", "N", note)


def _report(work: EmbeddingPlan, added: int, meters: dict[str, Meter], touched: int) -> EmbedReport:
    folder = work.workspace.store_folder
    store, precisions = open_store(folder), work.precisions
    notes: Counter[str] = Counter()
    failed: list[FailedItem] = []
    for shard in (store.shard(part) for modality in store.spaces for part in store.parts(modality)):
        notes.update(map(_kind_of_note, filter(None, shard.embeddings.columns.get("media_note", ()))))
        failed += shard.failures
    return EmbedReport(
        folder=folder,
        spaces=store.spaces,
        rows={modality: store.count("rows", modality) for modality in store.spaces},
        failures={modality: store.count("failures", modality) for modality in store.spaces},
        failed=tuple(failed),
        notes=dict(notes),
        added=added,
        meters=meters,
        precisions=precisions,
        fallen_back=tuple(name for name, each in precisions.items() if each != work.encoding.precision),
        touched=touched,
    )
