"""The process that decodes, and may die of it: started by `vfsearch.media.workers`, spoken to over its pipes."""

import contextlib
import math
import os
import resource
import signal
import sys
from pathlib import Path

import numpy as np

from vfsearch.errors import VfsearchError
from vfsearch.media.limits import Limits
from vfsearch.media.messages import receive, send
from vfsearch.media.preparation import Failure, Preparation, Prepared, Task, attempt
from vfsearch.registry import load_target

_GRACE_SECONDS = 10


def main() -> None:
    """Answer one task after another until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks, answers = _take_pipes()
    with contextlib.suppress(EOFError, BrokenPipeError):
        start, _ = receive(tasks)
        limits = Limits(**start["limits"])
        try:
            preparation = make_preparation(start["preparation"], start["settings"])
        except Exception as error:
            return send(answers, {"error": str(error) if isinstance(error, VfsearchError) else repr(error)})
        _limit_memory(limits.memory_bytes)
        send(answers, {"ready": True})
        while True:
            task, _ = receive(tasks)
            _answer(answers, preparation, task, limits)


def make_preparation(target: str, settings: dict) -> Preparation:
    """The preparation of "module:Class" with its fields."""
    return load_target(target, "preparation")(**settings)


def _take_pipes() -> tuple[int, int]:
    # what libraries print must not land among the answers, nor may they read the tasks
    tasks, answers = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return tasks, answers


def _limit_memory(limit_bytes: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # macOS refuses it
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        soft = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _answer(answers: int, preparation: Preparation, task: dict, limits: Limits) -> None:
    # the parent kills a slow worker; the alarm does so where the parent is gone
    signal.alarm(math.ceil(limits.decode_seconds) + _GRACE_SECONDS)
    result = attempt(preparation, Task(**{**task, "path": Path(task["path"])}), limits)
    signal.alarm(0)
    if isinstance(result, Failure):
        send(answers, {"error": result.reason})
        return
    send(answers, {"seconds": result.seconds, "more": len(result.others)})
    for each in (result, *result.others):
        _send_sample(answers, each)


def _send_sample(answers: int, prepared: Prepared) -> None:
    sample = np.ascontiguousarray(prepared.sample)
    header = {"note": prepared.note, "dtype": sample.dtype.str, "shape": prepared.sample.shape}
    send(answers, header, sample.reshape(-1).view(np.uint8).data if sample.size else b"")


if __name__ == "__main__":
    sys.exit(main())
