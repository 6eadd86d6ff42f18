"""Searching on a cluster: workers hold partitions; one that goes away is made anew elsewhere and asked again."""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from vfsearch.artefact import Artefact
from vfsearch.devices import set_threads
from vfsearch.distributed.crew import MOST_ATTEMPTS, START_SECONDS, Record, Wanted, told
from vfsearch.distributed.planning import needs_of
from vfsearch.distributed.workers import node_name
from vfsearch.errors import ArtefactError, DoesNotFitError, PartitionLostError, VfsearchError
from vfsearch.index.answers import PartitionAnswers
from vfsearch.index.backends import BACKENDS
from vfsearch.index.exact import ExactIndex
from vfsearch.index.partitions import Partition, partitions_of
from vfsearch.index.sharded import ShardedIndex, check_partition, open_partition

logger = logging.getLogger(__name__)

SHARED_BYTES = 2**16
"""Arguments above go to the nodes once, not once a partition."""
TAKEN_OVER_SECONDS = 60.0
"""So long a worker that is made anew may wait for room; then another one takes over its partitions."""


@dataclass(kw_only=True)
class RaySearcher:
    """What opens the partitions of a sharded index on a cluster; its `open` is an `Opener` for `query`.

    The index must have the same path on every node.

    Args:
        ray: the module, connected; see `vfsearch.distributed.cluster`.
        wanted: what a worker reserves; memory for its partitions comes on top.
        records: what was searched -> who did it.
    """

    ray: Any
    wanted: Wanted = field(default_factory=Wanted)
    records: dict[str, Record] = field(default_factory=dict)
    _open: list["PartitionsElsewhere"] = field(default_factory=list)

    def open(self, artefact: Artefact, device: str, exactly: bool = False, partial: bool = False) -> ShardedIndex:
        """Open an index; see `vfsearch.index.answers.Opener`. Workers search on the GPU that they reserve, if they can.

        Raises:
            ArtefactError, DamagedError: a partition cannot be opened.
            DoesNotFitError: the cluster has no room for the workers.
        """
        self.close()
        record = self.records.setdefault(artefact.folder.name, Record())
        artefact = replace(artefact, folder=artefact.folder.absolute())
        kind = ExactIndex if exactly else BACKENDS.load(artefact.about["backend"])
        device = "cuda" if self.wanted.gpus and "cuda" in kind.devices else "cpu"
        answering = PartitionsElsewhere(self.ray, artefact, device, exactly, partial, self.wanted, record)
        self._open.append(answering)
        return ShardedIndex(artefact, answering, device, exactly)

    def close(self) -> None:
        """End all workers."""
        while self._open:
            self._open.pop().close()

    def __enter__(self) -> "RaySearcher":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class SearchWorker:
    """Holds partitions and answers for them.

    Args:
        device: where they search.
        exactly: whether they are opened as rows alone.
        threads: to compute with.
    """

    def __init__(self, device: str, exactly: bool, threads: int) -> None:
        self._device, self._exactly, self._threads = device, exactly, threads
        self._answers: dict[str, PartitionAnswers] = {}

    def ready(self) -> str:
        """The node that it is on."""
        set_threads(self._threads)
        return node_name()

    def open(self, artefact: Artefact, partition: Partition) -> None:
        """Open a partition, checked."""
        check_partition(artefact, partition)
        self._answers[partition.name] = PartitionAnswers(open_partition(partition, self._device, self._exactly))

    def answer(self, name: str, what: str, *arguments: Any) -> tuple[float, Any]:
        """Seconds that it took, and what `PartitionAnswers` says."""
        begun = time.perf_counter()
        found = getattr(self._answers[name], what)(*arguments)
        return time.perf_counter() - begun, found


@dataclass(eq=False)
class _Worker:
    """A worker as the driver knows it.

    Args:
        actor: of Ray.
        node: that it is on.
        names: of the partitions that it has.
    """

    actor: Any
    node: str
    names: list[str]


class PartitionsElsewhere:
    """Partitions on a cluster; a `vfsearch.index.sharded.Answering`.

    Args:
        ray: the module, connected.
        artefact: the list of partitions, its folder the same on every node.
        device: where they search.
        exactly: open them as rows alone.
        partial: leave out those that cannot be opened.
        wanted: what a worker reserves.
        record: what was done is noted there.
    """

    elsewhere = True

    def __init__(
        self, ray: Any, artefact: Artefact, device: str, exactly: bool, partial: bool, wanted: Wanted, record: Record
    ) -> None:  # fmt: skip
        self._ray, self._artefact, self._wanted, self.record = ray, artefact, wanted, record
        self._make = ray.remote(SearchWorker)
        self._made_with = (device, exactly, wanted.cpus)
        self._prepared: list[tuple[str, Mapping[str, tuple]]] = []
        self._attempts: Counter = Counter()
        self.lost: dict[str, str] = {}
        every = partitions_of(artefact)
        self._by_name = {partition.name: partition for partition in every}
        self._needs = {each.name: each for each in needs_of(artefact)}
        self._workers: list[_Worker] = []
        try:
            self._start(every)
            self._open(partial)
        except BaseException:
            self.close()
            raise
        self.partitions: Sequence[Partition] = [each for each in every if each.name not in self.lost]

    def ask(self, what: str, arguments: Mapping[int, tuple]) -> dict[int, Any]:
        """See `Answering.ask`.

        Raises:
            PartitionLostError: one went away and could not be opened again.
            VfsearchError: a partition says what is wrong.
        """
        named = {self.partitions[number].name: number for number in arguments}
        given = self._shared({name: arguments[number] for name, number in named.items()})
        return {named[name]: found for name, found in self._ask(what, given).items()}

    def prepare(self, what: str, arguments: Mapping[int, tuple]) -> None:
        """See `Answering.prepare`; a partition that is opened again is told again."""
        told_ = {self.partitions[number].name: given for number, given in arguments.items()}
        self._prepared = [each for each in self._prepared if each[0] != what]
        self._ask(what, self._shared(told_))
        self._prepared.append((what, told_))

    def close(self) -> None:
        """End all workers."""
        while self._workers:
            self._ray.kill(self._workers.pop().actor, no_restart=True)

    def _ask(self, what: str, given: Mapping[str, tuple]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while len(found) < len(given):
            asked = {}
            for name, arguments in given.items():
                if name not in found:
                    worker = self._worker_of(name)
                    asked[name] = (worker, worker.actor.answer.remote(name, what, *arguments))
            for name, (worker, reference) in asked.items():
                try:
                    seconds, found[name] = self._ray.get(reference)
                except self._gone as error:
                    # Whoever had the same worker has been opened again with it, and is asked again.
                    if worker in self._workers:
                        self._again(worker, error)
                    continue
                except self._ray.exceptions.RayTaskError as error:
                    raise self._said(error, f"the partition {name}") from error
                self.record.note(worker.node, name, seconds)
        return found

    @property
    def _gone(self) -> tuple[type[Exception], ...]:
        errors = self._ray.exceptions
        return (errors.RayActorError, errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError)

    def _shared(self, arguments: Mapping[str, tuple]) -> dict[str, tuple]:
        """What is large goes to the cluster once, however many partitions are given it."""
        known: dict[int, Any] = {}

        def shared(value: Any) -> Any:
            if getattr(value, "nbytes", 0) < SHARED_BYTES:
                return value
            if id(value) not in known:
                known[id(value)] = self._ray.put(value)
            return known[id(value)]

        return {name: tuple(map(shared, given)) for name, given in arguments.items()}

    def _start(self, partitions: Sequence[Partition]) -> None:
        """Start as many workers as there is room for, and share out the partitions."""
        room = self._wanted.room(self._ray.cluster_resources())
        most = len(partitions) if self._wanted.most is None else self._wanted.most
        count = max(1, min(len(partitions), most, room))
        shares = [[each.name for each in partitions[place::count]] for place in range(count)]
        actors = [self._actor(names) for names in shares]
        references = {actor.ready.remote(): (actor, names) for actor, names in zip(actors, shares, strict=True)}
        begun = time.monotonic()
        while references:
            left = START_SECONDS - (time.monotonic() - begun)
            ended, _ = self._ray.wait(list(references), num_returns=1, timeout=max(0.0, left))
            if not ended:
                self._no_room(references, time.monotonic() - begun)
                return
            for reference in ended:
                actor, names = references.pop(reference)
                try:
                    self._workers.append(_Worker(actor, self._ray.get(reference), names))
                except self._gone as error:
                    self._count_start(error)
                    actor = self._actor(names)
                    references[actor.ready.remote()] = (actor, names)

    def _count_start(self, error: Exception) -> None:
        self.record.died += 1
        self._attempts[""] += 1
        if getattr(error, "actor_init_failed", False) or self._attempts[""] > MOST_ATTEMPTS:
            raise VfsearchError(f"workers cannot start: {told(error)}") from error

    def _no_room(self, references: Mapping[Any, tuple], seconds: float) -> None:
        """Those that did start take over what the others should have had."""
        names = [name for actor, names in references.values() for name in names]
        for actor, _ in references.values():
            self._ray.kill(actor, no_restart=True)
        if not self._workers:
            has = self._ray.cluster_resources()
            raise DoesNotFitError(
                f"no worker could start in {seconds:.0f} s: each wants {self._wanted.cpus} CPUs, {self._wanted.gpus} "
                f"GPUs and memory for its partitions; the cluster has {has.get('CPU', 0):g}, {has.get('GPU', 0):g} and "
                f"{has.get('memory', 0) / 2**30:.1f} GiB"
            )
        for name in names:
            self._least().names.append(name)

    def _least(self) -> _Worker:
        return min(self._workers, key=lambda worker: sum(self._by_name[name].rows for name in worker.names))

    def _actor(self, names: Sequence[str]) -> Any:
        memory = sum(self._needs[name].memory_bytes for name in names)
        options = {"num_cpus": self._wanted.cpus, "num_gpus": self._wanted.gpus, "memory": memory, "max_restarts": 0,
                   "max_task_retries": 0, "scheduling_strategy": "SPREAD"}  # fmt: skip
        return self._make.options(**options).remote(*self._made_with)

    def _worker_of(self, name: str) -> _Worker:
        return next(worker for worker in self._workers if name in worker.names)

    def _open(self, partial: bool) -> None:
        """See that the workers have their partitions, all of them at the same time."""
        asked = [(worker, name, worker.actor.open.remote(self._artefact, self._by_name[name]))
                 for worker in self._workers for name in worker.names]  # fmt: skip
        for worker, name, reference in asked:
            try:
                self._ray.get(reference)
            except self._gone as error:
                # That opens all that it had.
                if worker in self._workers:
                    self._again(worker, error)
            except self._ray.exceptions.RayTaskError as error:
                said = self._said(error, f"the partition {name}")
                if not partial or not isinstance(said, ArtefactError):
                    raise said from error
                self.lost[name] = str(said)
                self._worker_of(name).names.remove(name)

    def _again(self, worker: _Worker, error: Exception) -> None:
        """Open what a worker had that went away: with another one, or with those that are left.

        Raises:
            PartitionLostError: that was tried too often, or it cannot be opened.
        """
        logger.info("a worker on %s went away; its partitions are opened again", worker.node)
        self.record.died += 1
        self._workers.remove(worker)
        self._ray.kill(worker.actor, no_restart=True)
        for name in worker.names:
            self._attempts[name] += 1
            if self._attempts[name] > MOST_ATTEMPTS:
                raise PartitionLostError(
                    f"the partition {name} went away {MOST_ATTEMPTS} times with its worker: {told(error)}"
                ) from error
        self._replaced(worker.names)
        owners = {name: self._worker_of(name) for name in worker.names}
        opened = {name: owner.actor.open.remote(self._artefact, self._by_name[name]) for name, owner in owners.items()}
        for name, reference in opened.items():
            owner = owners[name]
            try:
                self._ray.get(reference)
                self._tell(owner, name)
            except self._gone as gone:
                if owner in self._workers:
                    self._again(owner, gone)
            except self._ray.exceptions.RayTaskError as task_error:
                said = self._said(task_error, f"the partition {name}")
                raise PartitionLostError(f"the partition {name} cannot be opened again: {said}") from task_error

    def _tell(self, worker: _Worker, name: str) -> None:
        """What a partition was told before."""
        for what, given in self._prepared:
            if name in given:
                self._ray.get(worker.actor.answer.remote(name, what, *given[name]))

    def _replaced(self, names: Sequence[str]) -> None:
        """Find another worker for some partitions: a new one, else those that are left take them over."""
        begun, patience = time.monotonic(), TAKEN_OVER_SECONDS if self._workers else START_SECONDS
        while (left := patience - (time.monotonic() - begun)) > 0:
            actor = self._actor(names)
            reference = actor.ready.remote()
            try:
                worker = _Worker(actor, self._ray.get(reference, timeout=left), list(names))
            except self._ray.exceptions.GetTimeoutError:
                self._ray.kill(actor, no_restart=True)
                break
            except self._gone as error:
                self._count_start(error)
                continue
            self._workers.append(worker)
            return
        if not self._workers:
            raise PartitionLostError(
                f"{len(names)} partitions went away with the last worker, and no other one could start in "
                f"{patience:.0f} s"
            )
        for name in names:
            self._least().names.append(name)

    @staticmethod
    def _said(error: Any, where: str) -> VfsearchError:
        cause = error.cause
        if isinstance(cause, VfsearchError):
            return cause
        return VfsearchError(f"{where} failed: {type(cause).__name__}: {cause}")
