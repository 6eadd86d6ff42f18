"""The trials that two scored lists have in common."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.ranks import MateRanks
from vfsearch.data.scored import ScoredRanking
from vfsearch.data.trial_list import Names, TrialList
from vfsearch.errors import TrialListError


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeList:
    """A scored list, whole.

    Args:
        names: of the items.
        probes: (t,) int64 numbers of names.
        items: (t, c) int64 likewise.
        mated: (t,) int64 labels, -1 where there is none.
        scores: (t, c) similarities.
        where: what to call it in messages.
    """

    names: Names
    probes: np.ndarray
    items: np.ndarray
    mated: np.ndarray
    scores: np.ndarray
    where: str

    def __len__(self) -> int:
        return len(self.probes)

    def take(self, places: np.ndarray) -> "WholeList":
        """Some of the trials, in the order given."""
        return WholeList(
            names=self.names, probes=self.probes[places], items=self.items[places], mated=self.mated[places],
            scores=self.scores[places], where=self.where,
        )  # fmt: skip


def whole(trials: TrialList) -> WholeList:
    """A list with its scores in memory.

    Raises:
        TrialListError: it is empty, or has no scores.
    """
    blocks = list(trials.blocks())
    if not blocks or any(block.scores is None for block in blocks):
        raise TrialListError(f"{trials.where} has no {'scores' if blocks else 'trials'}")
    columns = {
        name: np.concatenate([getattr(block, name) for block in blocks])
        for name in ("probes", "items", "mated", "scores")
    }
    return WholeList(names=trials.names, where=trials.where, **columns)


def common_trials(left: WholeList, right: WholeList) -> tuple[np.ndarray, np.ndarray]:
    """Places of the trials that both have, in the order of the left.

    A trial is its probe and its items (the order of the items that are no mates does not matter); one that a list has
    twice is two trials.

    Raises:
        TrialListError: they ask for other numbers of items.
    """
    if left.items.shape[1] != right.items.shape[1]:
        raise TrialListError(
            f"{left.where} has {left.items.shape[1]} items a trial, {right.where} {right.items.shape[1]}: they are "
            "other trials"
        )
    codes = _codes(left, right)
    ours, theirs = (_by_occurrence(part) for part in (codes[: len(left)], codes[len(left) :]))
    order = np.lexsort((theirs[1], theirs[0]))
    keys, wanted = _joined_keys((theirs[0][order], theirs[1][order]), ours)
    places = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    both = keys[places] == wanted if len(keys) else np.zeros(len(wanted), dtype=bool)
    return np.flatnonzero(both), order[places[both]]


def _codes(left: WholeList, right: WholeList) -> np.ndarray:
    """A number for each trial of both, equal for equal trials."""
    renumbered = left.names.numbers(right.names.texts)
    tables = [np.column_stack([left.probes, left.items]),
              np.column_stack([renumbered[right.probes], renumbered[right.items]])]  # fmt: skip
    table = np.concatenate(tables)
    table[:, 2:].sort(axis=1)
    code = table[:, 0]
    for column in table.T[1:]:
        code = np.unique(code * len(left.names) + column, return_inverse=True)[1]
    return code


def _by_occurrence(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The codes, and for the how-manieth time each is there."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))[: len(ordered)]
    times = np.empty(len(codes), dtype=np.int64)
    times[order] = np.arange(len(codes)) - np.repeat(starts, np.diff(starts, append=len(codes)))
    return codes, times


def _joined_keys(theirs: tuple, ours: tuple) -> tuple[np.ndarray, np.ndarray]:
    most = 1 + max(theirs[1].max(initial=0), ours[1].max(initial=0))
    return theirs[0] * most + theirs[1], ours[0] * most + ours[1]


def of_probes(
    ranking: ScoredRanking, probes: Sequence[str], missing: Sequence[str], wanted: frozenset[str]
) -> ScoredRanking:
    """A ranking of some probes alone.

    Args:
        ranking: of all.
        probes: q names, in its order.
        missing: names of those that could not be asked, in its order.
        wanted: the names to keep.
    """
    keep = np.array([name in wanted for name in probes], dtype=bool)
    gone = np.array([name in wanted for name in missing], dtype=bool)
    ranks = ranking.ranks
    blocks = keep[ranks.probe]
    number = np.cumsum(keep) - 1
    kept = {name: getattr(ranks, name)[blocks] for name in ("above", "tied", "mates_above", "mates_tied")}
    chosen = MateRanks(
        probe=number[ranks.probe[blocks]], mates=ranks.mates[keep], gallery=ranks.gallery[keep], **kept
    )  # fmt: skip
    return ScoredRanking(
        ranks=chosen, probes=ranking.probes[keep], missing=ranking.missing[gone], identities=ranking.identities
    )  # fmt: skip
