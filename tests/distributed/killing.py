"""What kills workers and nodes of a test cluster at random moments."""

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path
from unittest import mock


class Killer(threading.Thread):
    """Kills processes of workers, and takes nodes away and gives others, until it is over.

    Args:
        nodes: the cluster.
        kind: name of the class of the workers.
        times: how often.
        pause: least and most seconds between two.
    """

    def __init__(self, nodes, kind: str, times: int, pause: tuple[float, float]) -> None:
        super().__init__(daemon=True)
        self.nodes, self.kind, self.times, self.pause = nodes, kind.encode(), times, pause
        self.killed = {"worker": 0, "node": 0}
        self.over, self.random = threading.Event(), random.Random(7)

    @property
    def done(self) -> int:
        """How many were killed."""
        return sum(self.killed.values())

    def run(self) -> None:
        """Kill."""
        while self.done < self.times and not self.over.wait(self.random.uniform(*self.pause)):
            if self.done % 5 == 4:
                self.nodes.remove_node(self.random.choice(list(self.nodes.worker_nodes)), allow_graceful=False)
                self.nodes.add_node(num_cpus=1, object_store_memory=80 * 2**20, include_dashboard=False)
                self.killed["node"] += 1
            elif pids := self._at_work():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.random.choice(pids), signal.SIGKILL)
                    self.killed["worker"] += 1

    def _at_work(self) -> list[int]:
        """Process ids; Ray names a worker's process after what it does."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cmdline").read_bytes().startswith(b"ray::" + self.kind):
                    found.append(int(entry.name))
        return found


@contextlib.contextmanager
def killing(nodes, kind: str, times: int, pause: tuple[float, float]):
    """Kill while the block runs; it is told who kills."""
    killer = Killer(nodes, kind, times, pause)
    # A node that is added in another thread than the main one cannot handle signals; nobody sends it any.
    with mock.patch("ray._private.utils.set_sigterm_handler"):
        killer.start()
        try:
            yield killer
        finally:
            killer.over.set()
            killer.join()


def until_killed(killer: Killer, work, most_seconds: float = 900.0) -> int:
    """Do some work again and again until all kills are done; how often it was."""
    times, begun = 0, time.monotonic()
    while killer.done < killer.times:
        assert killer.is_alive() and time.monotonic() - begun < most_seconds, f"{killer.killed} after {most_seconds} s"
        work(times)
        times += 1
    return times
