"""Rows by name, whoever made them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.embeddings import require_unit_rows
from vfsearch.errors import MismatchError, VectorError


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedVectors:
    """Unit rows, each under its name.

    Args:
        names: n names, each once.
        vectors: (n, d) float32, finite, unit rows; all of one space, which nobody but their maker can know.
        where: what to call them in messages: the file.
    Raises:
        VectorError: the parts do not fit together, a name comes twice, or a row is not of unit length.
    """

    names: Sequence[str]
    vectors: np.ndarray
    where: str

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.names):
            raise VectorError(f"{self.where}: {len(self.names)} names, but vectors {self.vectors.shape}: want (n, d)")
        if len(set(self.names)) < len(self.names):
            raise VectorError(f"{self.where}: {_twice(self.names)!r} is named twice; each name must have one vector")
        require_unit_rows(self.vectors, self.names)

    def __len__(self) -> int:
        return len(self.names)


def _twice(names: Sequence[str]) -> str:
    """The first name that came before."""
    seen: set[str] = set()
    return next(name for name in names if name in seen or seen.add(name))


def joined(parts: Sequence[NamedVectors]) -> NamedVectors:
    """The rows of several files in one value; at least one.

    Raises:
        MismatchError: they differ in dimension, so they cannot be of one space.
        VectorError: a name is in two of them.
    """
    if len(parts) == 1:
        return parts[0]
    dimensions = {part.where: part.vectors.shape[1] for part in parts}
    if len(set(dimensions.values())) > 1:
        listed = ", ".join(f"{where}: {dimension}" for where, dimension in dimensions.items())
        raise MismatchError(f"the vectors have different dimensions ({listed}): their scores would mean nothing")
    return NamedVectors(
        names=[name for part in parts for name in part.names],
        vectors=np.concatenate([part.vectors for part in parts]),
        where=" and ".join(dimensions),
    )
