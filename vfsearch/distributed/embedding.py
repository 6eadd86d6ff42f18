"""Embedding on a cluster: shards are the unit of work, and go to the store's folder without passing the driver."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vfsearch.distributed.crew import Crew, Record, Wanted
from vfsearch.distributed.workers import MediaJob, MediaWorker, ProjectJob, ProjectWorker, Target
from vfsearch.embed.meter import PHASES, Meter
from vfsearch.errors import SettingsError
from vfsearch.pipeline.engine import Filling, MediaWork, ProjectWork
from vfsearch.progress import Progress, detail


@dataclass(kw_only=True)
class RayEngine:
    """What embeds on a cluster; an `Engine` for `embed_manifest`.

    The store's folder, the media, the model and the features must have the same paths on every node.

    Args:
        ray: the module, connected; see `vfsearch.distributed.cluster`.
        cpus: that a worker for media reserves, for its decoders and for what it computes.
        gpu: whether each worker has a GPU; None: where the cluster has any.
        most: workers; None: as many as there is room for.

    Attributes:
        records: what was done -> who did it: the modality of media, or "projecting".
    """

    ray: Any
    cpus: int = 1
    gpu: bool | None = None
    most: int | None = None
    records: dict[str, Record] = field(default_factory=dict)

    def embed(self, work: MediaWork, writer: Filling, progress: Progress) -> Meter:
        """See `Engine.embed`."""
        if work.recipe is None:
            raise SettingsError("these encoders cannot be made on other machines")
        gpu = self._gpus() and work.encoder.preparation is not None
        encoding = replace(work.encoding, device="cuda" if gpu else "cpu")
        job = MediaJob(
            recipe=work.recipe, space=work.encoder.space, modality=work.modality, folder=work.folder.absolute(),
            decoding=work.decoding, encoding=encoding, outdated=tuple(writer.outdated(work.modality)),
            target=_target(writer, work.seen_by), threads=self.cpus,
        )  # fmt: skip
        wanted = Wanted(cpus=self.cpus, gpus=int(gpu), most=self.most)
        crew = Crew(self.ray, (MediaWorker, (job,)), wanted, self.records.setdefault(work.modality, Record()))
        todo = {part.name: part for part in work.parts if not writer.holds(part.name)}
        total, meter = sum(len(part.items) for part in work.parts), Meter()
        done = total - sum(len(part.items) for part in todo.values())
        for name, (staged, own) in crew.results(todo.items()):
            writer.adopt(name, staged)
            _add(meter, own)
            done += len(todo[name].items)
            detail(progress, f"{work.modality} items", _said(meter, crew.record))
            progress(f"{work.modality} items", done, total)
        meter.stop()
        return meter

    def project(self, work: ProjectWork, writer: Filling, progress: Progress) -> None:
        """See `Engine.project`."""
        job = ProjectJob(
            features=work.features, spaces=work.spaces, model=work.model, device="cpu",
            target=_target(writer, work.model), threads=1,
        )  # fmt: skip
        crew = Crew(
            self.ray, (ProjectWorker, (job,)), Wanted(most=self.most), self.records.setdefault("projecting", Record())
        )
        todo = {part.name: (part.name, part.modality) for part in work.parts if not writer.holds(part.name)}
        sizes = {part.name: len(part.items) for part in work.parts}
        total = sum(sizes.values())
        done = total - sum(sizes[name] for name in todo)
        for name, staged in crew.results(todo.items()):
            writer.adopt(name, staged)
            done += sizes[name]
            progress("rows stored", done, total)

    def _gpus(self) -> bool:
        return self.ray.cluster_resources().get("GPU", 0) >= 1 if self.gpu is None else self.gpu


def _target(writer: Filling, model: Path | None) -> Target:
    return Target(folder=writer.folder.absolute(), dtype=writer.dtype, model=model)


def _add(meter: Meter, own: Meter) -> None:
    """What one worker did, to what all did; its waits are its own."""
    meter.items += own.items
    meter.audio_seconds += own.audio_seconds
    for phase in PHASES:
        meter.waited[phase] += own.waited[phase]


def _said(meter: Meter, record: Record) -> str:
    nodes = len(record.tasks)
    lost = f", {record.died} workers went away" if record.died else ""
    return f"{meter.text()}; {nodes} node{'s' * (nodes != 1)}{lost}"
