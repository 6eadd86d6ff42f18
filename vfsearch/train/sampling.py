"""Batches of distinct identities, as a function of the step alone: a resumed training sees the same ones."""

from collections.abc import Sequence

import numpy as np

from vfsearch.data.space import MODALITIES
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
        self._rows = {
            modality: _rows_by_identity(side, self.identities)
            for modality, side in zip(MODALITIES, (voices, faces), strict=True)
        }
        self._batches = min(-(-len(self.identities) // batch_size), len(self.identities) // 2)
        self._seed = seed

    @property
    def smallest_batch(self) -> int:
        """Pairs in the smallest batch; the largest has at most one more."""
        return len(self.identities) // self._batches

    def batch(self, step: int, run: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows of the clips, rows of the photos and labels of one step, each (n,) int64.

        Args:
            step: from 0.
            run: from 0; runs of one training (learning the weights, training with them) draw different batches.
        """
        epoch, place = divmod(step, self._batches)
        order = self._random(_EPOCH, epoch, run).permutation(len(self.identities))
        labels = np.array_split(order, self._batches)[place]
        random = self._random(_BATCH, step, run)
        voices, faces = (
            np.array([rows[label][random.integers(len(rows[label]))] for label in labels])
            for rows in (self._rows[modality] for modality in MODALITIES)
        )
        return voices, faces, labels

    def cycle(self, modality: str, label: int, row: int = -1) -> np.ndarray:
        """Every row of one identity, in their order, beginning with `row` and going on at the start after the end.

        Args:
            modality: "voice" or "face".
            label: of the identity.
            row: one of its rows; -1: its first.
        """
        rows = self._rows[modality][label]
        return np.roll(rows, -int(np.searchsorted(rows, row)))

    def _random(self, kind: int, number: int, run: int) -> np.random.Generator:
        # the first run draws what a training of one run always drew
        return np.random.default_rng([self._seed, kind, number, *([run] if run else [])])


def _rows_by_identity(names: Sequence[str], identities: Sequence[str]) -> list[np.ndarray]:
    numbers = {identity: number for number, identity in enumerate(identities)}
    rows: list[list[int]] = [[] for _ in identities]
    for row, name in enumerate(names):
        if name in numbers:
            rows[numbers[name]].append(row)
    return [np.array(each, dtype=np.int64) for each in rows]
