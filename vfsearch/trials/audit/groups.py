"""Whether negatives are like the probe: of the group's rule, and as it happens to be."""

import re
from collections.abc import Iterator
from pathlib import PurePath

import numpy as np

from vfsearch.data.findings import NOTE, WARNING, Finding, FindingKind
from vfsearch.data.trial_list import UNKNOWN
from vfsearch.trials.audit.check import NON_MATED, Check, Seen
from vfsearch.trials.audit.knowledge import ByName, Subject

NOT_OF_PEOPLE = ("set", "split")
"""Columns that say what a corpus does with people, not what they are."""

GROUP_RULE = FindingKind(
    name="group-rule",
    severity=WARNING,
    unit="trials",
    meaning="The list promises negatives like the probe, and these differ: they are easier than the others.",
    definition="Trials with a negative whose person has another value than the probe's in a column of the group, both "
    "known; of the trials with a negative of which both are known. The table may be younger than the list.",
    source="audit of the Learnable PINs lists: 0.3 to 1.9 % of the negatives of G and GNA cross gender",
)
ALIKE_NEGATIVES = FindingKind(
    name="alike-negatives",
    severity=NOTE,
    unit="negatives",
    meaning="Negatives unlike the probe can be told by the column alone, so this says how much of a score it explains.",
    definition="Non-mated pairs whose two people have the same value in the column; of those of which both are known.",
)


def group_hint(where: str) -> str:
    """The group that a file's name speaks of, "" for none; a name proves nothing.

    Example:
        >>> group_hint("match_g_v2f_2_val.txt.gz"), group_hint("veriflist_test_GNA_seenheard.txt"), group_hint("a.txt")
        ('G', 'GNA', '')
    """
    words = re.split(r"[_.\-]", PurePath(where).name)[1:-1]
    found = [word.upper() for word in words if re.fullmatch(r"G?N?A?|g?n?a?", word) and word]
    return found[0] if found else ""


class Negatives(Check):
    """Values of the columns on both sides of non-mated pairs."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        columns = dict.fromkeys([*subject.knowledge.group, *_of_people(subject.columns())])
        self._columns = {column: _Column(subject.column(column)) for column in columns}

    def see(self, seen: Seen) -> None:
        """Compare the values of a block."""
        negative = seen.labels == NON_MATED
        for column in self._columns.values():
            column.see(seen, negative)

    def findings(self) -> Iterator[Finding]:
        """Broken rules, then shares of columns that part the people."""
        for name in self.subject.knowledge.group:
            column = self._columns[name]
            rows = np.concatenate([np.empty(0, dtype=np.int64), *column.rows])
            if len(rows):
                yield Finding(kind=GROUP_RULE, count=len(rows), of=column.trials, detail=name, rows=rows)
        for name, column in self._columns.items():
            if column.pairs and column.parts():
                yield Finding(kind=ALIKE_NEGATIVES, count=column.alike, of=column.pairs, detail=name)

    def unchecked(self) -> dict[str, str]:
        """Groups of which nothing is known, and groups that the file's name speaks of."""
        known, group = self.subject.knowledge, self.subject.knowledge.group
        unknown = [name for name in group if not self._columns[name].trials]
        hint = group_hint(self.subject.trials.where)
        if unknown:
            return {
                GROUP_RULE.name: f"no negative's {' and '.join(unknown)} is known on both sides: {known.table.where}"
            }
        if hint and not group:
            return {
                GROUP_RULE.name: f"no group was named; the file's name hints at {hint}: check it with --group {hint}"
            }
        return {}


def _of_people(columns: list[str]) -> list[str]:
    return [column for column in columns if column not in NOT_OF_PEOPLE]


class _Column:
    """One column of both sides."""

    def __init__(self, values: ByName) -> None:
        self.values = values
        self.rows: list[np.ndarray] = []
        self.alike = self.pairs = self.trials = 0

    def see(self, seen: Seen, negative: np.ndarray) -> None:
        values = self.values.numbers()
        probes, items = values[seen.block.probes][:, None], values[seen.block.items]
        known = negative & (probes != UNKNOWN) & (items != UNKNOWN)
        alike = known & (probes == items)
        self.alike += int(np.count_nonzero(alike))
        self.pairs += int(np.count_nonzero(known))
        self.trials += int(np.count_nonzero(known.any(axis=1)))
        self.rows.append(seen.first + np.flatnonzero((known & ~alike).any(axis=1)))

    def parts(self) -> bool:
        """Whether the column parts the people at all, and is no name of its own for each."""
        return 2 <= len(self.values.texts) <= 64
