"""`vfsearch train`: manifest to model."""

import io
import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.artefact import Artefact, read_artefact
from vfsearch.data.csv_lines import CsvLines
from vfsearch.data.failure import FailedItem
from vfsearch.data.manifest import Manifest
from vfsearch.data.space import MODALITIES
from vfsearch.errors import ManifestError
from vfsearch.files import digest, writer_lock
from vfsearch.pipeline.checkpoints import FileCheckpoints
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.feature_training import feature_data
from vfsearch.pipeline.identity_weights import fixed_weights
from vfsearch.pipeline.media_training import CACHE_BYTES, media_data
from vfsearch.pipeline.model import (
    CLASSIFIER_NAME,
    IDENTITIES_NAME,
    MADE_BY,
    RECORD_NAME,
    SCHEMA,
    WEIGHTS_NAME,
    Model,
    begin_model,
    finish_model,
    identities_csv,
    joint_space,
)
from vfsearch.pipeline.training_data import Request, TrainingData, validation_split
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.progress import Progress, silent
from vfsearch.train.parallel import Processes


@dataclass(frozen=True, kw_only=True)
class TrainReport:
    """What a training did.

    Args:
        model: the result.
        split: trained on; None: all items.
        validation: split that was validated on; None: none.
        rows: modality -> items trained on.
        failures: modality -> items that could not be used.
        failed: those items.
        identities: trained on.
        left_out: identities whose weight is 0.
        final: loss name -> mean over the last tenth of the steps of the last run.
        best: "step", "voice_to_face" and "face_to_voice" of the validation whose networks were kept; {} without.
        steps_per_second: of this call; NaN when it made no step.
        trained_now: False when the model was there already.
        first: whether this is the process that writes, of several.
    """

    model: Model
    split: str | None
    validation: str | None
    rows: dict[str, int]
    failures: dict[str, int]
    failed: tuple[FailedItem, ...]
    identities: int
    left_out: int
    final: dict[str, float]
    best: dict[str, float]
    steps_per_second: float
    trained_now: bool
    first: bool


def train_model(
    workspace: Workspace,
    settings,
    encoders: Encoders | None = None,
    split: str | None = None,
    decoding: Decoding | None = None,
    device: str = "cpu",
    batch_size: int | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    rows_per_part: int | None = None,
    retry_failed: bool = False,
    *,
    end_to_end: bool = False,
    validation: str | None = None,
    weights_from: Path | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> TrainReport:
    """Train the joint space on the items of one split: heads on frozen features, or networks from media.

    Under `torchrun` every process calls it alike; each computes its share of a batch, the first one writes.

    Args:
        workspace: with a manifest.
        settings: a `vfsearch.train.settings.TrainSettings`.
        encoders: frozen, or the networks to train (`end_to_end`).
        split: to train on; None: "train" if the manifest has it, else all.
        decoding: how media are read.
        device: "cpu" or "cuda[:N]".
        batch_size: of the frozen encoders; None: as the device likes.
        overwrite: train anew where a model was made otherwise.
        progress: called with items and steps done.
        rows_per_part: the most items in a shard of features; None: as they were begun, else 512.
        retry_failed: look again at the items that failed before.
        end_to_end: train the networks too, from media; no features are kept.
        validation: split to validate on; "none"; None: "val", "valid", "validation" or "dev" if the manifest has it.
        weights_from: identity weights to retrain with: a model's folder or a table with columns identity and weight.
        cache_bytes: the most memory for decoded media of a modality (`end_to_end`).
    Raises:
        ManifestError: no such split, or fewer than two identities have both modalities.
        MismatchError: a model is there that was trained otherwise.
    """
    encoders, decoding = (encoders or Encoders()).findable(), decoding or Decoding()
    manifest = workspace.read_manifest()
    split = chosen_split(manifest.splits(), split, "train", manifest.where)
    validation = validation_split(manifest, validation, split)
    splits = [split] if validation is None else [split, validation]
    _require_both_modalities(manifest, splits)
    processes = Processes.from_environment()
    device = processes.device(device)
    with ExitStack() as stack:
        stack.callback(processes.close)
        request = Request(
            workspace=workspace, manifest=manifest, splits=splits, settings=settings, encoders=encoders,
            decoding=decoding, device=device, processes=processes, progress=progress,
        )  # fmt: skip
        if end_to_end:
            data = stack.enter_context(media_data(request, cache_bytes))
        else:
            data = stack.enter_context(feature_data(request, batch_size, rows_per_part, retry_failed))
        weights = fixed_weights(weights_from, settings, data.pairs.identities)
        about = {
            "encoders": (encoders.as_networks() if end_to_end else encoders).to_json(),
            "end_to_end": end_to_end,
            "settings": settings.to_json(),
            "split": split,
            "validation": validation,
            "identity_weights": None if weights is None else digest(weights.tolist()),
            **data.about,
        }
        artefact, stopwatch = _begin(workspace.model_folder, about, overwrite, processes, stack), _Stopwatch(progress)
        trained_now = not artefact.about["complete"]
        if trained_now:
            _fit(artefact, data, settings, weights, device, processes, stopwatch)
        failed = tuple(data.failures())
    found = artefact.about
    return TrainReport(
        model=Model(artefact),
        split=split,
        validation=validation,
        rows=data.rows,
        failures={modality: sum(item.modality == modality for item in failed) for modality in MODALITIES},
        failed=failed,
        identities=found["identities"],
        left_out=found["left_out"],
        final=found["final"],
        best=found["best"],
        steps_per_second=stopwatch.steps_per_second,
        trained_now=trained_now,
        first=processes.first,
    )


def _require_both_modalities(manifest: Manifest, splits: list[str | None]) -> None:
    for split, purpose in zip(splits, ("train", "validate"), strict=False):
        chosen = manifest.select(split=split)
        lacking = [name for name in MODALITIES if not len(chosen.select(name))]
        if lacking:
            raise ManifestError(
                f"{manifest.where} has no {' and no '.join(lacking)} item to {purpose} on (split={split})"
            )


def _begin(folder: Path, about: dict, overwrite: bool, processes: Processes, stack: ExitStack) -> Artefact:
    """The model that is to be trained; the first process holds its lock until the end."""
    artefact = None
    with processes.wait_for_first():
        if processes.first:
            stack.enter_context(writer_lock(folder))
            artefact = begin_model(folder, about, overwrite)
    return artefact or read_artefact(folder, "model", SCHEMA, MADE_BY)


class _Stopwatch:
    """Counts the training steps of this call, on their way to the caller's progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun = self._ended = 0.0
        self._steps = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        self._ended = time.perf_counter()
        self._begun = self._begun or self._ended
        self._steps += 1
        self._progress(what, done, total)

    @property
    def steps_per_second(self) -> float:
        """From the end of the first step on."""
        return self._steps / (self._ended - self._begun) if self._steps > 0 else math.nan


def _fit(
    artefact: Artefact,
    data: TrainingData,
    settings,
    weights: np.ndarray | None,
    device: str,
    processes: Processes,
    progress: Progress,
) -> None:
    from vfsearch.train.loop import COLUMNS, fit
    from vfsearch.train.settings import RUN_NAMES

    checkpoints = FileCheckpoints(artefact, COLUMNS, RUN_NAMES)
    trained = fit(
        data.pairs, data.make_networks, settings, checkpoints, weights=weights, validate=data.validate, device=device,
        processes=processes, progress=progress,
    )  # fmt: skip
    with processes.wait_for_first():
        if processes.first:
            files = _files(trained, COLUMNS, RUN_NAMES)
            space = joint_space(files[WEIGHTS_NAME], data.standing_on, settings.head.dimension)
            finish_model(artefact, files, _findings(trained, COLUMNS) | {"space": space.to_json()})
    if not processes.first:
        artefact.about.update(read_artefact(artefact.folder, "model", SCHEMA, MADE_BY).about)


def _files(trained, columns: tuple[str, ...], run_names: tuple[str, ...]) -> dict[str, bytes]:
    import safetensors.torch

    from vfsearch.report.curves import curves_figure
    from vfsearch.report.events import event_file, event_file_name
    from vfsearch.report.identities import identities_figure

    state = {name: tensor.contiguous() for name, tensor in trained.networks.state_dict().items()}
    return {
        WEIGHTS_NAME: safetensors.torch.save(state),
        CLASSIFIER_NAME: safetensors.torch.save({"weight": trained.classifier.contiguous()}),
        IDENTITIES_NAME: identities_csv(trained.identities, trained.weights, trained.hardness),
        RECORD_NAME: _csv(columns, trained.record),
        "training.png": curves_figure(columns, trained.record, run_names),
        event_file_name(0): event_file(columns, trained.record, run_names),
        "identities.png": identities_figure(trained.identities, trained.hardness, trained.weights),
    }


def _findings(trained, columns: tuple[str, ...]) -> dict:
    """What the model says of its training."""
    last = [row for row in trained.record if row[0] == trained.record[-1][0]]
    tail = last[-max(1, len(last) // 10) :]
    losses = {name: columns.index(name) for name in ("loss", "implicit", "explicit")}
    best = trained.best
    return {
        "identities": len(trained.identities),
        "left_out": int((trained.weights == 0).sum()),
        "final": {name: sum(row[column] for row in tail) / len(tail) for name, column in losses.items()},
        "best": {} if best is None
        else {"step": best.step, "voice_to_face": best.voice_to_face, "face_to_voice": best.face_to_voice},
    }  # fmt: skip


def _csv(header: tuple[str, ...], rows: list[tuple[float, ...]]) -> bytes:
    text = io.StringIO(newline="")
    table = CsvLines(text)
    table.writerow(header)
    table.writerows([[int(row[0]), int(row[1]), *map(_number, row[2:])] for row in rows])
    return text.getvalue().encode()


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.9g}"
