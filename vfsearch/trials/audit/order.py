"""Labels that the order of the trials gives away."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import WARNING, Finding, FindingKind
from vfsearch.data.trial_list import UNKNOWN, VERIFICATION
from vfsearch.trials.audit.check import MATED, Check, Seen
from vfsearch.trials.audit.knowledge import Subject
from vfsearch.trials.audit.separation import DEVIATIONS, separation

LONGEST_PERIOD = 16
LEAST_ASSOCIATION = 0.1
"""Cramér's V: 0 for no association, 1 where place tells label for certain."""

BY_PERIOD = FindingKind(
    name="label-by-period",
    severity=WARNING,
    unit="trials",
    meaning="The row number modulo a small number tells the label, so an evaluation may take it from there unnoticed.",
    definition=f"Trials whose label is the commonest one of their place in a period of 2 to {LONGEST_PERIOD} rows, for "
    f"the shortest period that tells it best; reported from Cramér's V {LEAST_ASSOCIATION:g} and {DEVIATIONS:g} "
    "standard deviations of chance; of the labelled trials.",
    source="audit of the Learnable PINs lists: five of eight alternate 1,0 and one public evaluation relies on it",
)
BY_PLACE = FindingKind(
    name="label-by-place",
    severity=WARNING,
    unit="trials",
    meaning="Mated trials stand early or late: the list is sorted by label, wholly or in part.",
    definition="Trials whose label is told right by the list cut in two at the best place; reported where the row "
    "number's AUC is 0.05 from 0.5 or more, and 5 standard deviations of chance; of the labelled trials.",
    source="Mann & Whitney, Annals of Mathematical Statistics 1947",
)
BY_PREVIOUS = FindingKind(
    name="label-by-previous",
    severity=WARNING,
    unit="trials",
    meaning="The label of the row before tells this one's: equal labels stand together, or avoid each other.",
    definition="Trials with the label of the row before (or the other one, where that is commoner), if their number is "
    f"{DEVIATIONS:g} standard deviations of chance and 10 % from what a random order gives; of all but the first.",
    source="Wald & Wolfowitz, Annals of Mathematical Statistics 1940",
)


class LabelOrder(Check):
    """Periods, halves and runs; 1 byte a trial is kept."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._labels: list[np.ndarray] = []

    def see(self, seen: Seen) -> None:
        """Keep the labels of a block."""
        if self.subject.trials.kind == VERIFICATION:
            self._labels.append(seen.labels[:, 0].astype(np.int8))

    def labels(self) -> np.ndarray:
        """(t,) bool labels of the labelled trials, in order."""
        labels = np.concatenate([np.empty(0, dtype=np.int8), *self._labels])
        return labels[labels != UNKNOWN] == MATED

    def findings(self) -> Iterator[Finding]:
        """What the order gives away; that of the row before only where it tells more than anything simpler."""
        labels = self.labels()
        if len(labels) < 2 or labels.all() or not labels.any():
            return
        found = [finding for finding in (by_period(labels), by_place(labels)) if finding]
        yield from found
        previous = by_previous(labels)
        if previous and previous.share > max((finding.share for finding in found), default=0.0) + 0.01:
            yield previous


def by_period(labels: np.ndarray) -> Finding | None:
    """Whether the place in a period tells the label; None where it does not."""
    periods = range(2, min(LONGEST_PERIOD, len(labels) // 4) + 1)
    found = {period: _association(labels, period) for period in periods}
    telling = {period: each[0] for period, each in found.items() if each[1] >= DEVIATIONS}
    most = max(telling.values(), default=0.0)
    if most < LEAST_ASSOCIATION:
        return None
    period = min(period for period, each in telling.items() if each >= 0.99 * most)
    right = sum(int(max(part.sum(), len(part) - part.sum())) for part in _places(labels, period))
    detail = "labels alternate" if period == 2 and right == len(labels) else f"period {period}"
    return Finding(kind=BY_PERIOD, count=right, of=len(labels), detail=detail)


def _places(labels: np.ndarray, period: int) -> list[np.ndarray]:
    return [labels[place::period] for place in range(period)]


def _association(labels: np.ndarray, period: int) -> tuple[float, float]:
    """Cramér's V of place in the period and label, and its chi square in standard deviations of chance."""
    share = labels.mean()
    squares = [(part.sum() - share * len(part)) ** 2 / len(part) for part in _places(labels, period)]
    chi_square = float(sum(squares) / (share * (1 - share)))
    freedom = period - 1
    return float(np.sqrt(chi_square / len(labels))), (chi_square - freedom) / np.sqrt(2 * freedom)


def by_place(labels: np.ndarray) -> Finding | None:
    """Whether mated trials stand early or late; None where not."""
    told = separation(np.arange(len(labels)), labels, ~labels)
    if not told.leaks:
        return None
    how = "all" if told.right == told.of else "more"
    detail = f"{how} mated trials stand {'first' if told.auc < 0.5 else 'last'}; AUC of the row {told.auc:.3f}"
    return Finding(kind=BY_PLACE, count=told.right, of=told.of, detail=detail)


def by_previous(labels: np.ndarray) -> Finding | None:
    """Whether the row before tells the label; None where not."""
    pairs, mated = len(labels) - 1, float(labels.sum())
    same = int(np.count_nonzero(labels[1:] == labels[:-1]))
    both = 2 * mated * (len(labels) - mated)
    changes = both / len(labels)
    spread = np.sqrt(both * (both - len(labels)) / (len(labels) ** 2 * pairs))
    far = abs(pairs - same - changes)
    if far < DEVIATIONS * spread or far < 0.1 * changes:
        return None
    clustered = pairs - same < changes
    detail = f"the longest run is of {longest_run(labels)}; {pairs - same:,} changes, {changes:,.0f} expected"
    return Finding(kind=BY_PREVIOUS, count=same if clustered else pairs - same, of=pairs, detail=detail)


def longest_run(labels: np.ndarray) -> int:
    """The most equal labels in a row.

    Example:
        >>> longest_run(np.array([True, False, False, True]))
        2
    """
    ends = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1], [True]]))
    return int(np.diff(ends).max())
