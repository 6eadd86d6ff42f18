"""Rows with what is known of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vfsearch.data.parted_vectors import PartedVectors
from vfsearch.data.space import MODALITIES, Space
from vfsearch.data.text_places import first_equal, rows_with
from vfsearch.data.texts import Texts
from vfsearch.errors import VectorError

NORM_TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Embeddings:
    """Unit rows of one modality in one space, with ids and identities.

    Args:
        ids: n ids, each once.
        identities: n identities.
        vectors: (n, d) float32, finite, unit rows; `PartedVectors` are those of files that were looked at when they
            were written, and stay there.
        modality: "voice" or "face".
        space: where the rows come from.
        columns: name -> n texts (path, split, gender, ...).
    Raises:
        VectorError: the parts do not fit together, or a row is not finite or not of unit length.
    """

    ids: Sequence[str]
    identities: Sequence[str]
    vectors: np.ndarray | PartedVectors
    modality: str
    space: Space
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise VectorError(f"the modality is {self.modality!r}, it must be voice or face")
        if self.vectors.shape != (len(self.ids), self.space.dimension):
            raise VectorError(
                f"{self.modality} vectors have the shape {self.vectors.shape}, "
                f"{len(self.ids)} ids in {self.space} want {(len(self.ids), self.space.dimension)}"
            )
        lengths = {"identities": len(self.identities), **{name: len(values) for name, values in self.columns.items()}}
        wrong = {name: length for name, length in lengths.items() if length != len(self.ids)}
        if wrong:
            raise VectorError(f"{len(self.ids)} ids, but {wrong}: each must have one entry a row")
        if not isinstance(self.vectors, PartedVectors):
            require_unit_rows(self.vectors, self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: np.ndarray) -> "Embeddings":
        """The chosen rows, in the order given.

        Args:
            rows: (m,) row numbers.
        """
        rows = np.asarray(rows, dtype=np.int64)
        if np.array_equal(rows, np.arange(len(self))):
            return self
        return Embeddings(
            ids=_taken(self.ids, rows),
            identities=_taken(self.identities, rows),
            vectors=self.vectors.chosen(rows) if isinstance(self.vectors, PartedVectors) else self.vectors[rows],
            modality=self.modality,
            space=self.space,
            columns={name: _taken(values, rows) for name, values in self.columns.items()},
        )

    def rows_of_split(self, split: str | None) -> np.ndarray:
        """(m,) row numbers whose column `split` has this value; None: all rows."""
        if split is None:
            return np.arange(len(self))
        return rows_with(self.columns.get("split", [""] * len(self)), split)


def _taken(texts: Sequence[str], rows: np.ndarray) -> Sequence[str]:
    """The chosen texts; those of files stay bytes, a fifth of what texts of their own would take."""
    return texts.take(rows) if isinstance(texts, Texts) else [texts[row] for row in rows]


def require_unit_rows(vectors: np.ndarray, ids: Sequence[str], tolerance: float = NORM_TOLERANCE) -> None:
    """Refuse rows that are not finite or not of length one.

    Args:
        vectors: (n, d) rows.
        ids: n ids, for the message.
        tolerance: how far a length may be from one.
    Raises:
        VectorError: naming the first such row.
    """
    bad = bad_rows(vectors, tolerance)
    if bad:
        row, found = next(iter(bad.items()))
        raise VectorError(
            f"{len(bad)} of {len(vectors)} rows are not unit rows: {ids[row]!r} is {found}; "
            "every row must be finite and of length 1"
        )


def bad_rows(vectors: np.ndarray, tolerance: float = NORM_TOLERANCE) -> dict[int, str]:
    """The rows that are not finite or not of length one, and what they are instead.

    Example:
        >>> bad_rows(np.array([[1.0, 0.0], [0.0, 0.0], [np.nan, 1.0]]))
        {1: 'of length 0', 2: 'not finite'}
    """
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    return {
        int(row): f"of length {norms[row]:.6g}" if np.isfinite(norms[row]) else "not finite"
        for row in np.flatnonzero(~(np.abs(norms - 1.0) <= tolerance))
    }


def numbered(identities: Sequence[str], *more: Sequence[str]) -> tuple[np.ndarray, ...]:
    """Give identities numbers that are the same in every list.

    Args:
        identities, more: lists of names.
    Returns:
        One int64 array a list; equal names have equal numbers, in the order of first appearance.
    """
    lists = [Texts.of(names) for names in (identities, *more)]
    first = first_equal(Texts.joined(lists))
    numbers = (np.cumsum(first == np.arange(len(first))) - 1)[first]
    return tuple(np.split(numbers, np.cumsum([len(names) for names in lists])[:-1]))
