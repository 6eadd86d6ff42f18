"""What an index gives for every probe, how fast, and what it loses against an exact search."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.neighbors import NO_ROW, Neighbors
from vfsearch.data.outcome import Measurement
from vfsearch.index.base import Index
from vfsearch.protocol.clock import SINGLES, single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.result import Result
from vfsearch.protocol.search_loss import Lists, loss_against

MANY_SINGLES = 1000
"""Probes asked one at a time where each is quick: enough for a 99th percentile."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """The k best of an index for every probe: its speed, in batches and one at a time.

    Where the index is not exact, also what it finds of what an exact search of the same rows finds, and what the
    figures of its lists lose by that (`vfsearch.protocol.search_loss`).

    Args:
        index: of the gallery's modality.
        rows: (g,) the row of the index that each gallery item has, each row once; -1 for an item that the index lacks.
        k: how many neighbours.
        seed: of the intervals.
        true: searches the same rows exactly; wanted where the index is not exact.
    """

    index: Index
    rows: np.ndarray
    k: int
    seed: int = 1
    true: Index | None = None
    name = "search"

    def run(self, comparison: Comparison) -> Result:
        """Search, time, and compare with the exact search."""
        asked = _Asked(self, comparison)
        latency = single_latency(
            lambda number: asked(self.index, slice(number, number + 1)),
            len(asked),
            SINGLES if self.index.exact else MANY_SINGLES,
        )
        found, seconds = timed(lambda: asked(self.index))
        figures, raw = self._loss(asked, found)
        measurement = Measurement(
            protocol="search",
            direction=comparison.direction,
            candidates=self.k,
            trials=len(asked),
            missing=len(comparison.missing),
            tied=0.0,
            trials_per_second=len(asked) / seconds,
            probes_per_second=len(asked) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
            latency_p99_seconds=latency[2],
            **figures,
        )
        own = {"rows": found.rows, "scores": found.scores, "gallery-rows": self.rows}
        return Result(measurement=measurement, raw={**own, **raw})

    def _loss(self, asked: "_Asked", found: Neighbors) -> tuple[dict, dict[str, np.ndarray]]:
        """Figures beside those of the exact search, and what they were computed from."""
        if self.index.exact or self.true is None:
            return {"values": {}}, {}
        truth = asked(self.true)
        lists = Lists(comparison=asked.comparison, rows=self.rows, vectors=self.index.vectors, k=self.k)
        loss = loss_against(lists, found, truth, self.seed)
        raw = {"exact-rows": truth.rows, "exact-scores": truth.scores, "recall": loss.recall}
        return {"values": loss.values, "lost": loss.lost}, raw


class _Asked:
    """All probes, as an index is asked for their neighbours; what is the same for all of them is made before.

    Args:
        search: what is asked for.
        comparison: the probes.
    """

    def __init__(self, search: Search, comparison: Comparison) -> None:
        self.comparison, self._k = comparison, search.k
        held = search.rows[search.rows != NO_ROW]
        self._rows = None if len(held) == len(search.index) else np.sort(held)
        # Item -1, no item, is the entry put after the last one.
        itself = np.append(search.rows, NO_ROW)[comparison.sides.itself]
        self._exclude = itself if (itself != NO_ROW).any() else None

    def __len__(self) -> int:
        return len(self.comparison.probes)

    def __call__(self, index: Index, part: slice = slice(None)) -> Neighbors:
        """The neighbours of some probes."""
        exclude = None if self._exclude is None else self._exclude[part]
        vectors = self.comparison.probes.vectors[part]
        return index.search(vectors, self._k, self._rows, exclude, self.comparison.max_memory)
