"""What tests of changing and damaging indices are made of: small galleries, every kind of index that is installed."""

from pathlib import Path

import numpy as np
from builders import make_space

from vfsearch.artefact import Artefact
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import RowSource, rows_in_memory
from vfsearch.index.building import build_index
from vfsearch.index.presets import PRESETS, Preset, buildable

STORE, NEXT_STORE = "a1" * 32, "b2" * 32
KINDS = [preset.name for preset in buildable()]


def gallery(rows: int, dimension: int = 16, first: int = 0, seed: int = 0) -> Embeddings:
    """Rows `first` and on of an endless list: four a person, with long names and a path."""
    vectors = np.array([_row(number, dimension, seed) for number in range(first, first + rows)], np.float32)
    vectors = vectors.reshape(rows, dimension)
    numbers = range(first, first + rows)
    return Embeddings(
        ids=[f"photo-number-{number}" for number in numbers],
        identities=[f"person-number-{number // 4}" for number in numbers],
        vectors=vectors,
        modality="face",
        space=make_space(dimension=dimension),
        columns={"path": [f"photos/{number // 4}/{number}.png" for number in numbers]},
    )


def _row(number: int, dimension: int, seed: int) -> np.ndarray:
    row = np.random.default_rng([seed, number]).normal(size=dimension)
    # Some directions are common to many, as in the rows of a trained encoder.
    row[: dimension // 4] += 1.5 * np.random.default_rng([seed, number % 7, 1]).normal(size=dimension // 4)
    return (row / np.linalg.norm(row)).astype(np.float32)


def source(rows: Embeddings, store: str = STORE) -> RowSource:
    """Rows as an index takes them, in blocks of 100."""
    starts = range(0, len(rows), 100)
    return RowSource(
        modality=rows.modality, space=rows.space, origin=store,
        sizes=tuple(min(100, len(rows) - start) for start in starts),
        read=lambda number: rows.take(np.arange(len(rows))[number * 100 : number * 100 + 100]),
    )  # fmt: skip


def build(folder: Path, kind: str, rows: Embeddings, **parameters) -> Artefact:
    """An index of these rows."""
    preset: Preset = PRESETS[kind]
    return build_index(folder, rows_in_memory(rows, STORE), preset.settings(parameters))


def kept(rows: int, *gone: int) -> np.ndarray:
    """(rows,) which rows stay when these go."""
    keep = np.ones(rows, dtype=bool)
    keep[list(gone)] = False
    return keep


def every_byte(folder: Path) -> dict[str, bytes]:
    """Name -> bytes of every file in a folder and below."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
