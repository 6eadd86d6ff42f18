"""What a cluster has room for, before anything is done."""

from dataclasses import asdict, dataclass
from typing import Any

from vfsearch.distributed.crew import Wanted


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
