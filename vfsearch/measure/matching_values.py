"""1:N matching figures with what resampling the identities of both sides makes of them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from vfsearch.data.scored import ScoredMatching
from vfsearch.errors import SettingsError
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.interval import widening, with_variance
from vfsearch.measure.kind import Measure
from vfsearch.measure.negative_changes import negative_changes
from vfsearch.measure.pair_effects import pair_effects
from vfsearch.measure.resampling import Resampling


class MatchingTrials(Protocol):
    """Trials in pieces, all with the same identities and N."""

    def chunks(self) -> Iterable[ScoredMatching]:
        """The pieces, in the order of the list."""


def matching_values(trials: MatchingTrials, measures: Sequence[Measure], resampling: Resampling) -> dict[str, Estimate]:
    """Means over trials, each with its replicates; a missing probe's trial counts 0.

    When identity g is drawn c_g times, a trial counts c_p (1 + sum over its N - 1 negatives of (c_j - 1)), which is
    c_p c_j for 1:2. Replicates are taken to first order in c - 1, as a long list of negatives would otherwise give
    weights of either sign that nearly cancel: value + sum_g (c_g - 1) (P_g + N_g), with P_g the sum of (v - value) / t
    over the trials of g's probes. N_g is what g changes as a negative: the sum over its trials of (d - mean d) / t,
    d being the trial's value less what it is without this negative. It has the mean of (v - value) there, but not
    what the other negatives add to it by chance.

    Args:
        trials: ScoredMatching, or anything with `chunks()`; memory does not grow with their number.
        measures: of the family "matching".
        resampling: of the identities.
    Returns:
        Estimates by the measure's name; NaN where there is no trial.
    Raises:
        SettingsError: pieces differ in N or in identities.
    Source: see `vfsearch.measure.interval`; to first order: Davison & Hinkley, Bootstrap Methods and their
        Application, 1997, section 2.7 (the nonparametric delta method).
    """
    sums = MatchingSums(measures, resampling)
    for chunk in trials.chunks():
        sums.add(chunk)
    return sums.estimates()


class MatchingSums:
    """All that the figures of matching trials and their replicates need, in memory that their number does not change.

    Args:
        measures: of the family "matching".
        resampling: of the identities.
    """

    def __init__(self, measures: Sequence[Measure], resampling: Resampling) -> None:
        self._measures, self._resampling = tuple(measures), resampling
        self._figures = [measure.figure() for measure in measures]
        self._candidates = self._identities = self._present = 0
        self._units: np.ndarray | None = None

    def add(self, trials: ScoredMatching) -> None:
        """Count more trials.

        Raises:
            SettingsError: they have another N, or other identities, than those before.
        """
        self._start(trials)
        present = ~trials.missing
        probes = self._units[trials.probes]
        self._trials += np.bincount(probes, minlength=self._count)
        self._present += int(present.sum())
        cells = self._units[trials.candidates[:, 1:]]
        cells += (probes * self._count)[:, None]
        self._counts += self._table((cells if present.all() else cells[present]).ravel())
        for number, figure in enumerate(self._figures):
            values = np.where(present, figure(trials.scores), 0.0)
            self._values[number] += np.bincount(probes, weights=values, minlength=self._count)
            rows, columns, changes = negative_changes(figure, trials.scores)
            changes[~present[rows]] = 0.0
            self._changes[number] += self._table(cells[rows, columns - 1], changes)

    def _start(self, trials: ScoredMatching) -> None:
        candidates, identities = trials.scores.shape[1], len(trials.identities)
        if self._units is None:
            self._candidates, self._identities = candidates, identities
            self._units = self._resampling.units(trials.identities)
            self._count = count = int(self._units.max(initial=-1)) + 1
            self._trials, self._counts = np.zeros(count, dtype=np.int64), np.zeros((count, count))
            self._values = np.zeros((len(self._measures), count))
            self._changes = np.zeros((len(self._measures), count, count))
        if (candidates, identities) != (self._candidates, self._identities):
            raise SettingsError(
                f"pieces of one matching list must have one N and the same identities: 1:{self._candidates} with "
                f"{self._identities} identities, then 1:{candidates} with {identities} identities"
            )

    def _table(self, cells: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """(U, U) sums by the units of probe and negative; a negative of the probe's own unit is drawn with it."""
        table = np.bincount(cells, weights, minlength=self._count**2).reshape(self._count, self._count)
        np.fill_diagonal(table, 0)
        return table

    def estimates(self) -> dict[str, Estimate]:
        """The figures of all trials so far, by the measure's name."""
        if self._units is None or not self._trials.sum():
            return {str(measure): self._nothing() for measure in self._measures}
        draws = self._resampling.draws(self._count) - 1.0
        weights = list(self._resampling.pair_weights(self._count))
        return {str(measure): self._estimate(number, draws, weights) for number, measure in enumerate(self._measures)}

    def _estimate(self, number: int, draws: np.ndarray, weights: Sequence[np.ndarray]) -> Estimate:
        trials = self._trials.sum()
        value = float(self._values[number].sum() / trials)
        as_negatives = pair_effects(self._changes[number] / trials, self._counts, weights)
        effects = (self._values[number] - value * self._trials) / trials + as_negatives.effects
        by_chance = float(self._figures[number](np.zeros((1, self._candidates)))[0])
        return Estimate(
            value=value,
            replicates=value + with_variance(draws @ effects, (effects**2).sum()),
            chance=float(by_chance * self._present / trials),
            by_pair=value + as_negatives.by_pair,
            overcount=1.0,
            widening=widening(self._trials, self._counts.sum(axis=0)),
            fraction=self._measures[number].kind.percent,
        )

    def _nothing(self) -> Estimate:
        none = float("nan")
        return Estimate(value=none, replicates=np.full(self._resampling.resamples, none), chance=none)
