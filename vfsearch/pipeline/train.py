"""`vfsearch train`: manifest to model."""

import csv
import io
import json
from dataclasses import dataclass

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.failure import FailedItem
from vfsearch.data.space import MODALITIES
from vfsearch.embed.plan import Part
from vfsearch.errors import ManifestError
from vfsearch.files import digest, remove_file, writer_lock
from vfsearch.pipeline.features import Decoding, Frozen, fill_features, plan_features
from vfsearch.pipeline.model import (
    IDENTITIES_NAME,
    RECORD_NAME,
    WEIGHTS_NAME,
    FileCheckpoints,
    Model,
    begin_model,
    joint_space,
)
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.progress import Progress, silent
from vfsearch.store.store import Store, join, open_store
from vfsearch.train.sampling import PairSampler


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What a training did.

    Args:
        model: the result.
        split: trained on; None: all items.
        rows: modality -> features trained on.
        failures: modality -> items without one.
        failed: those items.
        identities: trained on.
        final: loss name -> mean over the last tenth of the steps.
        trained_now: False when the model was there already.
    """

    model: Model
    split: str | None
    rows: dict[str, int]
    failures: dict[str, int]
    failed: tuple[FailedItem, ...]
    identities: int
    final: dict[str, float]
    trained_now: bool


def train_model(
    workspace: Workspace,
    settings,
    frozen: Frozen | None = None,
    split: str | None = None,
    decoding: Decoding | None = None,
    device: str = "cpu",
    batch_size: int = 64,
    overwrite: bool = False,
    progress: Progress = silent,
    rows_per_part: int | None = None,
    retry_failed: bool = False,
) -> TrainReport:
    """Train two heads on frozen features of the items of one split.

    Args:
        workspace: with a manifest.
        settings: a `vfsearch.train.settings.TrainSettings`.
        frozen: the encoders.
        split: to train on; None: "train" if the manifest has it, else all.
        decoding: how media are read.
        device: "cpu" or "cuda[:N]".
        batch_size: of the frozen encoders.
        overwrite: train anew where a model was made otherwise.
        progress: called with items and steps done.
        rows_per_part: the most items in a shard of features; None: as they were begun, else 512.
        retry_failed: look again at the items that failed before.
    Raises:
        ManifestError: no such split, or fewer than two identities have both modalities.
        MismatchError: a model is there that was trained otherwise.
    """
    frozen, manifest = frozen or Frozen(), workspace.read_manifest()
    split = chosen_split(manifest.splits(), split, "train", manifest.where)
    chosen = manifest.select(split=split)
    lacking = [name for name in MODALITIES if not len(chosen.select(name))]
    if lacking:
        raise ManifestError(f"{manifest.where} has no {' and no '.join(lacking)} item to train on (split={split})")
    encoders = frozen.make(MODALITIES, device)
    plan = plan_features(workspace, manifest, encoders, rows_per_part)
    parts = fill_features(
        workspace, manifest, encoders, plan, split, decoding or Decoding(), batch_size, progress, retry_failed
    )
    store = open_store(workspace.features_folder, complete=False)
    voices, faces = (_load(store, parts, modality) for modality in MODALITIES)
    about = {
        "frozen": frozen.to_json(),
        "settings": settings.to_json(),
        "feature_spaces": {modality: encoder.space.to_json() for modality, encoder in encoders.items()},
        "split": split,
        "trained_on": digest([store.artefact.files[part.name]["sha256"] for part in parts]),
    }
    # Refused here, a list that cannot be trained on leaves no half-made model.
    PairSampler(voices.identities, faces.identities, settings.batch_size, settings.seed)
    with writer_lock(workspace.model_folder):
        artefact = begin_model(workspace.model_folder, about, overwrite)
        trained_now = not artefact.about["complete"]
        if trained_now:
            _fit(artefact, voices, faces, settings, device, progress)
    failed = tuple(item for modality in MODALITIES for item in store.failures(modality, split))
    return TrainReport(
        model=Model(artefact),
        split=split,
        rows={side.modality: len(side) for side in (voices, faces)},
        failures={modality: sum(item.modality == modality for item in failed) for modality in MODALITIES},
        failed=failed,
        identities=artefact.about["identities"],
        final=artefact.about["final"],
        trained_now=trained_now,
    )


def _load(store: Store, parts: list[Part], modality: str) -> Embeddings:
    shards = [store.shard(part.name).embeddings for part in parts if part.modality == modality]
    rows = join(shards)
    if not len(rows):
        raise ManifestError(
            f"none of the {modality} items can be trained on: every one failed, "
            f"the first one so: {store.failures(modality)[0].reason}"
        )
    return rows


def _fit(artefact, voices: Embeddings, faces: Embeddings, settings, device: str, progress: Progress) -> None:
    import safetensors.torch

    from vfsearch.train.loop import COLUMNS, fit

    checkpoints = FileCheckpoints(artefact)
    trained = fit(voices, faces, settings, checkpoints, device, progress)
    weights = safetensors.torch.save({name: t.contiguous() for name, t in trained.heads.state_dict().items()})
    spaces = {side.modality: side.space for side in (voices, faces)}
    tail = trained.record[-max(1, len(trained.record) // 10) :]
    old = list(artefact.files)
    artefact.files.clear()
    artefact.add(WEIGHTS_NAME, weights)
    artefact.add(IDENTITIES_NAME, json.dumps(trained.identities).encode())
    artefact.add(RECORD_NAME, _csv(COLUMNS, trained.record))
    artefact.about.update(
        complete=True,
        space=joint_space(weights, spaces, settings.head.dimension).to_json(),
        identities=len(trained.identities),
        final={name: sum(row[column] for row in tail) / len(tail) for column, name in enumerate(COLUMNS) if column},
    )
    artefact.write()
    for name in old:
        if name not in artefact.files:
            remove_file(artefact.folder / name)


def _csv(header: tuple[str, ...], rows: list[tuple[float, ...]]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows([[int(row[0]), *(f"{value:.9g}" for value in row[1:])] for row in rows])
    return text.getvalue().encode()
