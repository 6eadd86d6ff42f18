"""Heads on frozen features: the data of a training."""

import contextlib
from collections.abc import Iterator, Sequence

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.manifest import Manifest
from vfsearch.data.space import MODALITIES
from vfsearch.embed.plan import Part
from vfsearch.errors import ManifestError
from vfsearch.files import digest
from vfsearch.pipeline.features import Decoding, Frozen, fill_features, plan_features
from vfsearch.pipeline.training_data import TrainingData
from vfsearch.pipeline.validation import Validation
from vfsearch.pipeline.workspace import Workspace
from vfsearch.progress import Progress
from vfsearch.store.store import Store, join, open_store
from vfsearch.train.parallel import Processes
from vfsearch.train.settings import TrainSettings


@contextlib.contextmanager
def feature_data(
    workspace: Workspace,
    manifest: Manifest,
    splits: Sequence[str | None],
    settings: TrainSettings,
    encoders: Frozen,
    decoding: Decoding,
    device: str,
    processes: Processes,
    progress: Progress,
    batch_size: int = 64,
    rows_per_part: int | None = None,
    retry_failed: bool = False,
) -> Iterator[TrainingData]:
    """See that the features are there, and give them out as pairs.

    Args:
        splits: to train on, and to validate on if there is a second one.
        encoders: frozen.
        batch_size: of the encoders.
        rows_per_part: of the store of features.
        retry_failed: look again at items that failed before.
    Raises:
        ManifestError: fewer than two identities have both modalities.
    """
    made = encoders.make(MODALITIES, device)
    plan = plan_features(workspace, manifest, made, rows_per_part)
    with processes.wait_for_first():
        if processes.first:
            for split in splits:
                fill_features(
                    workspace, manifest, made, plan, split, decoding, batch_size, progress, retry_failed
                )  # fmt: skip
                retry_failed = False
    store = open_store(workspace.features_folder, complete=False)
    parts = [[part for part in plan.parts if split in (None, part.split)] for split in splits]
    trained_on = [_load(store, parts[0], modality) for modality in MODALITIES]
    about = {
        "feature_spaces": {modality: encoder.space.to_json() for modality, encoder in made.items()},
        "trained_on": digest([store.artefact.files[part.name]["sha256"] for part in parts[0]]),
        "initial": {},
    }
    yield TrainingData(
        pairs=_pairs(trained_on, settings, device, processes),
        make_networks=lambda: _heads(trained_on, settings),
        validate=_validate(store, parts[1], splits[1], settings, device) if len(splits) > 1 else None,
        rows={side.modality: len(side) for side in trained_on},
        about=about,
        standing_on=about["feature_spaces"],
        failures=lambda: [item for modality in MODALITIES for item in store.failures(modality, splits[0])],
    )


def _pairs(sides: Sequence[Embeddings], settings: TrainSettings, device: str, processes: Processes):
    from vfsearch.train.feature_pairs import FeaturePairs

    return FeaturePairs(*sides, settings.batch_size, settings.seed, device, processes.share)


def _heads(sides: Sequence[Embeddings], settings: TrainSettings):
    from vfsearch.networks.joint import JointNetworks

    return JointNetworks({}, {side.modality: side.space.dimension for side in sides}, settings.head)


def _validate(store: Store, parts: list[Part], split: str, settings: TrainSettings, device: str) -> Validation:
    import torch

    sides = {modality: _load(store, parts, modality) for modality in MODALITIES}

    def rows(networks, modality: str):
        with torch.inference_mode():
            found = networks(modality, torch.as_tensor(sides[modality].vectors).to(device))
        return found.float().cpu().numpy(), sides[modality].identities

    return Validation(rows, settings.seed, split)


def _load(store: Store, parts: list[Part], modality: str) -> Embeddings:
    shards = [store.shard(part.name).embeddings for part in parts if part.modality == modality]
    rows = join(shards)
    if not len(rows):
        raise ManifestError(
            f"none of the {modality} items can be used: every one failed, "
            f"the first one so: {store.failures(modality)[0].reason}"
        )
    return rows
