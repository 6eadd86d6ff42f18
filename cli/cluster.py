"""`--on ray`: commands whose work can be done on a Ray cluster."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
from click.core import ParameterSource
from vfsearch_cli.options import option
from vfsearch_cli.terminal import duration, size

USUAL_WORKERS = 2
ADDRESS = {"default": "here", "show_default": True, "metavar": "here|ray|ray://HOST:PORT"}


@dataclass(kw_only=True)
class On:
    """Where work is done.

    Args:
        address: None: in this process; see `vfsearch.distributed.cluster`.
        cpus: that a worker reserves; None: a whole node.
        gpu: whether it has a GPU; None: where there are any.
        most: workers.
    """

    address: str | None
    cpus: int | None
    gpu: bool | None
    most: int | None
    records: dict = field(default_factory=dict)

    @contextmanager
    def engine(self) -> Iterator:
        """What embeds."""
        from vfsearch.pipeline.engine import HERE

        if self.address is None:
            yield HERE
            return
        from vfsearch.distributed.cluster import cluster
        from vfsearch.distributed.embedding import RayEngine

        with cluster(self.address) as ray:
            yield RayEngine(ray=ray, cpus=self.cpus, gpu=self.gpu, most=self.most, records=self.records)

    @contextmanager
    def builder(self) -> Iterator:
        """What builds partitions, and how many suit the cluster for so many rows; None: nothing suits better."""
        from vfsearch.pipeline.partition_work import HERE

        if self.address is None:
            yield HERE, lambda rows: None
            return
        from vfsearch.distributed.building import RayBuilder
        from vfsearch.distributed.cluster import cluster
        from vfsearch.distributed.planning import usual_partitions

        with cluster(self.address) as ray:
            wanted = self._wanted(ray, gpu=bool(self.gpu))
            yield (
                RayBuilder(ray=ray, wanted=wanted, records=self.records),
                lambda rows: usual_partitions(ray, rows, wanted),
            )

    @contextmanager
    def opener(self) -> Iterator:
        """What opens the partitions of a sharded index."""
        from vfsearch.index.answers import open_here

        if self.address is None:
            yield open_here
            return
        from vfsearch.distributed.cluster import cluster
        from vfsearch.distributed.searching import RaySearcher

        with (
            cluster(self.address) as ray,
            RaySearcher(ray=ray, wanted=self._wanted(ray), records=self.records) as searcher,
        ):
            yield searcher.open

    def _wanted(self, ray, gpu: bool | None = None):
        from vfsearch.distributed.planning import whole_nodes

        gpu = self.gpu if gpu is None else gpu
        if gpu is None:
            gpu = ray.cluster_resources().get("GPU", 0) >= 1
        return whole_nodes(ray, gpus=int(gpu), cpus=self.cpus, most=self.most)

    def plan(self, seconds: dict[str, float | None]) -> "Told":
        """What a cluster would do with work that takes one worker so many seconds."""
        if self.address is None:
            return Told()
        from vfsearch.distributed.cluster import cluster
        from vfsearch.distributed.crew import Wanted
        from vfsearch.distributed.planning import plan_workers

        with cluster(self.address) as ray:
            found = plan_workers(ray, Wanted(cpus=self.cpus, gpus=int(bool(self.gpu)), most=self.most))
        takes = sum(each or 0.0 for each in seconds.values()) / max(1, found.workers)
        nodes = f"{found.nodes} node{'s' * (found.nodes != 1)}"
        has = f"{nodes}, {found.cpus:g} CPUs, {found.gpus:g} GPUs and {size(found.memory_bytes)} of memory"
        room = f"{found.workers} worker{'s' * (found.workers != 1)} of {self.cpus} CPU{'s' * (self.cpus != 1)}"
        line = f"the cluster has {has}: room for {room}, so about {duration(takes)} (extrapolated from the sample here)"
        return Told(document={"cluster": found.to_json() | {"seconds": takes}}, lines=[line])

    def placement(self, folder: Path) -> "Told":
        """Where the partitions of an index would be searched."""
        from vfsearch.index.layout import read_index_artefact
        from vfsearch.index.partitions import is_sharded

        artefact = read_index_artefact(folder)
        if self.address is None or not is_sharded(artefact):
            return Told()
        from vfsearch.distributed.cluster import cluster
        from vfsearch.distributed.planning import needs_of, place

        with cluster(self.address) as ray:
            found = place(ray, needs_of(artefact), self._wanted(ray))
        return _told(found, _placed(found))

    def placement_to_come(self, settings, rows: int, dimension: int, count: int | None) -> "Told":
        """How an index that is not built yet would be put on a cluster."""
        from vfsearch.distributed.cluster import cluster
        from vfsearch.distributed.planning import needs_to_come, place, usual_partitions

        with cluster(self.address) as ray:
            wanted = self._wanted(ray, gpu=bool(self.gpu))
            count = count or usual_partitions(ray, rows, wanted)
            found = place(ray, needs_to_come(settings, rows, dimension, count), wanted)
        return _told(found, _placed(found, to_build=True))

    @property
    def where(self) -> str | None:
        """What tells a run there from one here, whose times are others; None: here."""
        return None if self.address is None else "cluster"

    @property
    def document(self) -> dict:
        """What was done where, as JSON."""
        return {"cluster": {what: record.to_json() for what, record in self.records.items()}} if self.records else {}

    @property
    def lines(self) -> list[str]:
        """The same for a person."""
        return [f"{what}: {record.text()}" for what, record in self.records.items() if record.tasks]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is said of a cluster beside a result."""

    document: dict = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    code: int = 0


def _told(found, lines: list[str]) -> Told:
    return Told(document={"placement": found.to_json()}, lines=lines, code=0 if found.fits else 5)


def _placed(found, to_build: bool = False) -> list[str]:
    """A placement for people."""
    parts = found.partitions
    largest = max(parts, key=lambda part: part.rows)
    wants = f"{size(largest.memory_bytes)} to search and rank in"
    if to_build:
        wants = f"{size(largest.build_bytes)} to build, {wants}"
    workers = f"{found.workers} worker{'s' * (found.workers != 1)}"
    lines = [
        f"{len(parts)} partition{'s' * (len(parts) != 1)} of up to {largest.rows:,} rows, each wants {wants}; {workers}"
    ]
    for node in found.nodes:
        names = ", ".join(name.partition("part-")[2] for name in node.partitions) or "none"
        needs = f"{size(node.needs_bytes)} of {size(node.memory_bytes)} of memory" if node.partitions else "nothing"
        lines.append(f"  node {node.name}, {node.cpus:g} CPUs, {node.gpus:g} GPUs: partitions {names}; wants {needs}")
    if not found.workers:
        lines.append(
            "  there is no room for a worker: no node has the CPUs, or the GPU, that it reserves (--worker-cpus)"
        )
    elif not found.fits:
        lines.append("  this does not fit: more nodes, more memory, or a smaller kind of index (`vfsearch index plan`)")
    return lines


def on_cluster(command: Callable) -> Callable:
    """--on and --most-workers; the command gets an `On` as `on`. It stands below `decoding` and `computing`."""

    @option("--on", "address", **ADDRESS,
            help="Where: ray is the cluster that RAY_ADDRESS names, else this machine alone. Folders must be the same "
            "on every node; --workers is then of each worker (2), which reserves as many CPUs.")  # fmt: skip
    @option("--most-workers", type=click.IntRange(min=1), default=None, help="On a cluster.  [default: as many as it "
            "has room for]")  # fmt: skip
    @functools.wraps(command)
    def wrapped(
        *args: object, address: str, most_workers: int | None, decoding, device: str, **kwargs: object
    ) -> object:
        from dataclasses import replace

        source = click.get_current_context().get_parameter_source
        if address == "here":
            on = On(address=None, cpus=1, gpu=None, most=None)
        else:
            from vfsearch.distributed.cluster import require_address

            if source("workers") is ParameterSource.DEFAULT:
                decoding = replace(decoding, workers=USUAL_WORKERS)
            gpu = None if source("device") is ParameterSource.DEFAULT else device != "cpu"
            on = On(address=require_address(address), cpus=max(1, decoding.workers), gpu=gpu, most=most_workers)
        return command(*args, on=on, decoding=decoding, device=device, **kwargs)

    return wrapped


def partitions_on_cluster(command: Callable) -> Callable:
    """--on, --worker-cpus and --most-workers of commands that have partitions; the command gets an `On` as `on`."""

    @option("--on", "address", **ADDRESS,
            help="Where partitions are: ray is the cluster that RAY_ADDRESS names, else this machine alone. Folders "
            "must be the same on every node.")  # fmt: skip
    @option("--worker-cpus", type=click.IntRange(min=1), default=None, help="On a cluster, of each worker.  [default: "
            "those of the smallest node]")  # fmt: skip
    @option("--most-workers", type=click.IntRange(min=1), default=None, help="On a cluster.  [default: one a "
            "partition, as far as there is room]")  # fmt: skip
    @functools.wraps(command)
    def wrapped(
        *args: object, address: str, worker_cpus: int | None, most_workers: int | None, device: str, **kwargs: object
    ) -> object:
        if address == "here":
            on = On(address=None, cpus=None, gpu=None, most=None)
        else:
            from vfsearch.distributed.cluster import require_address

            source = click.get_current_context().get_parameter_source
            gpu = None if source("device") is ParameterSource.DEFAULT else device != "cpu"
            on = On(address=require_address(address), cpus=worker_cpus, gpu=gpu, most=most_workers)
        return command(*args, on=on, device=device, **kwargs)

    return wrapped
