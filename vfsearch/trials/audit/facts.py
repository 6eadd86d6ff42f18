"""Counts of a list: how many trials, items and people, and how they are spread."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import Finding
from vfsearch.data.trial_list import UNKNOWN
from vfsearch.trials.audit.check import MATED, NON_MATED, Check, Seen
from vfsearch.trials.audit.knowledge import Subject


class Facts(Check):
    """Counts alone; it finds nothing."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.trials = 0
        self._labels: dict[str, int] = {"mated": 0, "non_mated": 0, "unlabelled": 0}
        self._uses = {"probes": np.empty(0, dtype=np.int64), "items": np.empty(0, dtype=np.int64)}

    def see(self, seen: Seen) -> None:
        """Count a block."""
        block, names = seen.block, len(self.subject.trials.names)
        self.trials += len(block)
        for side, numbers in (("probes", block.probes), ("items", block.items.ravel())):
            uses = np.bincount(numbers, minlength=names)
            uses[: len(self._uses[side])] += self._uses[side]
            self._uses[side] = uses
        for name, label in (("mated", MATED), ("non_mated", NON_MATED), ("unlabelled", UNKNOWN)):
            self._labels[name] += int(np.count_nonzero(seen.labels == label))

    def findings(self) -> Iterator[Finding]:
        """Nothing."""
        return iter(())

    def to_json(self) -> dict:
        """The counts, as JSON."""
        trials = self.subject.trials
        people = self.subject.identity.numbers()
        return {
            "kind": trials.kind,
            "format": trials.format,
            "candidates": trials.candidates,
            "trials": self.trials,
            "pairs": dict(self._labels),
            "names": len(trials.names),
            "labels": self._told_by(),
            **{side: side_counts(uses, people) for side, uses in self._uses.items()},
            "identities": count_people(people),
        }

    def _told_by(self) -> str:
        """Who says what is mated."""
        if self._labels["mated"] + self._labels["non_mated"] == 0:
            return "nobody"
        return "the list" if self.subject.trials.labelled else "the identities"


def side_counts(uses: np.ndarray, people: np.ndarray) -> dict:
    """What stands on one side, as JSON.

    Args:
        uses: (n,) how often each name stands there.
        people: (n,) identity of each name, -1 where unknown.
    """
    used = uses > 0
    whose = people[used]
    _, each = np.unique(whose[whose != UNKNOWN], return_counts=True)
    return {
        "distinct": int(np.count_nonzero(used)),
        "used_once": int(np.count_nonzero(uses == 1)),
        "identities": len(each),
        "per_identity": spread(each),
    }


def count_people(people: np.ndarray) -> int:
    """How many identities are known."""
    return len(np.unique(people[people != UNKNOWN]))


def spread(counts: np.ndarray) -> dict | None:
    """Least, median and most of some counts; None of none.

    Example:
        >>> spread(np.array([1, 5, 2]))
        {'min': 1, 'median': 2.0, 'max': 5}
    """
    if not len(counts):
        return None
    return {"min": int(counts.min()), "median": float(np.median(counts)), "max": int(counts.max())}
