"""The figures of scored lists: each measure with its replicates, and how many trials were missed or tied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.scored import ScoredPairs
from vfsearch.measure import kind as families
from vfsearch.measure.catalog import chosen
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.kind import Measure
from vfsearch.measure.matching import tied_at_top
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.ranking import tied_with_others
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.sorted_pairs import IN_MEMORY, tied_share
from vfsearch.measure.verification_values import verification_values
from vfsearch.protocol.listed_ranking import ListedRanking
from vfsearch.protocol.listed_trials import ListedMatching

Scored = ScoredPairs | PairSpill | ListedMatching | ListedRanking


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured on one list.

    Args:
        protocol: "verification", "matching" or "retrieval".
        estimates: name of the measure -> figure with its replicates.
        trials: how many questions were asked, those of missing probes included.
        missing: how many of them had no score at all (a side without a vector); they count as misses.
        tied: share of the trials whose outcome depends on a tie.
        candidates: N of 1:N matching, gallery size of retrieval.
    """

    protocol: str
    estimates: Mapping[str, Estimate]
    trials: int
    missing: int
    tied: float
    candidates: int | None = None


def figures(scored: Scored, measures: Sequence[str], resampling: Resampling) -> Figures:
    """Measure a scored list.

    Args:
        scored: its trials.
        measures: names; those of other kinds of trials are passed over; none of its own: the usual ones.
        resampling: of the identities, for the intervals.
    Raises:
        UnknownNameError: a name is that of no measure.
    """
    if isinstance(scored, ListedRanking):
        return _of_ranking(scored, chosen(measures, families.RANKING), resampling)
    if isinstance(scored, ListedMatching):
        return _of_matching(scored, chosen(measures, families.MATCHING), resampling)
    return _of_pairs(scored, chosen(measures, families.VERIFICATION), resampling)


def _of_pairs(pairs: ScoredPairs | PairSpill, measures: Sequence[Measure], resampling: Resampling) -> Figures:
    return Figures(
        protocol="verification",
        estimates=verification_values(pairs, measures, resampling, IN_MEMORY),
        trials=len(pairs),
        missing=sum(int(np.isneginf(chunk.scores).sum()) for chunk in pairs.chunks()),
        tied=tied_share(pairs, IN_MEMORY),
    )


def _of_matching(matching: ListedMatching, measures: Sequence[Measure], resampling: Resampling) -> Figures:
    trials, missing, tied, candidates = 0, 0, 0, 0
    for chunk in matching.chunks():
        trials += len(chunk)
        missing += int(chunk.missing.sum())
        tied += int((tied_at_top(chunk.scores) & ~chunk.missing).sum())
        candidates = chunk.scores.shape[1]
    return Figures(
        protocol="matching",
        estimates=matching_values(matching, measures, resampling),
        trials=trials,
        missing=missing,
        tied=tied / max(1, trials),
        candidates=candidates,
    )


def _of_ranking(ranked: ListedRanking, measures: Sequence[Measure], resampling: Resampling) -> Figures:
    ranks = ranked.ranking.ranks
    asked = ranks.mates > 0
    trials = int(asked.sum()) + len(ranked.missing)
    return Figures(
        protocol="retrieval",
        estimates=ranking_values(ranked.ranking, measures, resampling),
        trials=trials,
        missing=len(ranked.missing),
        tied=float(tied_with_others(ranks)[asked].sum() / max(1, trials)),
        candidates=int(ranks.gallery.max(initial=0)),
    )
