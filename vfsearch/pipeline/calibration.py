"""What this machine does, measured in less than a second: what estimates of times are taken in proportion to."""

import time
from collections.abc import Callable

import numpy as np
import torch

from vfsearch.devices import threads
from vfsearch.index.rates import Floors
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk

ROWS, DIMENSION, PROBES, PAIRS = 65_536, 128, 1024, 100_000
SIDE = 1024
TURNS, SINGLES = 3, 8


def floors_here() -> Floors:
    """Floors of this machine, with the threads that are in force; the best of a few turns of each."""
    random = np.random.default_rng(0)
    rows, probes = (_unit_rows(random, count) for count in (ROWS, PROBES))
    gallery = search_gallery(rows)
    places = random.integers(0, PROBES, PAIRS), random.integers(0, ROWS, PAIRS)
    square = torch.ones((SIDE, SIDE))
    compared = float(ROWS * DIMENSION)
    return Floors(
        batch=PROBES * compared / _least(lambda: topk(probes, gallery, 10), TURNS),
        single=compared / _least(lambda: topk(probes[:1], gallery, 10), SINGLES),
        pairs=PAIRS * DIMENSION / _least(lambda: pair_scores(probes, rows, *places), TURNS),
        product=SIDE**3 / _least(lambda: square @ square, TURNS),
        threads=threads(),
    )


def _unit_rows(random: np.random.Generator, count: int) -> np.ndarray:
    rows = random.standard_normal((count, DIMENSION), np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _least(work: Callable[[], object], turns: int) -> float:
    """Seconds of the quickest of several turns, after one that compiles and warms."""
    work()
    return min(_seconds(work) for _ in range(turns))


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
