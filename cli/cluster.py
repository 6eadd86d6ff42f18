"""`--on ray`: commands whose work can be done on a Ray cluster."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click
from click.core import ParameterSource
from vfsearch_cli.options import option
from vfsearch_cli.terminal import duration, size

USUAL_WORKERS = 2


@dataclass(kw_only=True)
class On:
    """Where work is done.

    Args:
        address: None: in this process; see `vfsearch.distributed.cluster`.
        cpus: that a worker reserves.
        gpu: whether it has a GPU; None: where there are any.
        most: workers.
    """

    address: str | None
    cpus: int
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
        room = f"{found.workers} workers of {self.cpus} CPUs"
        line = f"the cluster has {has}: room for {room}, so about {duration(takes)} (extrapolated from the sample here)"
        return Told(document={"cluster": found.to_json() | {"seconds": takes}}, lines=[line])

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


def on_cluster(command: Callable) -> Callable:
    """--on and --most-workers; the command gets an `On` as `on`. It stands below `decoding` and `computing`."""

    @option("--on", "address", default="here", show_default=True, metavar="here|ray|ray://HOST:PORT",
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
