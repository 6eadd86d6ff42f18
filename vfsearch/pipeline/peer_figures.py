"""A peer's arithmetic beside ours, where it differs: the order of ties, the definition of the EER."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from vfsearch.data.scored import ScoredPairs
from vfsearch.errors import UnknownNameError
from vfsearch.measure.compat import COMPAT, Compat
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.resampling import Resampling
from vfsearch.protocol.listed_figures import Figures, Scored, figures
from vfsearch.protocol.listed_ranking import ListedRanking
from vfsearch.protocol.listed_trials import ListedMatching

EER, MEAN_PRECISION = "EER", "mAP"


def peer(name: str) -> Compat:
    """What is known of a peer.

    Raises:
        UnknownNameError: no peer is named so.
    """
    if name not in COMPAT:
        raise UnknownNameError(f"no peer is named {name!r}; known: {', '.join(sorted(COMPAT))}")
    return COMPAT[name]


def beside_ours(
    ours: Figures,
    answers: Scored,
    reranked: Callable[[str], ListedRanking],
    name: str,
    measures: Sequence[str],
    resampling: Resampling,
) -> Figures:
    """Our figures, and behind each that a peer computes otherwise the peer's, as "EER [kaldi]".

    Args:
        ours: the figures.
        answers: what they were computed from.
        reranked: gives ranked lists, if it is such, with ties in another order.
        name: of the peer.
        measures: that were asked for; none: the usual ones.
        resampling: of the identities, for the intervals.
    """
    compat = peer(name)
    if isinstance(answers, ScoredPairs | PairSpill):
        theirs = _of_pairs(answers, compat, measures, resampling)
    elif isinstance(answers, ListedMatching):
        theirs = figures(replace(answers, ties=compat.ties), measures, resampling).estimates
    else:
        theirs = _of_rankings(reranked(compat.ranking_ties), compat, measures, resampling)
    added = {f"{each} [{name}]": estimate for each, estimate in theirs.items()}
    return replace(ours, estimates={**ours.estimates, **added})


def _of_rankings(ranked: ListedRanking, compat: Compat, measures: Sequence[str], resampling: Resampling) -> dict:
    theirs = dict(figures(ranked, measures, resampling).estimates)
    if MEAN_PRECISION in theirs and compat.average_precision != MEAN_PRECISION:
        found = figures(ranked, [compat.average_precision], resampling).estimates
        theirs[MEAN_PRECISION] = found[compat.average_precision]
    return theirs


def _of_pairs(pairs: ScoredPairs | PairSpill, compat: Compat, measures: Sequence[str], resampling: Resampling) -> dict:
    """The peer's EER, under the name that it has there; no other figure of pairs differs."""
    if measures and EER not in {each.upper() for each in measures}:
        return {}
    found = figures(pairs, [compat.eer], resampling).estimates
    return {EER: found[compat.eer]}
