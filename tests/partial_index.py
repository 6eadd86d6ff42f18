"""A back end of known recall: it looks at so many rows of a hundred, and scores them as roughly as it was built to."""

import numpy as np

from vfsearch.index.approximate import ApproximateIndex, refine_knob
from vfsearch.index.settings import Knob, Parameter
from vfsearch.kernels.topk import topk

BACKEND = "partial_index:PartialIndex"


class PartialIndex(ApproximateIndex):
    """Looks at the rows whose number, shuffled, is below `looked` of a hundred; `rough` rounds what it compares."""

    backend = BACKEND
    parameters = (Parameter(name="rough", default=0, help="steps of a rounded number; 0: not rounded"),)

    @property
    def knobs(self):
        looked = Knob(name="looked", default=50, low=1, high=100, ladder=(1, 5, 20, 50, 80, 100), help="of a hundred")
        return (looked, refine_knob(2)) if self._rough else (looked,)

    @property
    def exhaustive(self):
        return {"looked": 100, "refine": 0} if self._rough else {"looked": 100}

    @property
    def _rough(self):
        return self.made_with.parameters["rough"]

    @classmethod
    def write(cls, rows, settings, writer, device, progress):
        pass

    def _nearest(self, queries, k):
        rows = np.flatnonzero(np.arange(len(self)) * 7919 % 100 < self.settings["looked"])
        vectors = self.vectors[rows]
        if self._rough:
            vectors = np.round(vectors * self._rough) / self._rough
            vectors = (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)).astype(np.float32)
        found = topk(queries, vectors, k)
        return np.append(rows, -1)[found.rows], found.scores
