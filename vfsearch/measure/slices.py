"""Figures by group of people, and the differences between groups.

Source: ISO/IEC 19795-10, quantifying biometric system performance variation across demographic groups.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from vfsearch.data.outcome import Difference
from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import Crowd, ScoredMatching, ScoredPairs, ScoredRanking
from vfsearch.errors import SettingsError
from vfsearch.measure.estimate import Estimate, difference
from vfsearch.measure.kind import MATCHING, Measure
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.shared_draws import SharedDraws
from vfsearch.measure.verification_values import verification_values

FEWEST_IDENTITIES = 5
"""A group of fewer people gets no interval: what so few draws vary says little of other people."""
MOST_GROUPS = 4
"""That are compared with each other, the largest ones."""
NOT_KNOWN = ""
"""The value of people of whom the column says nothing."""

Crowds = Callable[[np.ndarray, np.ndarray], Iterator[Crowd]]
Scored = ScoredPairs | ScoredMatching | ScoredRanking
"""Pairs and galleries may also be anything that gives them in pieces, with `identities` and `chunks()`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Slice:
    """The figures of one group.

    Args:
        column: what groups people, for example "gender".
        value: what its people have in common; "" for people of whom it is not known.
        identities: how many people ask, which are the probes' identities.
        trials: how many trials they ask; of ranked lists how many probes, missing ones included.
        estimates: measure name -> figure; one of a group that is too small has no interval.
    """

    column: str
    value: str
    identities: int
    trials: int
    estimates: Mapping[str, Estimate]

    @property
    def too_small(self) -> bool:
        """Whether the group has too few people for an interval."""
        return self.identities < FEWEST_IDENTITIES


@dataclass(frozen=True, kw_only=True)
class Contrast:
    """How much better one group does than another.

    Args:
        column: what groups people.
        left, right: its values.
        measure: name of the measure.
        difference: left minus right. Its p-value is of this one comparison; of many, some are small by chance.
    """

    column: str
    left: str
    right: str
    measure: str
    difference: Difference


def slices(
    trials: Scored, column: str, values: Mapping[str, str], measures: Sequence[Measure], resampling: Resampling
) -> list[Slice]:
    """The figures of each group of people.

    A trial is of the group of its probe's identity. What the probe is compared with stays as it is: negatives may be
    of other groups, and galleries of different groups may differ in how hard they are, as chance levels show.
    People of all groups are drawn together, so that the figures of two groups belong together draw by draw.

    Args:
        trials: with scores.
        column: name of what groups people.
        values: identity -> what the column says of it; missing or "": not known.
        measures: of the family of the trials.
        resampling: of the identities.
    Returns:
        Groups with trials, those of most identities first, people of whom nothing is known last.
    Raises:
        SettingsError: measures of several families.
    """
    if not measures or len({measure.kind.family for measure in measures}) > 1:
        raise SettingsError(f"slices want measures of one family, got {', '.join(map(str, measures)) or 'none'}")
    draws = SharedDraws(
        seed=resampling.seed, resamples=resampling.resamples, everyone=tuple(sorted(set(trials.identities)))
    )
    said = [values.get(identity, NOT_KNOWN) for identity in trials.identities]
    found = []
    for value in sorted(set(said)):
        kept = np.array([each == value for each in said], dtype=bool)
        part = _RankedPart.of(trials, kept) if isinstance(trials, ScoredRanking) else _Part.of(trials, kept)
        if part.count:
            made = Slice(
                column=column, value=value, identities=part.asking, trials=part.count,
                estimates=_estimates(part, measures, draws),
            )  # fmt: skip
            found.append(_without_interval(made) if made.too_small else made)
    return sorted(found, key=lambda each: (each.value == NOT_KNOWN, -each.identities, each.value))


def contrasts(groups: Sequence[Slice], most: int = MOST_GROUPS) -> list[Contrast]:
    """The differences between each two of the largest groups, for each measure.

    Args:
        groups: of one column, from `slices`; those that are too small, and people of whom nothing is known, take no
            part.
        most: how many groups take part.
    """
    large = [group for group in groups if not group.too_small and group.value != NOT_KNOWN]
    large = sorted(large, key=lambda group: -group.identities)[:most]
    return [
        Contrast(
            column=left.column, left=left.value, right=right.value, measure=name,
            difference=difference(left.estimates[name], right.estimates[name]),
        )
        for left, right in itertools.combinations(large, 2)
        for name in left.estimates
    ]  # fmt: skip


def _without_interval(group: Slice) -> Slice:
    estimates = {
        name: replace(each, replicates=np.full(len(each.replicates), np.nan), by_pair=None)
        for name, each in group.estimates.items()
    }
    return replace(group, estimates=estimates)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """The pairs or galleries whose probe is of a group, taken from all of them piece by piece.

    Args:
        trials: all of them.
        kept: (I,) bool identities of the group.
        count: how many trials.
        asking: how many people ask.
    """

    trials: ScoredPairs | ScoredMatching
    kept: np.ndarray
    count: int
    asking: int

    @classmethod
    def of(cls, trials: ScoredPairs | ScoredMatching, kept: np.ndarray) -> "_Part":
        trials_of = np.zeros(len(kept), dtype=np.int64)
        for chunk in trials.chunks():
            trials_of += np.bincount(chunk.probes, minlength=len(kept))
        own = trials_of[kept]
        return cls(trials=trials, kept=kept, count=int(own.sum()), asking=int(np.count_nonzero(own)))

    @property
    def identities(self) -> Sequence[str]:
        return self.trials.identities

    def __len__(self) -> int:
        return self.count

    def chunks(self) -> Iterator[ScoredPairs | ScoredMatching]:
        for chunk in self.trials.chunks():
            rows = self.kept[chunk.probes]
            # All but the names are arrays with a row a trial.
            arrays = {each.name: getattr(chunk, each.name) for each in fields(chunk) if each.name != "identities"}
            yield replace(chunk, **{name: array[rows] for name, array in arrays.items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class _RankedPart:
    """The ranked lists whose probe is of a group, with what `_Part` tells."""

    ranking: ScoredRanking
    count: int
    asking: int

    @classmethod
    def of(cls, ranking: ScoredRanking, kept: np.ndarray) -> "_RankedPart":
        rows = kept[ranking.probes]
        part = replace(
            ranking,
            ranks=_ranks_of(ranking.ranks, rows),
            probes=ranking.probes[rows],
            missing=ranking.missing[kept[ranking.missing]],
            crowds=None if ranking.crowds is None else _crowds_of(ranking.crowds, rows),
        )
        asking = np.concatenate([part.probes[part.ranks.mates > 0], part.missing])
        return cls(ranking=part, count=len(asking), asking=len(np.unique(asking)))


def _ranks_of(ranks: MateRanks, rows: np.ndarray) -> MateRanks:
    """The ranks of some probes; rows: (q,) bool."""
    blocks, number = rows[ranks.probe], np.cumsum(rows) - 1
    return replace(
        ranks, probe=number[ranks.probe[blocks]], above=ranks.above[blocks], tied=ranks.tied[blocks],
        mates_above=ranks.mates_above[blocks], mates_tied=ranks.mates_tied[blocks], mates=ranks.mates[rows],
        gallery=ranks.gallery[rows],
    )  # fmt: skip


def _crowds_of(crowds: Crowds, rows: np.ndarray) -> Crowds:
    """The crowds of some probes, which are numbered anew; rows: (q,) bool."""
    whole, number = np.flatnonzero(rows), np.cumsum(rows) - 1

    def of(some: np.ndarray, units: np.ndarray) -> Iterator[Crowd]:
        for crowd in crowds(whole[some], units):
            yield replace(crowd, rows=number[crowd.rows])

    return of


def _estimates(part: _Part | _RankedPart, measures: Sequence[Measure], resampling: Resampling) -> dict[str, Estimate]:
    if isinstance(part, _RankedPart):
        return ranking_values(part.ranking, measures, resampling)
    if measures[0].kind.family == MATCHING:
        return matching_values(part, measures, resampling)
    return verification_values(part, measures, resampling)
