"""What the items of each identity in the gallery change in a retrieval figure."""

from collections.abc import Sequence

import numpy as np

from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd, ScoredRanking
from vfsearch.measure.kind import Measure
from vfsearch.measure.pair_effects import PairEffects, pair_effects
from vfsearch.measure.resampling import Resampling

MOST_BLOCKS = 2**25
"""Of longer rankings, every so-manieth probe is looked at, so that at most so many blocks are measured anew."""


def gallery_effects(
    ranking: ScoredRanking, measures: Sequence[Measure], units: np.ndarray, resampling: Resampling
) -> dict[str, PairEffects]:
    """What leaving out each unit's items changes, by the measure's name; nothing where crowds are not known.

    Args:
        ranking: with `crowds`.
        measures: that are means over probes.
        units: (I,) int64 unit of each identity.
        resampling: of the pairs of units.
    """
    count = int(units.max(initial=-1)) + 1
    rows = _looked_at(ranking, units, count)
    if ranking.crowds is None or not measures or not len(rows):
        return {}
    tables, counts = np.zeros((len(measures), count, count)), np.zeros((count, count))
    for crowd in ranking.crowds(rows, units):
        of_probes = units[ranking.probes[crowd.rows]]
        counts += _by_unit(of_probes, crowd.gallery > 0)
        for table, measure in zip(tables, measures, strict=True):
            table += _by_unit(of_probes, _changes(measure, crowd))
    # A missing probe finds nothing whoever is there.
    asked = int((ranking.ranks.mates > 0).sum())
    tables *= asked / (asked + len(ranking.missing)) / len(rows)
    weights = list(resampling.pair_weights(count))
    return {str(measure): pair_effects(table, counts, weights) for measure, table in zip(measures, tables, strict=True)}


def _looked_at(ranking: ScoredRanking, units: np.ndarray, count: int) -> np.ndarray:
    """Probes with mates: all, or every so-manieth in the order of their units."""
    rows = np.flatnonzero(ranking.ranks.mates > 0)
    step = -(-len(ranking.ranks.probe) * count // MOST_BLOCKS) or 1
    return np.sort(rows[np.argsort(units[ranking.probes[rows]], kind="stable")][::step])


def _changes(measure: Measure, crowd: Crowd) -> np.ndarray:
    """(s, U) each probe's value less what it is without each unit."""
    figure = measure.figure()
    return figure(crowd.ranks)[:, None] - figure(_left_out(crowd)).reshape(crowd.above.shape[1], -1).T


def _left_out(crowd: Crowd) -> MateRanks:
    """The ranks of every probe without unit 0, then of every probe without unit 1, ..."""
    ranks, count, probes = crowd.ranks, crowd.above.shape[1], len(crowd.rows)
    first = probes * np.arange(count)
    return MateRanks(
        probe=(first[:, None] + ranks.probe).ravel(),
        above=(ranks.above - crowd.above.T).ravel(),
        tied=(ranks.tied - crowd.tied.T).ravel(),
        mates_above=np.tile(ranks.mates_above, count),
        mates_tied=np.tile(ranks.mates_tied, count),
        mates=np.tile(ranks.mates, count),
        gallery=(ranks.gallery - crowd.gallery.T).ravel(),
    )


def _by_unit(units: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """(U, U) sums of the rows of each unit."""
    count = changes.shape[1]
    cells = units[:, None] * count + np.arange(count)
    return np.bincount(cells.ravel(), weights=changes.ravel(), minlength=count**2).reshape(count, count)
