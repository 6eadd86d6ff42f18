"""Batches of distinct identities, as a function of the step alone: a resumed training sees the same ones."""

from collections.abc import Sequence

import numpy as np

from vfsearch.errors import ManifestError

_EPOCH, _BATCH = 1, 2


class PairSampler:
    """One random clip and one random photo of each identity of a batch; an epoch visits each identity once.

    Args:
        voices: identity of each clip.
        faces: identity of each photo.
        batch_size: identities in a batch, at most; three where one would stand alone (the batch norm wants two).
        seed: of the draw.
    Raises:
        ManifestError: fewer than two identities have both a clip and a photo.
    """

    def __init__(self, voices: Sequence[str], faces: Sequence[str], batch_size: int, seed: int) -> None:
        self.identities = sorted(set(voices) & set(faces))
        if len(self.identities) < 2:
            raise ManifestError(
                f"training needs at least 2 identities that have both a voice and a face, got "
                f"{len(self.identities)} ({len(set(voices))} have a voice, {len(set(faces))} a face)"
            )
        self._rows = [_rows_by_identity(side, self.identities) for side in (voices, faces)]
        self._batches = min(-(-len(self.identities) // batch_size), len(self.identities) // 2)
        self._seed = seed

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the clips, rows of the photos and labels of one step, each (n,) int64."""
        epoch, place = divmod(step, self._batches)
        order = np.random.default_rng([self._seed, _EPOCH, epoch]).permutation(len(self.identities))
        labels = np.array_split(order, self._batches)[place]
        random = np.random.default_rng([self._seed, _BATCH, step])
        voices, faces = (
            np.array([rows[label][random.integers(len(rows[label]))] for label in labels]) for rows in self._rows
        )
        return voices, faces, labels


def _rows_by_identity(names: Sequence[str], identities: Sequence[str]) -> list[np.ndarray]:
    numbers = {identity: number for number, identity in enumerate(identities)}
    rows: list[list[int]] = [[] for _ in identities]
    for row, name in enumerate(names):
        if name in numbers:
            rows[numbers[name]].append(row)
    return [np.array(each, dtype=np.int64) for each in rows]
