"""What every check of an audit is made of."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfsearch.data.findings import Finding, FindingKind
from vfsearch.data.trial_list import MATCHING, RELEVANCE, UNKNOWN, TrialBlock
from vfsearch.trials.audit.knowledge import Subject

MATED, NON_MATED = 1, 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """A block of trials with what is known of it.

    Args:
        first: place of its first trial in the list, from 0.
        block: the trials.
        own: (t, c) int64 what the list says: 1 mated, 0 not, -1 nothing.
        people: (n,) int64 identity of each name, -1 where unknown.
    """

    first: int
    block: TrialBlock
    own: np.ndarray
    people: np.ndarray

    @cached_property
    def same(self) -> np.ndarray:
        """(t, c) int64: 1 where the identities are the same, 0 where they differ, -1 where one is unknown."""
        probes, items = self.people[self.block.probes][:, None], self.people[self.block.items]
        return np.where((probes == UNKNOWN) | (items == UNKNOWN), UNKNOWN, probes == items)

    @cached_property
    def labels(self) -> np.ndarray:
        """(t, c) int64: what the list says; where it says nothing, what the identities say."""
        return self.own if (self.own != UNKNOWN).all() else np.where(self.own == UNKNOWN, self.same, self.own)


def seen_block(block: TrialBlock, first: int, subject: Subject) -> Seen:
    """A block with what is known of it; `first` is the place of its first trial."""
    kind = subject.trials.kind
    own = np.zeros(block.items.shape, dtype=np.int64)
    if kind == MATCHING:
        own[:, 0] = MATED
    else:
        own[:] = (np.minimum(block.mated, MATED) if kind == RELEVANCE else block.mated)[:, None]
    return Seen(first=first, block=block, own=own, people=subject.identity.numbers())


class Check(ABC):
    """Looks for one thing, block by block.

    Args:
        subject: the list.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @abstractmethod
    def see(self, seen: Seen) -> None:
        """Take in the next block."""

    @abstractmethod
    def findings(self) -> Iterator[Finding]:
        """What was found, once all blocks were seen; examples are added later."""

    def unchecked(self) -> dict[str, str]:
        """What could not be looked for, and why."""
        return {}


class TrialCheck(Check):
    """A check that looks at each trial by itself."""

    kind: FindingKind

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.of = 0
        self._rows: list[np.ndarray] = []

    @abstractmethod
    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Which trials of a block are bad, and which could be: (t,) bool each."""

    def see(self, seen: Seen) -> None:
        """Note the bad trials of a block."""
        bad, possible = self.bad(seen)
        self.of += int(np.count_nonzero(possible))
        self._rows.append(seen.first + np.flatnonzero(bad))

    @property
    def rows(self) -> np.ndarray:
        """(m,) int64 places of the bad trials."""
        return np.concatenate([np.empty(0, dtype=np.int64), *self._rows])

    def findings(self) -> Iterator[Finding]:
        """One finding, if there is a bad trial."""
        if len(self.rows):
            yield Finding(kind=self.kind, count=len(self.rows), of=self.of, rows=self.rows)


def everywhere(block: TrialBlock) -> np.ndarray:
    """(t,) bool: every trial could be bad."""
    return np.ones(len(block), dtype=bool)
