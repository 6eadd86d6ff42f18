"""What runs on the nodes: parts of a list to shards in the folder of a store."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.devices import set_threads
from vfsearch.embed.meter import Meter
from vfsearch.embed.plan import Part
from vfsearch.embed.reuse import Kept
from vfsearch.embed.run import embed_parts
from vfsearch.errors import SpaceMismatchError
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.encoding import Encoding
from vfsearch.pipeline.engine import preparing, projected, with_seen
from vfsearch.pipeline.model import open_model
from vfsearch.pipeline.recipe import Recipe
from vfsearch.store.staging import StagedShard, stage_shard
from vfsearch.store.store import Store, open_store, read_store_artefact


@dataclass(frozen=True, kw_only=True)
class Target:
    """The store that workers write for.

    Args:
        folder: the same on every node, absolute.
        dtype: of its vectors.
        model: folder of the model that says what its training saw; None: nothing is said.
    """

    folder: Path
    dtype: str
    model: Path | None


@dataclass(frozen=True, kw_only=True)
class MediaJob:
    """What a worker for media is told.

    Args:
        recipe: of the encoder.
        space: of its rows, as the driver knows it.
        modality: of the parts.
        folder: what relative paths of items are relative to.
        decoding, encoding: how.
        outdated: shards of the store whose rows may be taken over; see `StoreWriter.outdated`.
        target: where to.
        threads: to compute with.
    """

    recipe: Recipe
    space: Space
    modality: str
    folder: Path
    decoding: Decoding
    encoding: Encoding
    outdated: tuple[tuple[str, bool], ...]
    target: Target
    threads: int


@dataclass(frozen=True, kw_only=True)
class ProjectJob:
    """What a worker for features is told.

    Args:
        features: folder of their store.
        spaces: modality -> space of the store's rows.
        model: whose projection is used; None: features stay what they are.
        device: where it computes.
        target: where to.
        threads: to compute with.
    """

    features: Path
    spaces: dict[str, Space]
    model: Path | None
    device: str
    target: Target
    threads: int


class _Stage:
    """A writer whose shards are left for the store's own writer."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._model = None if target.model is None else open_model(target.model)
        self.staged: StagedShard | None = None

    def holds(self, part: str) -> bool:
        """Nothing is there before it is made."""
        return False

    def add(self, part: str, shard: Shard) -> None:
        """Write it."""
        self.staged = stage_shard(self._target.folder, with_seen(shard, self._model), self._target.dtype)


def node_name() -> str:
    """Of the node that this process runs on."""
    import ray

    context = ray.get_runtime_context()
    return f"{ray.util.get_node_ip_address()}/{context.get_node_id()[:6]}"


class MediaWorker:
    """Media to rows; its decoders live as long as it does.

    Args:
        job: what to do.
    """

    def __init__(self, job: MediaJob) -> None:
        self._job, self._stack = job, ExitStack()

    def ready(self) -> str:
        """Make encoder and decoders; the node that it is on.

        Raises:
            SpaceMismatchError: this node's encoder is another than the driver's.
            MissingExtraError: it is not installed here.
        """
        job = self._job
        set_threads(job.threads)
        (self._encoder,) = job.recipe.make([job.modality], job.encoding.device).values()
        if self._encoder.space != job.space:
            raise SpaceMismatchError(
                f"the node {node_name()} makes rows of {_called(self._encoder.space)}, the driver of "
                f"{_called(job.space)}: install the same vfsearch and encoders on every node"
            )
        self._prepare = self._stack.enter_context(preparing(self._encoder, job.folder, job.decoding))
        self._running = self._stack.enter_context(job.encoding.running(self._encoder))
        self._stage, self._kept = _Stage(job.target), self._taken_over()
        return node_name()

    def _taken_over(self) -> Kept:
        if not self._job.outdated:
            return Kept()
        store = Store(read_store_artefact(self._job.target.folder))
        return Kept(store.shard, self._job.outdated, self._encoder.space, store.written_ns)

    def do(self, part: Part) -> tuple[StagedShard, Meter]:
        """Embed a part."""
        meter = embed_parts([part], self._encoder, self._prepare, self._stage, self._running, kept=self._kept)
        return self._stage.staged, meter


class ProjectWorker:
    """Features to rows of a model's space.

    Args:
        job: what to do.
    """

    def __init__(self, job: ProjectJob) -> None:
        self._job = job

    def ready(self) -> str:
        """Open the features and the model; the node that it is on."""
        job = self._job
        set_threads(job.threads)
        self._stage, self._features = _Stage(job.target), open_store(job.features)
        self._project = _same if job.model is None else open_model(job.model).projection(job.device)
        return node_name()

    def do(self, part: tuple[str, str]) -> StagedShard:
        """Take a part, given by name and modality, into the space."""
        name, modality = part
        self._stage.add(name, projected(self._features.shard(name), self._job.spaces[modality], self._project))
        return self._stage.staged


def _same(modality: str, features: np.ndarray) -> np.ndarray:
    return features


def _called(space: Space) -> str:
    return f"{space.name}:{space.fingerprint[:12]}"
