"""The full-gallery retrieval protocol."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd, ScoredRanking
from vfsearch.measure import kind
from vfsearch.measure.catalog import chosen
from vfsearch.measure.ranking import tied_with_others
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.names import identity_names
from vfsearch.protocol.ranking import Ranking
from vfsearch.protocol.result import Result


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """Every item is a probe; the gallery is every item of the other side.

    Args:
        seed: of the intervals.
        measures: names; those of other protocols are passed over; none of its own: mAP, R@1 and R@10.
    Source: Wen et al., CVPR 2021, supplement, section 3.
    """

    seed: int
    measures: tuple[str, ...] = ()
    name = "retrieval"

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure; a probe without a mate in the gallery has no answer and is left out.

        Raises:
            UnknownNameError: a measure's name is that of none.
        """
        measures = chosen(self.measures, kind.RANKING)
        gallery = comparison.ranking()
        ranks, seconds = timed(lambda: _ranks(comparison, gallery, slice(None)))
        latency = single_latency(
            lambda number: _ranks(comparison, gallery, slice(number, number + 1)), len(comparison.probes)
        )
        ranking = _ranking(comparison, gallery, ranks)
        estimates = ranking_values(ranking, measures, Resampling(seed=self.seed))
        asked = ranks.mates > 0
        trials = int(asked.sum()) + len(comparison.missing)
        measurement = Measurement(
            protocol="retrieval",
            direction=comparison.direction,
            candidates=len(comparison.gallery),
            trials=trials,
            missing=len(comparison.missing),
            tied=float(tied_with_others(ranks)[asked].sum() / max(1, trials)),
            values={name: estimate.to_value() for name, estimate in estimates.items()},
            trials_per_second=len(ranks.mates) / seconds,
            probes_per_second=len(ranks.mates) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
            latency_p99_seconds=latency[2],
        )
        raw = {str(measure): measure.figure()(ranks) for measure in measures}
        blocks = {name: getattr(ranks, name) for name in ("probe", "above", "tied", "mates_above", "mates_tied")}
        return Result(measurement=measurement, raw={**raw, **blocks, "mates": ranks.mates}, scored=ranking)

    def scored(self, comparison: Comparison) -> ScoredRanking:
        """The ranked lists of `run`, untimed."""
        gallery = comparison.ranking()
        return _ranking(comparison, gallery, _ranks(comparison, gallery, slice(None)))


def _ranking(comparison: Comparison, gallery: Ranking, ranks: MateRanks) -> ScoredRanking:
    sides = comparison.sides

    def of_probes(rows: np.ndarray, units: np.ndarray) -> Iterator[Crowd]:
        return gallery.crowds(comparison.probes.vectors, sides.probes, rows, units, sides.itself)

    return ScoredRanking(
        ranks=ranks,
        probes=sides.probes,
        missing=comparison.missing,
        identities=identity_names(comparison),
        crowds=of_probes,
    )


def _ranks(comparison: Comparison, gallery: Ranking, part: slice) -> MateRanks:
    sides = comparison.sides
    return gallery.ranks(comparison.probes.vectors[part], sides.probes[part], sides.itself[part])
