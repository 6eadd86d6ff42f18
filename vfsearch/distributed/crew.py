"""Workers on a cluster: as many as there is room and work for; what one that dies was doing is given to another."""

import logging
import time
from collections import Counter, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vfsearch.errors import DoesNotFitError, VfsearchError

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 20
"""Of one task, in workers that died of it or with it."""
MOST_FAILED_STARTS = 5
"""One after another, with no worker that started: then it is not the nodes that go away."""
WAIT_SECONDS = 1.0
START_SECONDS = 300.0
"""Without any worker, before what is missing is said: clusters that grow take minutes."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a worker reserves.

    Args:
        cpus: cores.
        gpus: 0 or 1.
        most: workers; None: as many as the cluster has room for.
    """

    cpus: int = 1
    gpus: int = 0
    most: int | None = None

    def room(self, resources: Mapping[str, float]) -> int:
        """How many workers a cluster of these resources holds at once, at most.

        Example:
            >>> Wanted(cpus=4, gpus=1).room({"CPU": 32.0, "GPU": 2.0})
            2
        """
        found = int(resources.get("CPU", 0) // max(1, self.cpus))
        if self.gpus:
            found = min(found, int(resources.get("GPU", 0) // self.gpus))
        return found if self.most is None else min(found, self.most)


@dataclass(kw_only=True)
class Record:
    """What a crew did.

    Args:
        tasks: node -> tasks that were done there.
        seconds: node -> seconds that its workers worked on them.
        died: workers that went away.
        slowest: task that took longest, and how long.
    """

    tasks: Counter = field(default_factory=Counter)
    seconds: Counter = field(default_factory=Counter)
    died: int = 0
    slowest: tuple[Hashable, float] | None = None

    def note(self, node: str, task: Hashable, seconds: float) -> None:
        """A task is done."""
        self.tasks[node] += 1
        self.seconds[node] += seconds
        if self.slowest is None or seconds > self.slowest[1]:
            self.slowest = (task, seconds)

    def to_json(self) -> dict:
        """The record as JSON."""
        nodes = {node: {"tasks": count, "seconds": round(self.seconds[node], 3)} for node, count in self.tasks.items()}
        slowest = self.slowest and {"task": self.slowest[0], "seconds": round(self.slowest[1], 3)}
        return {"nodes": nodes, "died": self.died, "slowest": slowest}

    def text(self) -> str:
        """For a person: what each node did, the slowest part, who went away."""
        nodes = "; ".join(
            f"{node} {count} parts in {self.seconds[node]:,.1f} s of its workers" for node, count in self.tasks.items()
        )
        slowest = f"; slowest {self.slowest[0]} ({self.slowest[1]:,.1f} s)" if self.slowest else ""
        died = f"; {self.died} workers went away, what they did was done again" if self.died else ""
        return f"{nodes}{slowest}{died}"


class Crew:
    """Workers of one kind.

    Args:
        ray: the module, connected.
        make: class of the workers and the arguments of its constructor. It has `ready()`, which gives the name of
            its node, and `do(task)`, which gives what came of it. A task that was begun may be done again elsewhere.
        wanted: what each reserves.
        record: what was done is noted there.
    """

    def __init__(
        self, ray: Any, make: tuple[type, tuple], wanted: Wanted, record: Record | None = None
    ) -> None:  # fmt: skip
        self._ray, self._wanted, self.record = ray, wanted, record or Record()
        kind, self._arguments = make
        options = {"num_cpus": wanted.cpus, "num_gpus": wanted.gpus, "max_restarts": 0, "max_task_retries": 0}
        self._make = ray.remote(kind).options(**options)
        self._busy: dict[Any, tuple[Any, tuple[Hashable, Any] | None, float]] = {}
        self._nodes: dict[Any, str] = {}
        self._attempts: Counter = Counter()
        self._failed_starts = self._killed_starts = 0

    def results(self, tasks: Iterable[tuple[Hashable, Any]]) -> Iterator[tuple[Hashable, Any]]:
        """What came of each task, as they end.

        Args:
            tasks: a name and what the worker is given.
        Raises:
            VfsearchError: a worker raised it; or a task saw so many workers die that it must be its fault.
            DoesNotFitError: the cluster has no room for one worker.
        """
        waiting, alone_since = deque(tasks), time.monotonic()
        try:
            while waiting or any(task is not None for _, task, _ in self._busy.values()):
                self._grow(len(waiting))
                if self._nodes:
                    alone_since = time.monotonic()
                self._require_some(time.monotonic() - alone_since)
                ended, _ = self._ray.wait(list(self._busy), num_returns=1, timeout=WAIT_SECONDS)
                for reference in ended:
                    actor, task, begun = self._busy.pop(reference)
                    name = task and task[0]
                    found, result = self._result(reference, actor, name)
                    if found and task is not None:
                        self.record.note(self._nodes[actor], name, time.monotonic() - begun)
                        yield name, result
                    elif task is not None:
                        waiting.appendleft(task)
                    if found and waiting:
                        task = waiting.popleft()
                        self._busy[actor.do.remote(task[1])] = (actor, task, time.monotonic())
                    elif found:
                        self._dismiss(actor)
        finally:
            for actor in {*self._nodes, *(actor for actor, _, _ in self._busy.values())}:
                self._dismiss(actor)
            self._busy.clear()

    def _grow(self, waiting: int) -> None:
        """Start workers for what waits: as many as there is room for, and one more, which asks a cluster to grow."""
        starting = sum(task is None for _, task, _ in self._busy.values())
        crew = len(self._nodes) + starting
        room = self._wanted.room(self._ray.cluster_resources())
        most = room + 1 if self._wanted.most is None else self._wanted.most
        for _ in range(min(waiting - starting, most - crew)):
            actor = self._make.remote(*self._arguments)
            self._busy[actor.ready.remote()] = (actor, None, time.monotonic())

    def _require_some(self, seconds: float) -> None:
        if seconds > START_SECONDS:
            has = self._ray.cluster_resources()
            raise DoesNotFitError(
                f"no worker could start in {seconds:.0f} s: each wants {self._wanted.cpus} CPUs and "
                f"{self._wanted.gpus} GPUs, the cluster has {has.get('CPU', 0):g} and {has.get('GPU', 0):g}"
            )

    def _result(self, reference: Any, actor: Any, task: Hashable | None) -> tuple[bool, Any]:
        """Whether a worker did what it was asked, and what came of it."""
        errors = self._ray.exceptions
        try:
            result = self._ray.get(reference)
        except errors.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, VfsearchError):
                raise cause from error
            raise VfsearchError(f"a worker failed at {task or 'its start'}: {type(cause).__name__}: {cause}") from error
        except (errors.RayActorError, errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError) as error:
            self._lost(actor, task, error)
            return False, None
        if task is None:
            self._nodes[actor] = result
            self._failed_starts = self._killed_starts = 0
        return True, result

    def _lost(self, actor: Any, task: Hashable | None, error: Exception) -> None:
        """A worker went away."""
        where = self._nodes.pop(actor, None)
        self._dismiss(actor)
        self.record.died += 1
        logger.info("a worker on %s went away (%s)", where, task)
        # A worker that was killed while it started says nothing of those that follow; one that cannot be made does.
        self._failed_starts += task is None and getattr(error, "actor_init_failed", False)
        self._killed_starts += task is None
        most = self._failed_starts > MOST_FAILED_STARTS or self._killed_starts > MOST_ATTEMPTS
        if most and not self._nodes:
            raise VfsearchError(f"workers cannot start: {told(error)}") from error
        if task is None:
            return
        self._attempts[task] += 1
        if self._attempts[task] >= MOST_ATTEMPTS:
            raise VfsearchError(
                f"{task} was begun {MOST_ATTEMPTS} times by workers that died: {told(error)}"
            ) from error

    def _dismiss(self, actor: Any) -> None:
        self._nodes.pop(actor, None)
        self._ray.kill(actor, no_restart=True)


def told(error: Exception) -> str:
    """The last line of what Ray says, which is the one that says why."""
    return ([line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__])[-1]
