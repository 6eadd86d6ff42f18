"""What the tests of faiss indices are made of: galleries with probes of another modality, and ways to build."""

from pathlib import Path

import numpy as np
from builders import make_space

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import RowSource, rows_in_memory
from vfsearch.index.backends import open_index
from vfsearch.index.base import Index
from vfsearch.index.building import build_index
from vfsearch.index.settings import BuildSettings

STORE = "a1" * 32


def faces_and_voices(n: int = 2000, d: int = 16, queries: int = 50, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(n, d) gallery rows, ten a person, and (q, d) probes of some of these people that lie apart from all of them."""
    random = np.random.default_rng(seed)
    people = random.normal(size=(max(1, n // 10), d)) * (1 + np.arange(d)) ** -0.4
    away = random.normal(size=d) * 0.3
    rows = people[np.arange(n) % len(people)] + 0.3 * random.normal(size=(n, d))
    probes = people[random.integers(0, len(people), queries)] + 0.6 * random.normal(size=(queries, d)) + away
    return unit(rows), unit(probes)


def unit(rows: np.ndarray) -> np.ndarray:
    """The rows at length 1, float32."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def source(vectors: np.ndarray) -> RowSource:
    """Rows to build an index of."""
    n, d = vectors.shape
    embeddings = Embeddings(
        ids=[f"face-{row}" for row in range(n)], identities=[f"p{row // 10}" for row in range(n)], vectors=vectors,
        modality="face", space=make_space(dimension=d),
    )  # fmt: skip
    return rows_in_memory(embeddings, STORE)


def built(folder: Path, vectors: np.ndarray, factory: str, seed: int = 1, **parameters: object) -> Index:
    """An index of rows, built and opened."""
    settings = BuildSettings(backend="faiss", parameters={"factory": factory, **parameters}, seed=seed)
    build_index(folder, source(vectors), settings)
    return open_index(folder)


def found_share(index: Index, probes: np.ndarray, k: int = 10) -> float:
    """R@k of a search, against a plain product."""
    k = min(k, len(index))
    scores = probes.astype(float) @ np.asarray(index.vectors, float).T
    least = -np.sort(-scores, axis=1)[:, k - 1]
    rows = index.search(probes, k).rows
    return float((np.take_along_axis(scores, rows, axis=1) >= least[:, None] - 1e-6).mean())
