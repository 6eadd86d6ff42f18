"""The full-gallery retrieval protocol."""

from dataclasses import dataclass

import numpy as np
import torch

from vfsearch.data.outcome import Measurement
from vfsearch.data.ranks import MateRanks, uninformed
from vfsearch.kernels.exact import grid
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.measure.ranking import average_precision, hit_at, tied_with_others
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.result import Result, averaged, mean

FIGURES = {
    "mAP": average_precision,
    "R@1": lambda ranks: hit_at(ranks, 1),
    "R@10": lambda ranks: hit_at(ranks, 10),
}


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Every item is a probe; the gallery is every item of the other side.

    Args:
        seed: of the intervals.
    Source: Wen et al., CVPR 2021, supplement, section 3.
    """

    seed: int
    name = "retrieval"

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure; a probe without a mate in the gallery has no answer and is left out."""
        sides = comparison.sides
        gallery = grid(comparison.gallery.vectors, comparison.device)
        ranks, seconds = timed(lambda: _ranks(comparison, gallery, slice(None)))
        latency = single_latency(
            lambda number: _ranks(comparison, gallery, slice(number, number + 1)), len(comparison.probes)
        )
        asked = ranks.mates > 0
        chance = uninformed(ranks)
        identities = np.concatenate([sides.probes[asked], comparison.missing])
        values, raw = {}, {}
        for name, figure in FIGURES.items():
            raw[name] = figure(ranks)
            found = np.concatenate([raw[name][asked], np.zeros(len(comparison.missing))])
            by_chance = np.concatenate([figure(chance)[asked], np.zeros(len(comparison.missing))])
            values[name] = averaged(found, identities, mean(by_chance), self.seed)
        measurement = Measurement(
            protocol="retrieval",
            direction=comparison.direction,
            candidates=len(comparison.gallery),
            trials=len(identities),
            missing=len(comparison.missing),
            tied=float(tied_with_others(ranks)[asked].sum() / max(1, len(identities))),
            values=values,
            trials_per_second=len(ranks.mates) / seconds,
            probes_per_second=len(ranks.mates) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
        )
        blocks = {name: getattr(ranks, name) for name in ("probe", "above", "tied", "mates_above", "mates_tied")}
        return Result(measurement=measurement, raw={**raw, **blocks, "mates": ranks.mates})


def _ranks(comparison: Comparison, gallery: torch.Tensor, part: slice) -> MateRanks:
    sides = comparison.sides
    return mate_ranks(
        comparison.probes.vectors[part],
        gallery,
        sides.probes[part],
        sides.gallery,
        sides.itself[part],
        comparison.device,
    )
