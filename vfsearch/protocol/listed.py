"""Published or own lists of trials, scored with named vectors, block by block."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.trial_list import RETRIEVAL, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.kernels.pairs import pair_scores
from vfsearch.protocol.kept_blocks import KeptBlocks
from vfsearch.protocol.listed_people import People
from vfsearch.protocol.listed_rows import ListedRows, RowsOfNames

MOST_HELD = 2**18
"""Pairs; a longer list is kept in a temporary file where it is wanted again."""


def scored(trials: TrialList, listed: ListedRows) -> TrialList:
    """The list with the scores of its trials.

    A trial one side of which has no vector scores -inf: it is the least alike.

    Args:
        trials: verification or 1:N matching; blocks are scored as they are read.
        listed: where the rows of its names are.
    Raises:
        TrialListError: it is no such list; while blocks are read: a name may stand for two rows, or none is known.
    """
    if trials.kind == RETRIEVAL:
        raise TrialListError(f"{trials.where} is a retrieval list: it has no trials to score one by one")
    return dataclasses.replace(trials, scored=True, blocks=lambda: _scored_blocks(trials, listed))


def _scored_blocks(trials: TrialList, listed: ListedRows) -> Iterator[TrialBlock]:
    rows = RowsOfNames(trials.names, listed, trials.where)
    for block in trials.blocks():
        probes = np.broadcast_to(rows(block.probes)[:, None], block.items.shape)
        scores = scores_of_rows(listed, probes.ravel(), rows(block.items.ravel()))
        yield dataclasses.replace(block, scores=scores.reshape(block.items.shape))
    rows.require_found()


def scores_of_rows(listed: ListedRows, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The exact scores of pairs of rows.

    Args:
        listed: whose rows they are.
        left, right: (t,) rows, -1 for one that is missing.
    Returns:
        (t,) float64; -inf where a row is missing.
    """
    there = (left != NO_ROW) & (right != NO_ROW)
    scores = np.full(len(left), -np.inf)
    scores[there] = pair_scores(listed.vectors, listed.vectors, left[there], right[there], listed.device)
    return scores


def labelled(trials: TrialList, people: People) -> TrialList:
    """The list with a label on each trial: its own, else whether both sides are of one identity.

    Raises:
        TrialListError: while blocks are read: a trial has no label, and of one of its sides nothing is known.
    """

    def blocks() -> Iterator[TrialBlock]:
        for block in trials.blocks():
            yield dataclasses.replace(block, mated=people.mated(block).astype(np.int64))

    return dataclasses.replace(trials, labelled=True, blocks=blocks)


def held(trials: TrialList, most: int | None = None) -> TrialList:
    """The list, its blocks kept once they were read to the end, so that they are not made again.

    They are kept in memory, many of them in a temporary file (`KeptBlocks`). Many with further columns, and many that
    are unlike each other, are not kept.

    Args:
        trials: the list.
        most: pairs to keep in memory; None: `MOST_HELD`.
    """
    if isinstance(trials.blocks, _Held):
        return trials
    return dataclasses.replace(trials, blocks=_Held(trials.blocks, MOST_HELD if most is None else most))


class _Held:
    def __init__(self, blocks: Callable[[], Iterator[TrialBlock]], most: int) -> None:
        self._blocks, self._most = blocks, most
        self._kept: Callable[[], Iterator[TrialBlock]] | None = None

    def __call__(self) -> Iterator[TrialBlock]:
        return self._keeping() if self._kept is None else self._kept()

    def _keeping(self) -> Iterator[TrialBlock]:
        keeping = _Keeping(self._most)
        for block in self._blocks():
            keeping.add(block)
            yield block
        self._kept = keeping.blocks() if keeping.whole else None


class _Keeping:
    """Blocks that are kept while they are read, as long as that is possible."""

    def __init__(self, most: int) -> None:
        self.whole = True
        self._most, self._pairs = most, 0
        self._in_memory: list[TrialBlock] = []
        self._on_disk: KeptBlocks | None = None

    def add(self, block: TrialBlock) -> None:
        if not self.whole:
            return
        self._in_memory.append(block)
        self._pairs += block.items.size
        if self._pairs > self._most:
            self._to_disk()

    def _to_disk(self) -> None:
        if self._on_disk is None:
            self._on_disk = KeptBlocks(self._in_memory[0])
        for block in self._in_memory:
            self.whole = self.whole and self._on_disk.holds(block)
            if self.whole:
                self._on_disk.add(block)
        self._in_memory = []
        if not self.whole:
            self._on_disk = None

    def blocks(self) -> Callable[[], Iterator[TrialBlock]]:
        kept = self._in_memory
        return (lambda: iter(kept)) if self._on_disk is None else self._on_disk
