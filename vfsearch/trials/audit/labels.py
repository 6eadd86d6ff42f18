"""Labels that cannot be right, and how many there are of either."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import ERROR, NOTE, WARNING, Finding, FindingKind
from vfsearch.data.trial_list import MATCHING, VERIFICATION
from vfsearch.trials.audit.check import MATED, NON_MATED, Check, Seen, TrialCheck, everywhere
from vfsearch.trials.audit.knowledge import Subject

BALANCED = (0.45, 0.55)
"""Shares of mated pairs outside of these are warned of."""

FALSE_MATED = FindingKind(
    name="false-mated",
    severity=ERROR,
    unit="trials",
    meaning="The list calls two different people one.",
    definition="Trials marked mated (matching: the mate) whose two identities are known and differ; of all trials.",
)
FALSE_NON_MATED = FindingKind(
    name="false-non-mated",
    severity=ERROR,
    unit="trials",
    meaning="The list calls one person two: the right answer is counted as wrong.",
    definition="Trials marked non-mated (matching: with a negative) whose two identities are known and the same; of "
    "all trials.",
)
LABEL_SHARE = FindingKind(
    name="label-share",
    severity=NOTE,
    unit="trials",
    meaning="Accuracy, precision and the chance level of a ranking depend on it; AUC and EER do not.",
    definition="Mated trials, by the list's labels or else by the identities; of the trials whose label is known.",
)
LABEL_BALANCE = FindingKind(
    name="label-balance",
    severity=WARNING,
    unit="trials",
    meaning="One answer is right much more often than the other, so always giving it looks better than chance.",
    definition="As label-share; warned of where it lies outside 45 to 55 %.",
)
MATE_FIRST = FindingKind(
    name="mate-first",
    severity=NOTE,
    unit="trials",
    meaning="The mate stands first by the format: a tie that is given to the first candidate scores 100 %.",
    definition="All trials of a 1:N matching list.",
    source="a constant embedding scores 100 % in several public evaluations of 1:N lists",
)


class FalseMated(TrialCheck):
    """Mated by the list, not by the identities."""

    kind = FALSE_MATED

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Trials with such a candidate."""
        return ((seen.own == MATED) & (seen.same == NON_MATED)).any(axis=1), everywhere(seen.block)


class FalseNonMated(TrialCheck):
    """Not mated by the list, but by the identities."""

    kind = FALSE_NON_MATED

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Trials with such a candidate."""
        return ((seen.own == NON_MATED) & (seen.same == MATED)).any(axis=1), everywhere(seen.block)


class LabelShare(Check):
    """How many pairs are mated."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.mated = self.non_mated = 0

    def see(self, seen: Seen) -> None:
        """Count the labels of a block."""
        self.mated += int(np.count_nonzero(seen.labels == MATED))
        self.non_mated += int(np.count_nonzero(seen.labels == NON_MATED))

    def findings(self) -> Iterator[Finding]:
        """The share, and whether it is one-sided."""
        of = self.mated + self.non_mated
        if self.subject.trials.kind != VERIFICATION or not of:
            return
        yield Finding(kind=LABEL_SHARE, count=self.mated, of=of)
        if not BALANCED[0] <= self.mated / of <= BALANCED[1]:
            yield Finding(kind=LABEL_BALANCE, count=self.mated, of=of)

    def unchecked(self) -> dict[str, str]:
        """Nothing can be said of labels that nobody knows."""
        if self.mated + self.non_mated:
            return {}
        return {LABEL_SHARE.name: "the list has no labels, and the identities tell none: name tables of identities"}


class MateFirst(TrialCheck):
    """The place of the mate in 1:N matching."""

    kind = MATE_FIRST

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Every trial of a matching list."""
        return np.full(len(seen.block), self.subject.trials.kind == MATCHING), everywhere(seen.block)

    def findings(self) -> Iterator[Finding]:
        """The note alone: no trial is at fault."""
        if len(self.rows):
            yield Finding(kind=self.kind, count=len(self.rows), of=self.of)
