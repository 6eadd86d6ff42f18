"""The ranked lists of a run, as retrieval systems write them, with what is relevant."""

import numpy as np

from vfsearch.data.ranks import mate_ranks_of_lists
from vfsearch.data.scored import ScoredRanking
from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.measure.tie_order import EXPECTED, ID_DESCENDING, ranks_in_order, scores_in_order_of_names
from vfsearch.protocol.listed_people import People
from vfsearch.protocol.listed_ranking import ListedRanking


def ranked_run(run: TrialList, relevance: TrialList, people: People, ties: str = EXPECTED) -> ListedRanking:
    """Where what is relevant to each probe stands in its list.

    What is relevant and not in the list was not found. A probe with something relevant and no list is a miss. Items
    that nobody judged are not relevant. The rank column of a run counts for nothing, its scores do.

    Args:
        run: of kind "ranking", with scores.
        relevance: of kind "relevance": grades above 0 are relevant.
        people: whose the probes are, by the names of `relevance`.
        ties: how equal scores are ordered, one of `vfsearch.measure.tie_order.POLICIES`.
    Raises:
        TrialListError: the run has no scores or lists an item twice, or nothing is relevant.
    """
    wanted, wanted_items = _relevant(relevance)
    probes, items, scores = _lists(run)
    # Both in the numbers of one set of names.
    renumbered = relevance.names.numbers(run.names.texts)
    probes, items = renumbered[probes], renumbered[items]
    count = len(relevance.names)
    keys, relevant = probes * count + items, wanted * count + wanted_items
    _refuse_doubles(keys, relevance.names.texts, run.where)
    if ties == ID_DESCENDING:
        scores = scores_in_order_of_names(probes, scores, items, relevance.names.texts)
        ties = EXPECTED
    asked, gone = np.intersect1d(wanted, probes), np.setdiff1d(wanted, probes)
    counts = np.isin(probes, asked)
    ranks = mate_ranks_of_lists(
        np.searchsorted(asked, probes[counts]),
        scores[counts],
        np.isin(keys[counts], relevant),
        np.bincount(wanted, minlength=count)[asked],
    )
    ranks = ranks_in_order(ranks, ties)
    ranking = ScoredRanking(ranks=ranks, probes=people(asked), missing=people(gone), identities=people.identities)
    return ListedRanking(ranking=ranking, probes=asked, missing=gone)


def _relevant(relevance: TrialList) -> tuple[np.ndarray, np.ndarray]:
    """Probes and items of what is relevant, each pair once."""
    found = [np.stack([block.probes, block.items[:, 0]])[:, block.mated > 0] for block in relevance.blocks()]
    if not sum(pairs.shape[1] for pairs in found):
        raise TrialListError(f"{relevance.where} names nothing relevant: no figure can be computed")
    probes, items = np.concatenate(found, axis=1)
    count = len(relevance.names)
    return np.divmod(np.unique(probes * count + items), count)


def _lists(run: TrialList) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probes, items and scores."""
    blocks = list(run.blocks())
    if not blocks or any(block.scores is None for block in blocks):
        raise TrialListError(f"{run.where} has no {'scores' if blocks else 'trials'}: a ranking is made of scores")
    scores = np.concatenate([block.scores[:, 0] for block in blocks])
    return (
        np.concatenate([block.probes for block in blocks]),
        np.concatenate([block.items[:, 0] for block in blocks]),
        np.where(np.isnan(scores), -np.inf, scores),
    )


def _refuse_doubles(keys: np.ndarray, names: list[str], where: str) -> None:
    keys = np.sort(keys)
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if len(again):
        probe, item = divmod(int(keys[again[0]]), len(names))
        raise TrialListError(f"{where} lists {names[item]!r} twice for the probe {names[probe]!r}; once is wanted")
