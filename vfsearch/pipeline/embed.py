"""`vfsearch embed`: manifest and model to store."""

import re
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vfsearch.artefact import exists
from vfsearch.data.embeddings import Embeddings, bad_rows
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.assembly import ADDED_COLUMNS
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import Part
from vfsearch.encoders.base import unit_rows
from vfsearch.pipeline.embedding_plan import EmbeddingPlan, Project, plan_embedding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.features import Decoding, embed_media, fill_features
from vfsearch.pipeline.model import Model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
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


SEEN_COLUMN = "seen_in_training"


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
    meters = _features(work, decoding, dtype, overwrite, progress) if work.project else {}
    with _writing(work, dtype, overwrite) as writer:
        filling = _Filling(writer, work.model)
        if work.project:
            _project(workspace, work.plan.parts, work.spaces, work.project, filling, progress)
        else:
            parts = work.plan.parts
            meters = embed_media(work.manifest, work.encoders, parts, filling, decoding, encoding, progress)
        if not writer.complete:
            writer.finish(work.plan.names)
    return _report(work, filling.added, meters, touched)


def _features(
    work: EmbeddingPlan, decoding: Decoding, dtype: str, overwrite: bool, progress: Progress
) -> dict[str, Meter]:
    if work.encoding.retry_failed and not overwrite and exists(work.workspace.store_folder):
        # What is to be looked at again is noted in both stores before any of it is: a run may end between the two.
        with _writing(work, dtype, overwrite):
            pass
    return fill_features(
        work.workspace, work.manifest, work.encoders, work.plan, None, decoding, work.encoding, progress
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
        rows = shard.embeddings
        seen = _seen(rows, shard.split, self._model)
        self._writer.add(part, replace(shard, embeddings=replace(rows, columns={**rows.columns, **seen})))
        self.added += len(rows)


def _project(
    workspace: Workspace,
    parts: list[Part],
    spaces: dict[str, Space],
    project: Project,
    writer: _Filling,
    progress: Progress,
) -> None:
    """Encoders features, which are all there, to joint embeddings."""
    features, total = open_store(workspace.features_folder), sum(len(part.items) for part in parts)
    for done, part in enumerate(parts, start=1):
        if not writer.holds(part.name):
            writer.add(part.name, _projected(features.shard(part.name), spaces[part.modality], project))
        progress("rows stored", total * done // len(parts), total)


def _projected(shard: Shard, space: Space, project: Project) -> Shard:
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


def _seen(rows: Embeddings, split: str, model: Model | None) -> dict[str, list[str]]:
    if model is None or not model.names_identities:
        return {}
    return {SEEN_COLUMN: [model.seen(identity, split) for identity in rows.identities]}


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
