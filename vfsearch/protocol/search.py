"""What an index gives for every probe, and how fast."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.neighbors import Neighbors
from vfsearch.data.outcome import Measurement
from vfsearch.index.base import Index
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.result import Result


@dataclass(frozen=True, kw_only=True)
class Search:
    """The k best of an index for every probe: its speed, in batches and one at a time.

    Args:
        index: of the gallery's modality.
        rows: (g,) ascending rows of the index that are the gallery.
        k: how many neighbours.
    """

    index: Index
    rows: np.ndarray
    k: int
    name = "search"

    def run(self, comparison: Comparison) -> Result:
        """Search and time; accuracy is the protocols' business."""
        exclude = np.where(comparison.sides.itself < 0, -1, self.rows[comparison.sides.itself])
        rows = None if len(self.rows) == len(self.index) else self.rows

        def ask(part: slice) -> Neighbors:
            return self.index.search(
                comparison.probes.vectors[part], self.k, rows, exclude[part], comparison.max_memory
            )

        latency = single_latency(lambda number: ask(slice(number, number + 1)), len(comparison.probes))
        found, seconds = timed(lambda: ask(slice(None)))
        measurement = Measurement(
            protocol="search",
            direction=comparison.direction,
            candidates=self.k,
            trials=len(comparison.probes),
            missing=len(comparison.missing),
            tied=0.0,
            values={},
            trials_per_second=len(comparison.probes) / seconds,
            probes_per_second=len(comparison.probes) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
        )
        return Result(measurement=measurement, raw={"rows": found.rows, "scores": found.scores})
