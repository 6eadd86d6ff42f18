"""How others find the best rows: each kept as its users would keep it, asked with any number of probes."""

import importlib.util
from collections.abc import Callable

import numpy as np
import torch

from vfsearch.bench.problem import Problem
from vfsearch.devices import threads

SCORES_AT_ONCE = 2**24
"""A whole matrix of scores would not fit; blocks of 64 MiB are as fast."""
WORKING_MIB = 256

Search = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(q, d) queries -> (q, k) rows and scores, scores as ours are."""


def peers(problem: Problem) -> dict[str, Callable[[], Search]]:
    """Name -> what makes the search ready, of those that are installed."""
    l2 = problem.metric == "l2"
    found = {"torch matmul + topk": lambda: _torch(problem)}
    if problem.device == "cpu":
        found["numpy product + argpartition"] = lambda: _numpy(problem)
        if importlib.util.find_spec("sklearn"):
            metric = "euclidean" if l2 else "cosine"
            found[f"scikit-learn brute, {metric}"] = lambda: _sklearn(problem, metric)
    if _has_faiss(problem.device):
        found[f"faiss IndexFlat{'L2' if l2 else 'IP'}"] = lambda: _faiss(problem)
    return found


def versions() -> dict[str, str]:
    """Of all that is measured, where it is installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("vfsearch", "numpy", "torch", "numba", "llvmlite", "triton", "faiss-cpu", "faiss-gpu-cu12",
                 "scikit-learn"):  # fmt: skip
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _has_faiss(device: str) -> bool:
    if not importlib.util.find_spec("faiss"):
        return False
    import faiss

    return device == "cpu" or hasattr(faiss, "StandardGpuResources")


def _faiss(problem: Problem) -> Search:
    import faiss

    l2 = problem.metric == "l2"
    faiss.omp_set_num_threads(threads())
    index = (faiss.IndexFlatL2 if l2 else faiss.IndexFlatIP)(problem.vectors.shape[1])
    if problem.device != "cpu":
        number = int(problem.device.partition(":")[2] or 0)
        index = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), number, index)
    index.add(problem.vectors)

    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores, rows = index.search(queries, problem.task.k)
        return rows, -scores if l2 else scores

    return search


def _numpy(problem: Problem) -> Search:
    vectors, k = problem.vectors, min(problem.task.k, problem.task.rows)
    squares = np.einsum("nd,nd->n", vectors, vectors) if problem.metric == "l2" else None

    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        scores = queries @ vectors.T
        if squares is not None:
            scores *= 2
            scores -= squares
            scores -= np.einsum("qd,qd->q", queries, queries)[:, None]
        rows = np.argpartition(scores, len(vectors) - k, axis=1)[:, len(vectors) - k :]
        best = np.take_along_axis(scores, rows, axis=1)
        order = np.argsort(-best, axis=1, kind="stable")
        return np.take_along_axis(rows, order, axis=1), np.take_along_axis(best, order, axis=1)

    return _in_blocks(search, len(vectors))


def _torch(problem: Problem) -> Search:
    vectors = torch.from_numpy(problem.vectors).to(problem.device)
    k = min(problem.task.k, problem.task.rows)
    squares = vectors.square().sum(dim=1) if problem.metric == "l2" else None

    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        left = torch.from_numpy(queries).to(problem.device)
        scores = left @ vectors.T
        if squares is not None:
            scores.mul_(2).sub_(squares).sub_(left.square().sum(dim=1, keepdim=True))
        best, rows = torch.topk(scores, k, dim=1)
        return rows.cpu().numpy(), best.cpu().numpy()

    return _in_blocks(search, len(vectors))


def _sklearn(problem: Problem, metric: str) -> Search:
    from sklearn import config_context
    from sklearn.neighbors import NearestNeighbors

    k = min(problem.task.k, problem.task.rows)
    index = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric).fit(problem.vectors)

    def search(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with config_context(working_memory=WORKING_MIB, assume_finite=True):
            distances, rows = index.kneighbors(queries)
        return rows, 1 - distances if metric == "cosine" else -(distances**2)

    return search


def _in_blocks(search: Search, rows: int) -> Search:
    step = max(1, SCORES_AT_ONCE // rows)

    def in_blocks(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = [search(queries[first : first + step]) for first in range(0, len(queries), step)]
        return tuple(np.concatenate(each) for each in zip(*found, strict=True))

    return in_blocks


def products(problem: Problem) -> dict[str, Callable[[], Callable[[], None]]]:
    """Name -> what makes the float32 product of all probes with all rows ready, with nothing done to the scores."""
    found = {"torch float32 product alone": lambda: _torch_product(problem)}
    if problem.device == "cpu":
        found["numpy float32 product alone"] = lambda: _numpy_product(problem)
    return found


def _numpy_product(problem: Problem) -> Callable[[], None]:
    queries, vectors = problem.queries, problem.vectors
    step = max(1, SCORES_AT_ONCE // len(vectors))
    out = np.empty((min(step, len(queries)), len(vectors)), dtype=np.float32)

    def work() -> None:
        for first in range(0, len(queries), step):
            part = queries[first : first + step]
            np.matmul(part, vectors.T, out=out[: len(part)])

    return work


def _torch_product(problem: Problem) -> Callable[[], None]:
    queries, vectors = (torch.from_numpy(rows).to(problem.device) for rows in (problem.queries, problem.vectors))
    step = max(1, SCORES_AT_ONCE // len(vectors))
    out = torch.empty((min(step, len(queries)), len(vectors)), device=problem.device)

    def work() -> None:
        for part in queries.split(step):
            torch.matmul(part, vectors.T, out=out[: len(part)])

    return work
