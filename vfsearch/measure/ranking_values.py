"""Retrieval figures with what resampling the identities of probes and gallery makes of them."""

from collections.abc import Sequence

import numpy as np

from vfsearch.data.ranks import MateRanks, uninformed
from vfsearch.data.scored import ScoredRanking
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.gallery_effects import gallery_effects
from vfsearch.measure.interval import widening, with_variance
from vfsearch.measure.kind import Measure
from vfsearch.measure.pair_effects import PairEffects
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.weighted_median import weighted_medians


def ranking_values(ranking: ScoredRanking, measures: Sequence[Measure], resampling: Resampling) -> dict[str, Estimate]:
    """Means (or medians, as the measure says) over probes, each with its replicates; a missing probe found nothing.

    When identity g is drawn c_g times, its probes count c_g times, and so do its items in the galleries of others; a
    probe's own identity stays there once. The replicates of a mean are taken to first order in c - 1:
    value + sum_g (c_g - 1) (P_g + G_g), with P_g the sum of (v - value) / q over g's probes, and G_g what g's items
    in the gallery change: the figure of the others' probes, less what it is when g's items are left out. Repeating
    items, as an ordinary bootstrap does, would thin a gallery to 63 % of its people and raise every figure.

    Where the ranking does not know its crowds, and for medians, the gallery is taken as given: the interval then
    tells how the figure varies with the people who ask alone.

    Args:
        ranking: where mates stand; a probe without mates has no answer and is left out.
        measures: of the family "ranking".
        resampling: of the identities.
    Returns:
        Estimates by the measure's name; NaN where nothing was asked.
    Source: see `vfsearch.measure.interval`; leaving out: Efron, The Jackknife, the Bootstrap and Other Resampling
        Plans, 1982, chapter 6 (its relation to the bootstrap).
    """
    asked = _Asked(ranking, resampling)
    if not len(asked.units):
        none = float("nan")
        replicates = np.full(resampling.resamples, none)
        return {str(measure): Estimate(value=none, replicates=replicates, chance=none) for measure in measures}
    means = [measure for measure in measures if measure.kind.aggregate == "mean"]
    effects = gallery_effects(ranking, means, asked.of_identities, resampling)
    return {str(measure): asked.estimate(measure, effects.get(str(measure))) for measure in measures}


class _Asked:
    """The probes that count, and the units that they are drawn with."""

    def __init__(self, ranking: ScoredRanking, resampling: Resampling) -> None:
        self.ranks, self.resampling = ranking.ranks, resampling
        self.of_identities = resampling.units(ranking.identities)
        self.has_mate = ranking.ranks.mates > 0
        self.missing = len(ranking.missing)
        self.units = self.of_identities[np.concatenate([ranking.probes[self.has_mate], ranking.missing])]
        self.count = int(self.of_identities.max(initial=-1)) + 1
        self.by_chance = uninformed(ranking.ranks)

    def values(self, measure: Measure, ranks: MateRanks) -> np.ndarray:
        """(q,) of the probes with mates, then of the missing ones."""
        figure = measure.figure()
        found_nothing = figure(_FOUND_NOTHING)[0]
        return np.concatenate([figure(ranks)[self.has_mate], np.full(self.missing, found_nothing)])

    def estimate(self, measure: Measure, effect: PairEffects | None) -> Estimate:
        values, by_chance = self.values(measure, self.ranks), self.values(measure, self.by_chance)
        if measure.kind.aggregate == "median":
            return self._of_median(values, by_chance)
        value = float(values.mean())
        draws = self.resampling.draws(self.count) - 1.0
        effects = np.bincount(self.units, weights=values - value, minlength=self.count) / len(values)
        by_pair = None
        if effect is not None:
            effects = effects + effect.effects
            by_pair = value + effect.by_pair
        return Estimate(
            value=value,
            replicates=value + with_variance(draws @ effects, (effects**2).sum()),
            chance=float(by_chance.mean()),
            by_pair=by_pair,
            overcount=1.0,
            widening=widening(np.bincount(self.units)),
            fraction=measure.kind.percent,
        )

    def _of_median(self, values: np.ndarray, by_chance: np.ndarray) -> Estimate:
        weights = self.resampling.draws(self.count)
        return Estimate(
            value=float(np.median(values)),
            replicates=weighted_medians(values, self.units, weights),
            chance=float(np.median(by_chance)),
        )


_NONE = np.zeros(0, dtype=np.int64)
_FOUND_NOTHING = MateRanks(
    probe=_NONE, above=_NONE, tied=_NONE, mates_above=_NONE, mates_tied=_NONE, mates=np.ones(1, dtype=np.int64),
    gallery=np.ones(1, dtype=np.int64),
)  # fmt: skip
