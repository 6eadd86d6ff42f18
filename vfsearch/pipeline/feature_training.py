"""Heads on frozen features: the data of a training."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.space import MODALITIES
from vfsearch.embed.plan import Part
from vfsearch.errors import ManifestError
from vfsearch.files import digest
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.features import fill_features, plan_features
from vfsearch.pipeline.training_data import Request, TrainingData
from vfsearch.pipeline.validation import Validation
from vfsearch.store.store import Store, join, open_store
from vfsearch.train.settings import TrainSettings


@contextlib.contextmanager
def feature_data(
    request: Request, batch_size: int | None = None, rows_per_part: int | None = None, retry_failed: bool = False
) -> Iterator[TrainingData]:
    """See that the features are there, and give them out as pairs.

    Args:
        request: its encoders are frozen.
        batch_size: of the encoders; None: as the device likes.
        rows_per_part: of the store of features.
        retry_failed: look again at items that failed before.
    Raises:
        ManifestError: fewer than two identities have both modalities.
    """
    made = request.encoders.make(MODALITIES, request.device)
    plan = plan_features(request.workspace, request.manifest, made, rows_per_part)
    encoding = Encoding(device=request.device, batch_size=batch_size, retry_failed=retry_failed)
    with request.processes.wait_for_first():
        if request.processes.first:
            for split in request.splits:
                fill_features(
                    request.workspace, request.manifest, made, plan, split, request.decoding, encoding,
                    request.progress,
                )  # fmt: skip
                # What failed was noted with the first split, to be looked at once more.
                encoding = replace(encoding, retry_failed=False)
    store = open_store(request.workspace.features_folder, complete=False)
    parts = [[part for part in plan.parts if split in (None, part.split)] for split in request.splits]
    trained_on = [_load(store, parts[0], modality) for modality in MODALITIES]
    about = {
        "feature_spaces": {modality: encoder.space.to_json() for modality, encoder in made.items()},
        "trained_on": digest([store.artefact.files[part.name]["sha256"] for part in parts[0]]),
        "initial": {},
    }
    yield TrainingData(
        pairs=_pairs(trained_on, request),
        make_networks=lambda: _heads(trained_on, request.settings),
        validate=_validate(store, parts[1], request) if len(request.splits) > 1 else None,
        rows={side.modality: len(side) for side in trained_on},
        about=about,
        standing_on=about["feature_spaces"],
        failures=lambda: [item for modality in MODALITIES for item in store.failures(modality, request.splits[0])],
    )


def _pairs(sides: Sequence[Embeddings], request: Request):
    from vfsearch.train.feature_pairs import FeaturePairs

    settings = request.settings
    return FeaturePairs(*sides, settings.batch_size, settings.seed, request.device, request.processes.share)


def _heads(sides: Sequence[Embeddings], settings: TrainSettings):
    from vfsearch.networks.joint import JointNetworks

    return JointNetworks({}, {side.modality: side.space.dimension for side in sides}, settings.head)


def _validate(store: Store, parts: list[Part], request: Request) -> Validation:
    import torch

    sides = {modality: _load(store, parts, modality) for modality in MODALITIES}

    def rows(networks, modality: str):
        with torch.inference_mode():
            found = networks(modality, torch.as_tensor(sides[modality].vectors).to(request.device))
        return found.float().cpu().numpy(), sides[modality].identities

    return Validation(rows, request.settings.seed, request.splits[1])


def _load(store: Store, parts: list[Part], modality: str) -> Embeddings:
    shards = [store.shard(part.name).embeddings for part in parts if part.modality == modality]
    rows = join(shards)
    if not len(rows):
        raise ManifestError(
            f"none of the {modality} items can be used: every one failed, "
            f"the first one so: {store.failures(modality)[0].reason}"
        )
    return rows
