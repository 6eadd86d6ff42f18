"""Indices to be tested that keep a graph of their own."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from builders import make_space

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import RowSource, rows_in_memory
from vfsearch.index.backends import BACKENDS, open_index, opened
from vfsearch.index.base import Index
from vfsearch.index.building import about_index, build_index, write_rows
from vfsearch.index.layout import VECTORS, read_index_artefact
from vfsearch.index.settings import BuildSettings
from vfsearch.index.vector_file import VectorFile
from vfsearch.index.writer import writing_index
from vfsearch.progress import Progress, silent

STORE = "a1" * 32


def source_of(vectors: np.ndarray) -> RowSource:
    """Rows with the ids i0, i1, ..."""
    names = [f"i{row}" for row in range(len(vectors))]
    space = make_space(dimension=vectors.shape[1])
    rows = Embeddings(ids=names, identities=names, vectors=vectors, modality="face", space=space, columns={})
    return rows_in_memory(rows, STORE)


def build(
    folder: Path, backend: str, vectors: np.ndarray, progress: Progress = silent, seed: int = 1, **parameters
) -> Artefact:
    """Build an index of these rows."""
    settings = BuildSettings(backend=backend, parameters=parameters, seed=seed)
    return build_index(folder, source_of(vectors), settings, progress=progress)


def built(folder: Path, backend: str, vectors: np.ndarray, **parameters) -> Index:
    """An index of these rows, opened."""
    build(folder, backend, vectors, **parameters)
    return open_index(folder)


def rewrite(old: Path, new: Path, keep: np.ndarray, added: np.ndarray, progress: Progress = silent) -> str:
    """Write an index anew with some of its rows and others after them; how it was done."""
    was = opened(read_index_artefact(old))
    source = source_of(np.concatenate([was.vectors[keep], added]))
    about = about_index(was.made_with, source, len(source))
    kind = BACKENDS.load(was.made_with.backend)
    with writing_index(new, about) as writer:
        if not writer.has(VECTORS):
            write_rows([source], writer, silent)
        rows = VectorFile(writer.path(VECTORS))
        how = kind.rewrite(was, keep, len(added), rows, was.made_with, writer, "cpu", progress)
        writer.finish(about)
    return how


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Every file can have so many bytes only, as if the disk were full then."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def role_file(folder: Path, role: str) -> Path:
    """The file of an index that has a role."""
    return next(folder.glob(f"????????-{role}"))
