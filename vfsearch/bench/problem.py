"""Random rows for one task: the hardest kind, since nothing in them is near anything."""

from dataclasses import dataclass

import numpy as np
import torch

from vfsearch.bench.settings import KernelBench, Task

ROWS_AT_ONCE = 2**16


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """What every way to do one task is given.

    Args:
        task: its sizes.
        settings: of the whole benchmark.
        queries: (q, d) float32; unit rows, of any length for "l2".
        held: (n, d) gallery rows as they are held: float32, float16 or bfloat16.
        vectors: (n, d) the same numbers as float32.
        query_identities, identities: (q,) and (n,) int64.
        query_rows, rows: (t,) int64 pairs.
    """

    task: Task
    settings: KernelBench
    queries: np.ndarray
    held: np.ndarray | torch.Tensor
    vectors: np.ndarray
    query_identities: np.ndarray
    identities: np.ndarray
    query_rows: np.ndarray
    rows: np.ndarray

    @property
    def metric(self) -> str:
        """That of the task."""
        return self.settings.metric if self.task.kernel in ("topk", "single") else "ip"

    @property
    def device(self) -> str:
        """Where the task is done."""
        return self.settings.device


def make_problem(task: Task, settings: KernelBench) -> Problem:
    """The rows of a task, the same for the same settings."""
    random = np.random.default_rng(settings.seed)
    unit = settings.metric == "ip" or task.kernel not in ("topk", "single")
    queries = _random_rows(random, task.probes, settings.dimension, unit)
    held, vectors = _as_held(_random_rows(random, task.rows, settings.dimension, unit), settings.dtype)
    people = max(2, task.rows // settings.mates)
    pairs = settings.pairs if task.kernel == "pairs" else 0
    return Problem(
        task=task,
        settings=settings,
        queries=queries,
        held=held,
        vectors=vectors,
        query_identities=random.integers(0, people, task.probes),
        identities=random.integers(0, people, task.rows),
        query_rows=random.integers(0, task.probes, pairs),
        rows=random.integers(0, task.rows, pairs),
    )


def _random_rows(random: np.random.Generator, count: int, dimension: int, unit: bool) -> np.ndarray:
    rows = np.empty((count, dimension), dtype=np.float32)
    for start in range(0, count, ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        random.standard_normal(out=part, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True) if unit else np.float32(dimension**0.5)
    return rows


def _as_held(rows: np.ndarray, dtype: str) -> tuple[np.ndarray | torch.Tensor, np.ndarray]:
    """The rows in their type, and what they are then as float32."""
    if dtype == "float32":
        return rows, rows
    if dtype == "float16":
        held = rows.astype(np.float16)
        return held, held.astype(np.float32)
    held = torch.from_numpy(rows).bfloat16()
    return held, held.float().numpy()
