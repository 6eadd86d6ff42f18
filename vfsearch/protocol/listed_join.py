"""Trials of one file with the scores of another."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator

import numpy as np

from vfsearch.data.trial_list import UNKNOWN, Names, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.protocol.listed_scores import Asked, FlatScores, PairScores
from vfsearch.trials.formats.field_format import NAMELESS as NAMED_BY
from vfsearch.trials.formats.roles import KEY


class NumbersOfNames:
    """Numbers of the names of one list in those of another, as blocks of both bring new names.

    Args:
        names: of the list.
        other: where they are looked for.
    """

    def __init__(self, names: Names, other: Names) -> None:
        self._names, self._other = names, other
        self._known = np.zeros(0, dtype=np.int64)

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers in the other list, -1 for names that it does not have so far."""
        more = np.full(len(self._names) - len(self._known), UNKNOWN)
        self._known = np.concatenate([self._known, more])
        wanted = np.unique(numbers[self._known[numbers] == UNKNOWN])
        self._known[wanted] = [self._other.find(self._names.texts[number]) for number in wanted]
        return self._known[numbers]


def with_scores(trials: TrialList, scores: TrialList, pairs: PairScores | None = None) -> TrialList:
    """A list with the scores that another file gives to its pairs; NaN for a pair without one.

    Where both have the same pairs in the same order, they are read side by side, each trial taking the score that
    stands in its place, and memory grows with neither. Else scores are looked up by their pair: in memory, or through
    temporary files of 16 bytes a score and 24 a trial where there are more than a million (`PairScores`).

    Args:
        trials: verification or 1:N matching.
        scores: the file of scores.
        pairs: the same, to be shared by several lists.
    Raises:
        TrialListError: while blocks are read: the file has no scores, not one pair has a score, or, in another order
            than the list, a pair has two scores.
        VfsearchError: while blocks are read: the disk is full.
    """
    joined = _Joined(trials, scores, PairScores(scores) if pairs is None else pairs)
    return dataclasses.replace(trials, scored=True, blocks=joined)


class _Joined:
    """Blocks of trials with scores; how they are found is settled when they are read first."""

    def __init__(self, trials: TrialList, scores: TrialList, pairs: PairScores) -> None:
        self._trials, self._scores, self._pairs = trials, scores, pairs
        self._side_by_side = True
        self._found: Callable[[], Iterator[np.ndarray]] | None = None

    def __call__(self) -> Iterator[TrialBlock]:
        any_found = False
        for block in self._in_step() if self._side_by_side else self._looked_up():
            any_found = any_found or not np.isnan(block.scores).all()
            yield block
        if not any_found:
            raise self._nothing_found()

    def _in_step(self) -> Iterator[TrialBlock]:
        """Blocks with what stands in their place; from the first that differs on, scores are looked up."""
        beside, asked, done = FlatScores(self._scores), self._asking(), 0
        for block in self._trials.blocks():
            probes, items, scores = beside.take(block.items.size)
            wanted = asked(block)
            same = len(scores) == block.items.size
            if not (same and np.array_equal(wanted.probes, probes) and np.array_equal(wanted.items, items)):
                self._side_by_side = False
                break
            yield dataclasses.replace(block, scores=scores.reshape(block.items.shape))
            done += 1
        else:
            # What is left over may give other scores to the same pairs.
            self._side_by_side = not len(beside.take(1)[2])
        if not self._side_by_side:
            yield from itertools.islice(self._looked_up(), done, None)

    def _looked_up(self) -> Iterator[TrialBlock]:
        if self._found is None:
            self._pairs.read()
            asked = self._asking()
            self._found = self._pairs.of(lambda: map(asked, self._trials.blocks()))
        for block, scores in zip(self._trials.blocks(), self._found(), strict=True):
            yield dataclasses.replace(block, scores=scores.reshape(block.items.shape))

    def _asking(self) -> Callable[[TrialBlock], Asked]:
        """What gives the pairs of a block, in numbers of the names of the file of scores."""
        if self._scores.about.get(NAMED_BY) == KEY and not self._trials.about.get(NAMED_BY):
            return self._keys
        numbers = NumbersOfNames(self._trials.names, self._scores.names)

        def of_names(block: TrialBlock) -> Asked:
            probes = np.repeat(numbers(block.probes), block.items.shape[1])
            return Asked(probes=probes, items=numbers(block.items.ravel()))

        return of_names

    def _keys(self, block: TrialBlock) -> Asked:
        """The keys of trials: the file of scores names its trials by them alone."""
        if KEY not in block.extra:
            raise TrialListError(
                f"{self._trials.where} does not name its trials, as the file of scores does: there is no {KEY} to a "
                "line"
            )
        keys = np.array([self._scores.names.find(text) for text in block.extra[KEY]], dtype=np.int64)
        return Asked(probes=keys, items=keys)

    def _nothing_found(self) -> TrialListError:
        ours, theirs = (" ".join(each.names.texts[:2]) for each in (self._trials, self._scores))
        return TrialListError(
            f"{self._scores.where} has no score for any pair of {self._trials.where}: it names pairs like "
            f"{theirs!r}, where the list has {ours!r}"
        )
