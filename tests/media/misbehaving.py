"""A preparation that does what the file's text says, so that a test can break it at will."""

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.errors import MediaError
from vfsearch.media.preparation import Preparation, Prepared


@dataclass(frozen=True)
class Obedient(Preparation):
    factor: int = 1

    def __call__(self, path, start_seconds, end_seconds, limits):
        order, _, argument = Path(path).read_text().partition(" ")
        note = ACTIONS[order](argument) if order in ACTIONS else ""
        if order == "none":
            return None
        if order == "list":
            return Prepared(sample=[1, 2])
        if order == "several":
            samples = [Prepared(sample=np.arange(n + 1.0), note=str(n)) for n in range(int(argument))]
            return Prepared(sample=samples[0].sample, others=tuple(samples[1:]), seconds=2.5)
        number = float(argument) if order == "number" else 0.0
        return Prepared(sample=np.full((2, 3), number * self.factor, np.float32), note=note or "")


def _refuse(argument):
    raise MediaError(argument)


def _print(argument):
    print("a library talks", flush=True)
    os.write(1, b"\x00\x01 bytes among the answers")
    sys.stdin.read()
    return "printed"


def _once(argument):
    """Kill the process the first time."""
    if not Path(argument).exists():
        Path(argument).touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _memory(argument):
    np.ones(2**33, np.uint8)


ACTIONS = {
    "refuse": _refuse,
    "print": _print,
    "memory": _memory,
    "raise": lambda argument: {}[argument],
    "kill": lambda argument: os.kill(os.getpid(), signal.SIGKILL),
    "segfault": lambda argument: ctypes.string_at(0),
    "once": _once,
    "exit": lambda argument: os._exit(3),
    "sleep": lambda argument: time.sleep(float(argument)),
    "pid": lambda argument: str(os.getpid()),
    "interrupt": lambda argument: os.kill(os.getpid(), signal.SIGINT),
    "path": lambda argument: "\n".join(sys.path),
}


@dataclass(frozen=True)
class Shapes(Preparation):
    """Samples of unusual shapes and types, named by the file's text."""

    def __call__(self, path, start_seconds, end_seconds, limits):
        return Prepared(sample=SHAPES[Path(path).read_text()])


SHAPES = {
    "empty": np.empty((0, 5), np.float64),
    "scalar": np.array(7, np.int16),
    "strided": np.arange(24, dtype=">i4").reshape(4, 6)[::2, ::3],
    "large": np.arange(3_000_000, dtype=np.float32),
    "bool": np.array([True, False]),
}
