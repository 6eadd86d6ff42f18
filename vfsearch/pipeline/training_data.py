"""What a training is asked for and given: pairs, networks to start from, people to validate on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vfsearch.data.failure import FailedItem
from vfsearch.data.manifest import Manifest
from vfsearch.data.space import MODALITIES
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.workspace import Workspace, chosen_split
from vfsearch.progress import Progress
from vfsearch.train.batch import Pairs
from vfsearch.train.parallel import Processes
from vfsearch.train.settings import TrainSettings

VALIDATION_SPLITS = ("val", "valid", "validation", "dev")


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What a training was asked for, as far as its data need to know.

    Args:
        workspace, manifest: where the media are.
        splits: to train on, and to validate on if there is a second one; None: all items.
        settings: of the training.
        encoders: frozen, or the networks to train, with where their pretrained weights are.
        decoding: how media are read.
        device: of this process.
        processes: of this training.
        progress: called with items done.
    """

    workspace: Workspace
    manifest: Manifest
    splits: Sequence[str | None]
    settings: TrainSettings
    encoders: Encoders
    decoding: Decoding
    device: str
    processes: Processes
    progress: Progress


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingData:
    """All that `vfsearch.train.loop.fit` needs besides its settings, and what the model says of it.

    Args:
        pairs: batches.
        make_networks: the networks that each run starts from.
        validate: measures networks on the validation split; None: there is none.
        rows: modality -> items trained on.
        about: what the model says of its data; JSON, and the same for a training that is resumed.
        standing_on: what the joint space stands on besides its weights; JSON.
        failures: gives the items that could not be used, once the training has ended.
    """

    pairs: Pairs
    make_networks: Callable
    validate: Callable | None
    rows: dict[str, int]
    about: dict
    standing_on: dict
    failures: Callable[[], Sequence[FailedItem]] = field(default=tuple)


def validation_split(manifest: Manifest, wanted: str | None, trained_on: str | None) -> str | None:
    """The split to validate on: the one asked for, else one that is named so and is not trained on; None: none.

    Args:
        manifest: whose splits.
        wanted: a split; "none" for none; None: the usual one if it is there, with two people in it who can be matched.
        trained_on: the split of the training; None: all of them.
    Raises:
        ManifestError: there is no such split.
    """
    if wanted is not None:
        return None if wanted == "none" else chosen_split(manifest.splits(), wanted, "", manifest.where)
    usual = [name for name in VALIDATION_SPLITS if name in manifest.splits() and trained_on not in (None, name)]
    return next((name for name in usual if _can_be_matched(manifest.select(split=name))), None)


def _can_be_matched(manifest: Manifest) -> bool:
    people = [{item.identity for item in manifest.select(modality)} for modality in MODALITIES]
    return len(set.intersection(*people)) >= 2
