"""`vfsearch embed`: manifest and model to store."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import exists
from vfsearch.data.embeddings import Embeddings, bad_rows
from vfsearch.data.failure import FailedItem
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.embed.run import ADDED_COLUMNS
from vfsearch.encoders.base import unit_rows
from vfsearch.errors import ArtefactError, MismatchError
from vfsearch.files import digest
from vfsearch.pipeline.features import Decoding, Frozen, fill_features, plan_features
from vfsearch.pipeline.model import Model, open_model
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress, silent
from vfsearch.store.store import open_store
from vfsearch.store.writer import require_same_store, writing


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
    frozen: Frozen | None = None,
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
        batch_size: of the frozen encoders.
        dtype: "float32" or "float16", of the stored vectors.
        overwrite: give up what the store holds.
        progress: called with items done.
        rows_per_part: the most items in a shard; None: as the features were begun, else 512.
        retry_failed: look again at the items that failed before.
    Raises:
        ArtefactError: there is no model.
        MismatchError: the store was begun with another list, model or setting.
    """
    manifest = workspace.read_manifest()
    modalities = {item.modality for item in manifest}
    model = _model(workspace) if frozen is None else None
    if model is not None:
        encoders = model.frozen.make(modalities, device)
        for modality, encoder in encoders.items():
            _require_features(model.feature_spaces[modality], encoder.space, modality)
        spaces, project = dict.fromkeys(encoders, model.space), model.projection(device)
    else:
        encoders = frozen.make(modalities, device)
        spaces, project = {name: encoder.space for name, encoder in encoders.items()}, _unchanged
    plan = plan_features(workspace, manifest, encoders, rows_per_part)
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
    parts = fill_features(
        workspace, manifest, encoders, plan, None, decoding or Decoding(), batch_size, progress, retry_failed
    )
    features = open_store(workspace.features_folder)
    added, total = 0, sum(len(part.items) for part in parts)
    with writing(workspace.store_folder, about, dtype, overwrite, drop_failed=retry_failed) as writer:
        for done, part in enumerate(parts, start=1):
            if not writer.holds(part.name):
                shard = _projected(features.shard(part.name), spaces[part.modality], project, model)
                writer.add(part.name, shard)
                added += len(shard.embeddings)
            progress("joint embeddings", total * done // len(parts), total)
        if not writer.complete:
            writer.finish([part.name for part in parts])
    return _report(workspace.store_folder, added)


def _model(workspace: Workspace) -> Model:
    if not exists(workspace.model_folder):
        raise ArtefactError(
            f"no model at {workspace.model_folder}: train one with `vfsearch train`, or store what the frozen encoders "
            "give with --frozen (then voices and faces cannot be compared with each other)"
        )
    return open_model(workspace.model_folder)


def _require_features(wanted: Space, found: Space, modality: str) -> None:
    if wanted != found:
        raise MismatchError(
            f"the model was trained on {modality} features {wanted}, the encoder here gives {found}: "
            "another version of its weights or preprocessing is installed; install that one, or train anew"
        )


def _unchanged(modality: str, features: np.ndarray) -> np.ndarray:
    return features


def _projected(shard: Shard, space: Space, project: Project, model: Model | None) -> Shard:
    """The rows in another space, with what the model's training saw; those without a direction there are failures."""
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
        columns={**kept.columns, **_seen(kept, shard.split, model)},
    )
    failures = (*shard.failures, *(_failed(rows, row, found) for row, found in bad.items()))
    return Shard(embeddings=embeddings, failures=failures, split=shard.split)


def _seen(rows: Embeddings, split: str, model: Model | None) -> dict[str, list[str]]:
    if model is None:
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
