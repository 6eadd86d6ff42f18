"""Open-set identification with intervals: the identities of the searches and of the gallery resampled together."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vfsearch.data.searches import NOBODY, Searches
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.identification_chance import chance_level
from vfsearch.measure.interval import widening
from vfsearch.measure.kind import Measure
from vfsearch.measure.resampling import Resampling


def identification_values(
    searches: Searches, measures: Sequence[Measure], resampling: Resampling
) -> dict[str, Estimate]:
    """Figures with replicates in which a search counts as often as its identity is drawn.

    A gallery identity that is not drawn is not there, and the next candidate of the list is returned; one that is
    drawn more than once stands at more places; a mate is there once, as its search is. The threshold is chosen anew
    in each resample. A list in which nobody is drawn returns nothing: with 32 candidates a chance of about exp(-32).
    Candidates above or beside the mate that are beyond the end of the list count once each.

    A drawn gallery has fewer different people, about 0.63 N, among whom the best stranger scores lower than among N.
    So the odds of all replicates of a figure are multiplied by one number, which makes the odds of their mean those
    of the figure. Then their deviations are widened for few people (`vfsearch.measure.interval.widening`).

    Args:
        searches: what was returned, in lists of 32 candidates or more (or as many as the gallery has).
        measures: of identification.
        resampling: of the identities of both sides.
    Returns:
        Measure's name -> figure; without an interval where one person alone is searched for, mated or not.
    """
    figures = [measure.figure() for measure in measures]
    resampled = _Resampled(searches, resampling).parts()
    replicates = np.array([[figure(part) for figure in figures] for part in resampled], dtype=float)
    factor = _widening(searches)
    estimates = {}
    for column, (measure, figure) in enumerate(zip(measures, figures, strict=True)):
        value = figure(searches)
        found = _about(value, replicates[:, column], factor)
        estimates[str(measure)] = Estimate(value=value, replicates=found, chance=chance_level(measure, searches))
    return estimates


def _widening(searches: Searches) -> float:
    sides = [searches.probes[side] for side in (searches.mated, ~searches.mated)]
    return widening(*(np.bincount(side) for side in sides if len(side)))


def _about(value: float, replicates: np.ndarray, factor: float) -> np.ndarray:
    """Replicates of a fraction about its value: by their odds, then widened, and kept within 0 and 1."""
    return np.clip(value + factor * (_with_odds(value, replicates) - value), 0.0, 1.0)


def _with_odds(value: float, replicates: np.ndarray) -> np.ndarray:
    """Replicates with their odds multiplied so that those of their mean are those of the value."""
    defined = replicates[~np.isnan(replicates)]
    mean = float(defined.mean()) if len(defined) else float("nan")
    if not (0.0 < mean < 1.0 and 0.0 < value < 1.0):
        return replicates
    factor = value / (1.0 - value) * (1.0 - mean) / mean
    return factor * replicates / (1.0 - replicates + factor * replicates)


class _Resampled:
    """The searches as they would be with other people: all but the draws is worked out once."""

    def __init__(self, searches: Searches, resampling: Resampling) -> None:
        self.searches, self.resampling = searches, resampling
        self.units = resampling.units(searches.identities)
        self.count = int(self.units.max(initial=-1)) + 1
        # One unit more, never drawn, stands for nobody.
        self.candidates = np.append(self.units, self.count)[searches.candidates]
        self.others = np.flatnonzero(~searches.mated & ~searches.missing)
        mate = np.where(searches.mated & ~searches.missing, searches.mate_scores, np.inf)[:, None]
        stranger = (searches.candidates != searches.probes[:, None]) & (searches.candidates != NOBODY)
        self.above = self._listed(stranger & (searches.scores > mate))
        self.tied = self._listed(stranger & (searches.scores == mate))

    def parts(self) -> Iterator[Searches]:
        """The searches in each resample."""
        of_probes = self.units[self.searches.probes]
        for draw in self.resampling.draws(self.count):
            drawn = np.append(draw, 0.0)
            yield replace(
                self.searches,
                scores=self._best(drawn)[:, None],
                candidates=np.full((len(self.searches), 1), NOBODY),
                above=self.searches.above + self._more(self.above, drawn),
                tied=self.searches.tied + self._more(self.tied, drawn),
                weights=draw[of_probes],
            )

    def _listed(self, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The searches and the units of some listed candidates."""
        rows, places = np.nonzero(which)
        return rows, self.candidates[rows, places]

    def _best(self, drawn: np.ndarray) -> np.ndarray:
        """(s,) the best score of a candidate who is there; of non-mated searches alone, no other's is looked at."""
        best, rows = np.full(len(self.searches), -np.inf), self.others
        for place in range(self.searches.scores.shape[1]):
            there = drawn[self.candidates[rows, place]] > 0
            best[rows[there]] = self.searches.scores[rows[there], place]
            rows = rows[~there]
            if not len(rows):
                break
        return best

    def _more(self, listed: tuple[np.ndarray, np.ndarray], drawn: np.ndarray) -> np.ndarray:
        """(s,) how many more candidates the listed ones are than if each were there once."""
        rows, units = listed
        return np.bincount(rows, weights=drawn[units] - 1.0, minlength=len(self.searches))
