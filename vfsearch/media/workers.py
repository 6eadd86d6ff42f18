"""Many files prepared at once, in processes that may die: each death costs one file."""

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from vfsearch.errors import SettingsError, VfsearchError
from vfsearch.media.limits import Limits
from vfsearch.media.messages import receive, send
from vfsearch.media.preparation import Failure, Preparation, Prepared, Task, attempt

logger = logging.getLogger(__name__)

AHEAD_PER_WORKER = 8
START_SECONDS = 120.0
STARTS = 3
"""How often a process is started that somebody kills before it is ready."""
# the search path comes first and whole: "-m" would put the current folder, and any json.py in it, before the library
_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from vfsearch.media.worker import main; main()"
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# glibc would give the memory of each sample back and fault it in again for the next: a quarter of a decoder's time
_KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**27),
    "MALLOC_TOP_PAD_": str(2**24),
}


class PreparationWorkers:
    """Worker processes that run one preparation; leaving the `with` block ends them.

    Args:
        preparation: what to do with each file; its class must be importable from a module.
        limits: what one file may cost.
        workers: how many processes; 0: in this process, without protection.

    Example:
        with PreparationWorkers(encoder.preparation, Limits(), workers=4) as workers:
            for result in workers.prepare([Task(path=Path("a.wav"))]):
                print(result)
    """

    def __init__(self, preparation: Preparation, limits: Limits, workers: int) -> None:
        if workers < 0:
            raise SettingsError(f"workers: got {workers}, wanted 0 or more")
        self._preparation, self._limits = preparation, limits
        self._workers = [_Worker(preparation, limits) for _ in range(workers)]
        self._idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(workers, "vfsearch-decode") if workers else None

    def __enter__(self) -> "PreparationWorkers":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def prepare(self, tasks: Iterable[Task]) -> Iterator[Prepared | Failure]:
        """The result of each task, in their order, a bounded number of them ahead of the consumer.

        Args:
            tasks: read lazily.
        Raises:
            VfsearchError: the worker processes cannot start, for example because the preparation cannot be imported.
        """
        if self._threads is None:
            yield from (attempt(self._preparation, task, self._limits) for task in tasks)
            return
        pending: deque[Future] = deque()
        try:
            for task in tasks:
                pending.append(self._threads.submit(self._prepare_one, task))
                if len(pending) >= AHEAD_PER_WORKER * len(self._workers):
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def _prepare_one(self, task: Task) -> Prepared | Failure:
        worker = self._idle.get()
        try:
            return worker.prepare(task)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Kill the processes, whatever they are doing, and wait for the threads."""
        if self._threads is None:
            return
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.stop()
        self._threads.shutdown(wait=True)
        for worker in self._workers:
            worker.close()


class _KilledError(VfsearchError):
    """A process was killed before it was ready."""


class _Worker:
    """One process at a time, started when there is work and again after each death."""

    def __init__(self, preparation: Preparation, limits: Limits) -> None:
        self._preparation, self._limits = preparation, limits
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self._closed = False

    def prepare(self, task: Task) -> Prepared | Failure:
        """Prepare one file; a delay, or a death twice, is its failure."""
        # Whoever kills processes at random (for want of memory, say) must not cost a good file.
        first, died = self._attempt(task)
        return self._attempt(task)[0] if died else first

    def _attempt(self, task: Task) -> tuple[Prepared | Failure, bool]:
        """What came of a file, and whether the process died of it."""
        process, died = self._running(), False
        question = {**asdict(task), "path": os.fspath(task.path)}
        try:
            return _answered(process, question, self._limits.decode_seconds), False
        except TimeoutError:
            reason = f"took more than {self._limits.decode_seconds:g} s"
        except (EOFError, BrokenPipeError):
            reason, died = f"the decoder process died ({_end(process)})", True
        except (ValueError, KeyError, TypeError) as error:
            reason = f"the decoder process gave no valid answer ({error})"
        _kill(process)
        return Failure(stage="decode", reason=reason), died

    def stop(self) -> None:
        """Kill the process, so that the thread that waits for it returns; no other starts."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """Close the pipes, once no thread uses them."""
        if self._process is not None:
            _kill(self._process)

    def _running(self) -> subprocess.Popen:
        with self._lock:
            if self._closed:
                raise VfsearchError("the decoder processes were closed")
            if self._process is not None and self._process.poll() is None:
                return self._process
        return self._begun()

    def _begun(self) -> subprocess.Popen:
        """A new process that has loaded what it needs; one that somebody kills meanwhile is followed by another."""
        for _ in range(STARTS - 1):
            with contextlib.suppress(_KilledError):
                return self._introduced()
        return self._introduced()

    def _introduced(self) -> subprocess.Popen:
        with self._lock:
            if self._closed:
                raise VfsearchError("the decoder processes were closed")
            process = self._process = _start()
        start = {
            "preparation": self._preparation.target,
            "settings": self._preparation.settings(),
            "limits": asdict(self._limits),
        }
        try:
            answer, _ = _ask(process, start, START_SECONDS)
            problem = answer.get("error", "")
        except (EOFError, BrokenPipeError, TimeoutError, ValueError) as error:
            problem = f"{error or type(error).__name__}, {_end(process)}"
        killed = process.poll() == -signal.SIGKILL
        if problem:
            _kill(process)
            error = _KilledError if killed else VfsearchError
            raise error(f"the decoder process for {self._preparation.target} cannot start: {problem}")
        return process


def _start() -> subprocess.Popen:
    search_path = [folder or str(Path.cwd()) for folder in sys.path]
    # what decoders write to stderr would tear the progress display; -v shows it
    shown = None if logger.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *search_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=shown,
        bufsize=0,
        env={**_KEPT_MEMORY, **os.environ, **_ONE_THREAD},
    )


def _ask(process: subprocess.Popen, question: dict, within_seconds: float) -> tuple[dict, bytearray]:
    send(process.stdin.fileno(), question)
    return receive(process.stdout.fileno(), within_seconds)


def _answered(process: subprocess.Popen, question: dict, within_seconds: float) -> Prepared | Failure:
    """What a process makes of a file: a header, then one message for each sample of it."""
    deadline = time.monotonic() + within_seconds
    header, _ = _ask(process, question, within_seconds)
    if "error" in header:
        return Failure(stage="decode", reason=header["error"])
    samples = [
        _sample(*receive(process.stdout.fileno(), max(0.0, deadline - time.monotonic())))
        for _ in range(1 + header["more"])
    ]
    return replace(samples[0], others=tuple(samples[1:]), seconds=header["seconds"])


def _sample(header: dict, payload: bytearray) -> Prepared:
    sample = np.ndarray(header["shape"], np.dtype(header["dtype"]), payload)
    return Prepared(sample=sample, note=header["note"])


def _end(process: subprocess.Popen) -> str:
    """How a process ended that has closed its pipe."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        code = process.wait(timeout=5)
        return f"signal {-code}" if code < 0 else f"exit code {code}"
    return "it closed its pipe"


def _kill(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
