"""Scored lists as measures take them: scores, labels and identities in arrays."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.scored import ScoredMatching, ScoredPairs
from vfsearch.data.trial_list import TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.tie_order import EXPECTED, matching_in_order
from vfsearch.protocol.listed_people import People

MOST_IN_MEMORY = 2**20
"""Verification trials; more go to a temporary file."""


def scored_pairs(trials: TrialList, people: People) -> ScoredPairs:
    """A scored verification list, whole.

    Raises:
        TrialListError: it is empty, has no scores, or a trial is labelled nowhere.
    """
    return joined_pairs(list(pair_pieces(trials, people)), people, trials.where)


@contextlib.contextmanager
def all_pairs(trials: TrialList, people: People, count: int) -> Iterator[ScoredPairs | PairSpill]:
    """A scored verification list: in memory, or in a temporary file where it is long.

    Args:
        trials: the list.
        people: whose its items are.
        count: how many trials it has.
    Raises:
        TrialListError: it is empty, has no scores, or a trial is labelled nowhere.
        VfsearchError: the disk is full.
    """
    if count <= MOST_IN_MEMORY:
        yield scored_pairs(trials, people)
        return
    with PairSpill() as spill:
        for piece in pair_pieces(trials, people):
            spill.add(piece)
        yield spill


def pair_pieces(trials: TrialList, people: People) -> Iterator[ScoredPairs]:
    """A scored verification list, block by block; `people` know all its identities at the end."""
    for block in trials.blocks():
        yield ScoredPairs(
            scores=_scores(block, trials.where)[:, 0],
            mated=people.mated(block),
            probes=people(block.probes),
            items=people(block.items[:, 0]),
            identities=people.identities,
        )


def joined_pairs(pieces: list[ScoredPairs], people: People, where: str) -> ScoredPairs:
    """The trials of some pieces in one value.

    Raises:
        TrialListError: there is none.
    """
    if not pieces:
        raise TrialListError(f"{where} has no trials")
    columns = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("scores", "mated", "probes", "items")
    }
    return ScoredPairs(**columns, identities=people.identities)


@dataclass(frozen=True, kw_only=True, eq=False)
class ListedMatching:
    """A scored list of 1:N matching that is read anew each time, so that it need not fit in memory.

    Args:
        trials: the list, with scores.
        people: whose its items are.
        ties: how equal scores are ordered, one of `vfsearch.measure.tie_order.POLICIES`.
    """

    trials: TrialList
    people: People
    ties: str = EXPECTED

    @property
    def identities(self) -> Sequence[str]:
        """The names of the identities, by number."""
        return self.people.identities

    def chunks(self) -> Iterator[ScoredMatching]:
        """The trials in pieces.

        Raises:
            TrialListError: a trial has another number of candidates than the first, or no scores.
        """
        for block in self.trials.blocks():
            scores = _scores(block, self.trials.where)
            yield ScoredMatching(
                scores=matching_in_order(scores, self.ties),
                probes=self.people(block.probes),
                candidates=self.people(block.items.ravel()).reshape(block.items.shape),
                missing=np.isneginf(scores).all(axis=1),
                identities=self.people.identities,
            )


def _scores(block: TrialBlock, where: str) -> np.ndarray:
    """(t, c) scores; -inf for those that are not there."""
    if block.scores is None:
        raise TrialListError(f"{where} has no scores; give a file of scores, or vectors to score it with")
    return np.where(np.isnan(block.scores), -np.inf, block.scores)
