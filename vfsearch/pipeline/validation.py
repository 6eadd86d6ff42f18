"""1:2 matching in both directions on held-out people, while a training runs."""

from collections.abc import Callable, Sequence

import numpy as np

from vfsearch.data.embeddings import numbered
from vfsearch.encoders.base import unit_rows
from vfsearch.errors import ManifestError
from vfsearch.kernels.pairs import pair_scores
from vfsearch.measure.matching import matching_accuracy
from vfsearch.trials.make import Sides, matching_trials

Rows = Callable[[object, str], tuple[np.ndarray, Sequence[str]]]
"""(networks, modality) -> (n, d) joint embeddings and their n identities."""


class Validation:
    """Asks the same 1:2 queries each time.

    Args:
        rows: embeds the validation split.
        seed: of the queries.
        split: for messages.
    """

    def __init__(self, rows: Rows, seed: int, split: str) -> None:
        self._rows, self._seed, self._split = rows, seed, split

    def __call__(self, networks) -> tuple[float, float]:
        """Accuracy of voice to face and of face to voice; ties count half.

        Raises:
            ManifestError: the split has no two identities with both modalities.
        """
        voices, faces = (self._rows(networks, modality) for modality in ("voice", "face"))
        return self._accuracy(voices, faces), self._accuracy(faces, voices)

    def _accuracy(self, probes: tuple, gallery: tuple) -> float:
        of_probes, of_gallery = numbered(probes[1], gallery[1])
        if len(np.intersect1d(of_probes, of_gallery)) < 2:
            raise ManifestError(
                f"the validation split {self._split!r} has fewer than 2 identities with both a voice and a face: "
                "name another with --validation, or none"
            )
        sides = Sides(probes=of_probes, gallery=of_gallery, itself=np.full(len(of_probes), -1))
        trials = matching_trials(sides, 2, self._seed)
        vectors = [unit_rows(side[0]) for side in (probes, gallery)]
        scores = pair_scores(*vectors, np.repeat(trials.probes, 2), trials.candidates.ravel())
        return float(matching_accuracy(scores.reshape(-1, 2)).mean())
