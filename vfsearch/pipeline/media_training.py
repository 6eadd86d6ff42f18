"""Networks from media: the data of a training."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vfsearch.data.failure import FailedItem
from vfsearch.data.manifest import Item, Manifest
from vfsearch.data.space import MODALITIES
from vfsearch.embed.marks import file_marks
from vfsearch.encoders.network import load_backbone
from vfsearch.files import digest
from vfsearch.media.preparation import Task
from vfsearch.media.workers import PreparationWorkers
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.model import make_networks
from vfsearch.pipeline.training_data import Request, TrainingData
from vfsearch.pipeline.validation import Validation
from vfsearch.train.settings import TrainSettings

CACHE_BYTES = 2 * 2**30
_VALIDATION_BATCH = 32


@contextlib.contextmanager
def media_data(request: Request, cache_bytes: int = CACHE_BYTES) -> Iterator[TrainingData]:
    """Decode what each step draws, while the networks work on the steps before.

    Args:
        request: its encoders are the networks to train.
        cache_bytes: the most memory for decoded media of a modality.
    Raises:
        ManifestError: fewer than two identities have both modalities.
        SettingsError: an encoder is none that can be trained.
    """
    from vfsearch.train.media_pairs import MediaPairs
    from vfsearch.train.sample_source import MediaSource

    settings, decoding = request.settings, request.decoding
    start, media = _Start(request.encoders, settings), _Media(request.manifest, request.splits)
    with contextlib.ExitStack() as stack:
        workers = {
            modality: stack.enter_context(PreparationWorkers(preparation, decoding.limits, decoding.workers))
            for modality, preparation in request.encoders.preparations().items()
        }
        sources = {
            modality: MediaSource(media.tasks(modality), workers[modality], cache_bytes) for modality in MODALITIES
        }
        sampler = media.sampler(settings, _undecodable(media, sources, request))
        inputs = {modality: _augmenting(each, settings) for modality, each in start.inputs.items()}
        pairs = MediaPairs(sampler, sources, inputs, settings.seed, request.processes.share, request.device)
        stack.enter_context(pairs)
        yield TrainingData(
            pairs=pairs,
            make_networks=start.networks,
            validate=media.validation(sources, start.inputs, request) if len(request.splits) > 1 else None,
            rows={modality: len(media.training[modality]) for modality in MODALITIES},
            about={"feature_spaces": {}, "trained_on": media.digest, "initial": start.digests},
            standing_on={**request.encoders.as_networks().to_json(), "landmarks": start.landmarks},
            failures=lambda: media.failures(sources),
        )


class _Start:
    """The networks that each run starts from."""

    def __init__(self, encoders: Encoders, settings: TrainSettings) -> None:
        self._encoders, self._settings = encoders, settings
        networks = make_networks(encoders, True, {}, settings.to_json())
        # The landmarks decide how faces are cut out; that dlib is missing is said before every photo fails by it.
        self.landmarks = encoders.landmarks()
        self.digests = self._load(networks)
        self.inputs = {modality: backbone.inputs for modality, backbone in networks.backbones.items()}

    def networks(self):
        """New ones; what is not pretrained is drawn from torch's global generator."""
        networks = make_networks(self._encoders, True, {}, self._settings.to_json())
        self._load(networks)
        return networks

    def _load(self, networks) -> dict[str, str]:
        paths = {modality: self._encoders.pretrained(modality) for modality in MODALITIES}
        return {
            modality: load_backbone(path, networks.backbones[modality]) if path else "random"
            for modality, path in paths.items()
        }


def _augmenting(inputs, settings: TrainSettings):
    """The inputs of a network with the augmentation of a training."""
    names = [name for name in ("flip", "rotation_degrees", "shortest_seconds", "longest_seconds")
             if hasattr(inputs, name)]  # fmt: skip
    return replace(inputs, **{name: getattr(settings, name) for name in names})


@dataclass(frozen=True, eq=False)
class _Media:
    """The items to train on, and behind them, with row numbers that go on, those to validate on."""

    manifest: Manifest
    splits: Sequence[str | None]

    @cached_property
    def training(self) -> dict[str, list[Item]]:
        chosen = self.manifest.select(split=self.splits[0])
        return {modality: list(chosen.select(modality)) for modality in MODALITIES}

    @cached_property
    def validating(self) -> dict[str, list[Item]]:
        if len(self.splits) < 2:
            return {modality: [] for modality in MODALITIES}
        chosen = self.manifest.select(split=self.splits[1])
        return {modality: list(chosen.select(modality)) for modality in MODALITIES}

    def items(self, modality: str) -> list[Item]:
        """All of them, by row number."""
        return [*self.training[modality], *self.validating[modality]]

    def tasks(self, modality: str) -> list[Task]:
        """What to decode, by row number."""
        return [
            Task(path=self.manifest.media_path(item), start_seconds=item.start_seconds, end_seconds=item.end_seconds)
            for item in self.items(modality)
        ]

    @property
    def digest(self) -> str:
        """Of the items trained on and the sizes of their files."""
        parts = []
        for modality, items in self.training.items():
            sizes = file_marks(self.manifest.folder, items)
            parts.append([modality, Manifest(items, self.manifest.folder).digest(), sizes])
        return digest(parts)

    def sampler(self, settings: TrainSettings, without: set[str]):
        """Draws pairs of the items trained on, less some identities."""
        from vfsearch.train.sampling import PairSampler

        # An identity that has no name on one side is no pair.
        names = [
            [f"\0{modality}" if item.identity in without else item.identity for item in self.training[modality]]
            for modality in MODALITIES
        ]
        return PairSampler(*names, settings.batch_size, settings.seed)

    def validation(self, sources, inputs, request: Request) -> Validation:
        """1:2 matching on the items to validate on."""
        from vfsearch.train.evaluation_batches import evaluation_batches

        def rows(networks, modality: str) -> tuple[np.ndarray, list[str]]:
            import torch

            items = self.items(modality)
            numbers = range(len(self.training[modality]), len(items))
            batches = evaluation_batches(sources[modality], inputs[modality], numbers, _VALIDATION_BATCH)
            found, names = [np.zeros((0, request.settings.head.dimension), np.float32)], []
            for kept, batch in batches:
                with torch.inference_mode():
                    found.append(networks(modality, batch.to(request.device)).float().cpu().numpy())
                names += [items[row].identity for row in kept]
            return np.concatenate(found), names

        return Validation(rows, request.settings.seed, self.splits[1])

    def failures(self, sources) -> list[FailedItem]:
        """The items that could not be decoded, in the manifest's order."""
        return [
            _failed(self.items(modality)[row], source.failures[row])
            for modality, source in sources.items()
            for row in sorted(source.failures)
        ]


def _undecodable(media: _Media, sources, request: Request) -> set[str]:
    """The identities without an item that can be decoded; one process looks, and tells the others."""
    from vfsearch.train.decoded_items import DecodedItems

    found: dict[str, str] = {}
    with request.processes.wait_for_first():
        if request.processes.first:
            sampler = media.sampler(request.settings, set())
            for modality in MODALITIES:
                items = DecodedItems(modality=modality, sampler=sampler, source=sources[modality])
                found |= items.undecodable_identities(request.progress)
    return set(request.processes.told(sorted(found)))


def _failed(item: Item, failure) -> FailedItem:
    return FailedItem(
        id=item.id, path=item.path, modality=item.modality, identity=item.identity, stage=failure.stage,
        reason=failure.reason, columns=item.columns,
    )  # fmt: skip
