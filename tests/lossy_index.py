"""A back end that loses neighbours in a known way: it never sees rows whose number says so."""

import numpy as np

from vfsearch.index.approximate import ApproximateIndex
from vfsearch.index.settings import Knob
from vfsearch.kernels.topk import topk

BACKEND = "lossy_index:LossyIndex"


class LossyIndex(ApproximateIndex):
    """Looks at the rows whose number leaves a remainder below `seen` when divided by 10."""

    backend = BACKEND

    @property
    def knobs(self):
        return (Knob(name="seen", default=7, low=1, high=10, ladder=(1, 5, 10), help="tenths of the rows looked at"),)

    @classmethod
    def write(cls, rows, settings, writer, device, progress):
        pass

    def _nearest(self, queries, k):
        return self._nearest_among(queries, k, np.arange(len(self)))

    def _nearest_among(self, queries, k, rows):
        rows = rows[rows % 10 < self.settings["seen"]]
        found = topk(queries, self.vectors[rows], k)
        return np.append(rows, -1)[found.rows], found.scores
