"""What a cluster has room for, before anything is done."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vfsearch.artefact import Artefact
from vfsearch.distributed.crew import Wanted
from vfsearch.errors import SettingsError
from vfsearch.index.backends import BACKENDS
from vfsearch.index.costs import PROCESS_BYTES, Size, costs
from vfsearch.index.partitions import partitions_of, spans
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.cpu.gallery import bytes_a_row
from vfsearch.kernels.rank_gallery import MAX_MEMORY


@dataclass(frozen=True, kw_only=True)
class ClusterPlan:
    """Workers on a cluster as it is now.

    Args:
        nodes: alive.
        cpus, gpus: of all nodes.
        memory_bytes: that tasks may use.
        workers: that have room, node by node.
    """

    nodes: int
    cpus: float
    gpus: float
    memory_bytes: float
    workers: int

    def to_json(self) -> dict:
        """The plan as JSON."""
        return asdict(self)


def plan_workers(ray: Any, wanted: Wanted) -> ClusterPlan:
    """How many workers a cluster has room for; those of no node together do not make one.

    Args:
        ray: the module, connected.
        wanted: what each reserves; where GPUs are not asked for, a node's are left alone.
    """
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    unbounded = Wanted(cpus=wanted.cpus, gpus=wanted.gpus)
    room = sum(unbounded.room(resources) for resources in alive)
    return ClusterPlan(
        nodes=len(alive),
        cpus=sum(each.get("CPU", 0.0) for each in alive),
        gpus=sum(each.get("GPU", 0.0) for each in alive),
        memory_bytes=sum(each.get("memory", 0.0) for each in alive),
        workers=room if wanted.most is None else min(room, wanted.most),
    )


@dataclass(frozen=True, kw_only=True)
class PartitionNeeds:
    """What a partition wants of the node that it is on.

    Args:
        name: of the partition.
        rows: that it has.
        memory_bytes: to search it and to rank in it, with its files in the system's cache.
        build_bytes: most memory while it is built.
    """

    name: str
    rows: int
    memory_bytes: int
    build_bytes: int


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node and what it would hold.

    Args:
        name: its address, and the begin of its id.
        cpus, gpus, memory_bytes: that it has.
        partitions: names, in the order of their rows.
        needs_bytes: of these, and of the processes that hold them.
    """

    name: str
    cpus: float
    gpus: float
    memory_bytes: float
    partitions: tuple[str, ...]
    needs_bytes: int


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where partitions would be on a cluster as it is now.

    Args:
        partitions: all of them.
        nodes: all of them.
        workers: that hold them.
    """

    partitions: tuple[PartitionNeeds, ...]
    nodes: tuple[Node, ...]
    workers: int

    @property
    def fits(self) -> bool:
        """Whether there is a worker, and every node has the memory for what it would hold."""
        return self.workers > 0 and all(node.needs_bytes <= node.memory_bytes for node in self.nodes)

    def to_json(self) -> dict:
        """The placement as JSON."""
        return {**asdict(self), "fits": self.fits}


def needs_of(artefact: Artefact) -> list[PartitionNeeds]:
    """What the partitions of a sharded index want."""
    about = artefact.about
    settings, dimension = BuildSettings.from_json(about["settings"]), about["space"]["dimension"]
    return [_needs(each.name, each.rows, dimension, settings, each.size_bytes) for each in partitions_of(artefact)]


def needs_to_come(settings: BuildSettings, rows: int, dimension: int, count: int) -> list[PartitionNeeds]:
    """What the partitions of an index will want that is not built yet.

    Args:
        settings: of the index.
        rows, dimension: of all its rows.
        count: partitions.
    Raises:
        SettingsError: rows cannot be put into so many.
    """
    kind = BACKENDS.load(settings.backend)
    found = []
    for place, (first, last) in enumerate(spans(rows, count)):
        chosen = kind.prepared(settings, last - first, dimension)
        found.append(_needs(f"part-{place:05d}", last - first, dimension, chosen, 0))
    return found


def _needs(name: str, rows: int, dimension: int, settings: BuildSettings, size_bytes: int) -> PartitionNeeds:
    try:
        known = costs(settings, Size(rows=rows, dimension=dimension))
        memory, build = known.memory + known.mapped, known.build
    except SettingsError:
        # A back end of which nothing is known: its files, read once.
        memory = build = max(size_bytes, 4 * rows * dimension)
    ranks = min(MAX_MEMORY, rows * bytes_a_row(dimension))
    return PartitionNeeds(name=name, rows=rows, memory_bytes=memory + ranks, build_bytes=build)


def place(ray: Any, needs: Sequence[PartitionNeeds], wanted: Wanted) -> Placement:
    """Where partitions would be: workers spread over the nodes, partitions over the workers.

    Args:
        ray: the module, connected.
        needs: of the partitions.
        wanted: what each worker reserves.
    """
    alive = [node for node in ray.nodes() if node["Alive"]]
    unbounded = Wanted(cpus=wanted.cpus, gpus=wanted.gpus)
    room = [unbounded.room(node["Resources"]) for node in alive]
    # One a node, then a second one a node, ...: as Ray spreads them.
    slots = [number for turn in range(max(room, default=0)) for number, has in enumerate(room) if turn < has]
    most = len(slots) if wanted.most is None else min(wanted.most, len(slots))
    workers = min(len(needs), most)
    held: list[list[PartitionNeeds]] = [[] for _ in alive]
    processes = [0] * len(alive)
    for worker in range(workers):
        held[slots[worker]] += needs[worker::workers]
        processes[slots[worker]] += 1
    nodes = tuple(
        Node(
            name=f"{node['NodeManagerAddress']}/{node['NodeID'][:6]}",
            cpus=node["Resources"].get("CPU", 0.0), gpus=node["Resources"].get("GPU", 0.0),
            memory_bytes=node["Resources"].get("memory", 0.0),
            partitions=tuple(sorted(each.name for each in mine)),
            needs_bytes=sum(each.memory_bytes for each in mine) + count * PROCESS_BYTES,
        )
        for node, mine, count in zip(alive, held, processes, strict=True)
    )  # fmt: skip
    return Placement(partitions=tuple(needs), nodes=nodes, workers=workers)


def usual_partitions(ray: Any, rows: int, wanted: Wanted) -> int:
    """How many partitions suit a cluster as it is now: one a worker.

    More would be searched one after another by the same worker; where they do not fit the memory, more do not either.
    """
    return max(1, min(rows, plan_workers(ray, wanted).workers))


def whole_nodes(ray: Any, gpus: int = 0, cpus: int | None = None, most: int | None = None) -> Wanted:
    """What a worker reserves: the CPUs given, else those of the smallest node that has the GPUs, so that one worker
    has a node for itself.

    Args:
        ray: the module, connected.
        gpus: 0 or 1.
        cpus: that were asked for.
        most: workers.
    """
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    found = [int(each.get("CPU", 0)) for each in alive if each.get("CPU", 0) >= 1 and each.get("GPU", 0) >= gpus]
    if cpus is None:
        cpus = min(found, default=1)
        if gpus:
            cpus = max(1, cpus // max(1, int(min(each["GPU"] for each in alive if each.get("GPU", 0) >= gpus))))
    return Wanted(cpus=cpus, gpus=gpus, most=most)
