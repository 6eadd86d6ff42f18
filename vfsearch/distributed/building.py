"""Building on a cluster: partitions of an index are the unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vfsearch.data.row_source import RowSource
from vfsearch.devices import set_threads
from vfsearch.distributed.crew import Crew, Record, Wanted
from vfsearch.distributed.workers import node_name
from vfsearch.index.sharding import PartitionJob, build_partition
from vfsearch.pipeline.partition_work import PartitionWork, source_of
from vfsearch.progress import Progress
from vfsearch.store.store import open_store


@dataclass(kw_only=True)
class RayBuilder:
    """What builds partitions on a cluster; a `BuildEngine` for `build_indices`.

    The store and the indices must have the same paths on every node.

    Args:
        ray: the module, connected; see `vfsearch.distributed.cluster`.
        wanted: what a worker reserves.
        records: what was built -> who did it.
    """

    ray: Any
    wanted: Wanted = field(default_factory=Wanted)
    records: dict[str, Record] = field(default_factory=dict)

    def build(
        self, work: PartitionWork, source: RowSource, jobs: Sequence[PartitionJob], progress: Progress
    ) -> None:  # fmt: skip
        """See `BuildEngine.build`."""
        work = replace(work, store=work.store.absolute())
        absolute = [replace(job, folder=job.folder.absolute()) for job in jobs]
        index = jobs[0].folder.parent.name
        record = self.records.setdefault(index, Record())
        crew = Crew(self.ray, (BuildWorker, (work, self.wanted.cpus)), self.wanted, record)
        for done, _ in enumerate(crew.results((job.folder.name, job) for job in absolute), start=1):
            progress("partitions built", done, len(jobs))


class BuildWorker:
    """Rows of a store to partitions of an index.

    Args:
        work: what the partitions have in common.
        threads: to compute with.
    """

    def __init__(self, work: PartitionWork, threads: int) -> None:
        self._work, self._threads = work, threads

    def ready(self) -> str:
        """Open the store; the node that it is on."""
        work = self._work
        set_threads(self._threads)
        self._source = source_of(open_store(work.store), work.modality, work.split, work.pooling)
        return node_name()

    def do(self, job: PartitionJob) -> bool:
        """See that a partition is there; whether it was built now."""
        work = self._work
        return build_partition(job, self._source, work.settings, work.device, work.split)
