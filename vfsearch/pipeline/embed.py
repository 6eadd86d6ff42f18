"""`vfsearch embed`: manifest and model to store."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vfsearch.artefact import exists
from vfsearch.data.embeddings import Embeddings, bad_rows
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.plan import Part
from vfsearch.embed.run import ADDED_COLUMNS
from vfsearch.encoders.base import Encoder, unit_rows
from vfsearch.errors import ArtefactError
from vfsearch.files import digest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.features import Decoding, embed_media, fill_features, plan_features
from vfsearch.pipeline.model import Model, open_model, require_features
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import open_store
from vfsearch.store.writer import StoreWriter, require_same_store, writing


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
    """

    folder: Path
    spaces: dict[str, Space]
    rows: dict[str, int]
    failures: dict[str, int]
    failed: tuple[FailedItem, ...]
    notes: dict[str, int]
    added: int


SEEN_COLUMN = "seen_in_training"
Project = Callable[[str, np.ndarray], np.ndarray]


def embed_manifest(
    workspace: Workspace,
    frozen: Encoders | None = None,
    decoding: Decoding | None = None,
    device: str = "cpu",
    batch_size: int = 64,
    dtype: str = "float32",
    overwrite: bool = False,
    progress: Progress = silent,
    rows_per_part: int | None = None,
    retry_failed: bool = False,
) -> EmbedReport:
    """Embed every item of the manifest.

    Args:
        workspace: with a manifest and, unless `frozen` is given, a model.
        frozen: store what these encoders give, each modality in its own space; None: use the model.
        decoding: how media are read.
        device: "cpu" or "cuda[:N]".
        batch_size: of the encoders.
        dtype: "float32" or "float16", of the stored vectors.
        overwrite: give up what the store holds.
        progress: called with items done.
        rows_per_part: the most items in a shard; None: as the features were begun, else 512.
        retry_failed: look again at the items that failed before.
    Raises:
        ArtefactError: there is no model.
        MismatchError: the store was begun with another list, model or setting.
    """
    manifest, model = workspace.read_manifest(), _model(workspace) if frozen is None else None
    modalities, decoding = {item.modality for item in manifest}, decoding or Decoding()
    if model is not None and model.end_to_end:
        encoders, project = model.encoders(modalities, device), None
    else:
        encoders, project = _standing_on(model, frozen, modalities, device)
    spaces = {name: encoder.space if model is None else model.space for name, encoder in encoders.items()}
    plan = plan_features(workspace, manifest, encoders, rows_per_part, None if project else workspace.store_folder)
    about = {
        "spaces": {modality: space.to_json() for modality, space in spaces.items()},
        "model": None if model is None else model.provenance,
        "rows_per_part": plan.rows_per_part,
        # Part names carry digests of their items and of the files' sizes.
        "list": f"{len(manifest)} items ({digest([part.name for part in plan.parts])[:16]})",
    }
    if not overwrite:
        # Said before any medium is read, and before features that another list needs are given up.
        require_same_store(workspace.store_folder, about, dtype)
    if project:
        fill_features(workspace, manifest, encoders, plan, None, decoding, batch_size, progress, retry_failed)
    with writing(workspace.store_folder, about, dtype, overwrite, drop_failed=retry_failed) as writer:
        filling = _Filling(writer, model)
        if project:
            _project(workspace, plan.parts, spaces, project, filling, progress)
        else:
            embed_media(manifest, encoders, plan.parts, filling, decoding, batch_size, progress)
        if not writer.complete:
            writer.finish([part.name for part in plan.parts])
    return _report(workspace.store_folder, filling.added)


def _standing_on(
    model: Model | None, frozen: Encoders | None, modalities: Iterable[str], device: str
) -> tuple[dict[str, Encoder], Project]:
    """Encoders encoders, and what takes their features to the store's rows."""
    if model is None:
        return frozen.make(modalities, device), _unchanged
    encoders = model.chosen_encoders.make(modalities, device)
    for modality, encoder in encoders.items():
        require_features(model.feature_spaces[modality], encoder.space, modality)
    return encoders, model.projection(device)


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
        progress("joint embeddings", total * done // len(parts), total)


def _model(workspace: Workspace) -> Model:
    if not exists(workspace.model_folder):
        raise ArtefactError(
            f"no model at {workspace.model_folder}: train one with `vfsearch train`, or store what the frozen encoders "
            "give with --frozen (then voices and faces cannot be compared with each other)"
        )
    return open_model(workspace.model_folder)


def _unchanged(modality: str, features: np.ndarray) -> np.ndarray:
    return features


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


def _report(folder: Path, added: int) -> EmbedReport:
    store = open_store(folder)
    notes: Counter[str] = Counter()
    failed: list[FailedItem] = []
    for shard in (store.shard(part) for modality in store.spaces for part in store.parts(modality)):
        notes.update(filter(None, shard.embeddings.columns.get("media_note", ())))
        failed += shard.failures
    return EmbedReport(
        folder=folder,
        spaces=store.spaces,
        rows={modality: store.count("rows", modality) for modality in store.spaces},
        failures={modality: store.count("failures", modality) for modality in store.spaces},
        failed=tuple(failed),
        notes=dict(notes),
        added=added,
    )
