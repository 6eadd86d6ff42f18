"""What an audit knows beside the list itself."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field

import numpy as np

from vfsearch.data.findings import Example
from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import UNKNOWN, Names, TrialBlock, TrialList
from vfsearch.trials.audit.video import video_of
from vfsearch.trials.constraints import LETTERS, age_span

EXAMPLES = 3
"""A finding, unless more are asked for."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Training:
    """What a model was trained on.

    Args:
        identities: names of people.
        items: names of clips and photos, where known.
        where: what to call it in messages.
    """

    identities: Container[str]
    items: Container[str] = frozenset()
    where: str = "the training"


@dataclass(frozen=True, kw_only=True, eq=False)
class Knowledge:
    """What is known beside the list itself; all of it may be missing.

    Args:
        table: whose the items are, columns of these people, sources of the items.
        present: the items that there are (of a manifest, of a store).
        training: what a model was trained on.
        group: columns in which probe and negatives must agree (gender, nationality, ...).
    """

    table: IdentityTable = field(default_factory=lambda: IdentityTable(identities={}))
    present: Container[str] | None = None
    training: Training | None = None
    group: tuple[str, ...] = ()


class ByName:
    """A number for what a function says of each name; a name is asked for once.

    Args:
        names: of the list; it may grow.
        say: gives a text, or None where it knows nothing.
    Example:
        >>> names = Names(["a/1", "b/1", "a/2"])
        >>> first = ByName(names, lambda name: name.partition("/")[0])
        >>> first.numbers().tolist(), first.texts.texts
        ([0, 1, 0], ['a', 'b'])
    """

    def __init__(self, names: Names, say: Callable[[str], str | None]) -> None:
        self.texts = Names()
        self._names, self._say = names, say
        self._numbers = np.empty(0, dtype=np.int64)

    def numbers(self) -> np.ndarray:
        """(n,) int64 by number of the name, -1 where nothing is known."""
        if len(self._numbers) < len(self._names):
            said = [self._say(name) for name in self._names.texts[len(self._numbers) :]]
            known = np.array([text is not None for text in said])
            new = np.full(len(said), UNKNOWN, dtype=np.int64)
            new[known] = self.texts.numbers(text for text in said if text is not None)
            self._numbers = np.concatenate([self._numbers, new])
        return self._numbers

    def known(self) -> np.ndarray:
        """(n,) bool: something is known of the name."""
        return self.numbers() != UNKNOWN

    def text(self, name: int) -> str:
        """What is said of the name of a number, "" where nothing is."""
        number = self.numbers()[name]
        return "" if number == UNKNOWN else self.texts.texts[number]


class Subject:
    """The list that is audited, with all that is known of its names.

    Args:
        trials: the list.
        knowledge: what is known beside it.
        examples: most of them a finding.
    """

    def __init__(self, trials: TrialList, knowledge: Knowledge, examples: int = EXAMPLES) -> None:
        self.trials, self.knowledge, self.most_examples = trials, knowledge, examples
        self.identity = ByName(trials.names, self.identity_of)
        self.source = ByName(trials.names, self._source)
        self._first_lines = np.empty(0, dtype=np.int64)

    def identity_of(self, name: str) -> str | None:
        """By the table; else by the list, whose name for a person the table may know under another one."""
        table, own = self.knowledge.table, self.trials.identities
        found = table.identity(name)
        if found is None and own is not None and (told := own(name)) is not None:
            return table.identities.get(told, told)
        return found

    def _source(self, name: str) -> str | None:
        return self.knowledge.table.sources.get(name) or video_of(name)

    def note_lines(self, block: TrialBlock) -> None:
        """Remember where the names of a block stand first."""
        known = len(self._first_lines)
        numbers = np.column_stack([block.probes, block.items]).ravel()
        new = np.flatnonzero(numbers >= known)[::-1]
        first = np.full(len(self.trials.names) - known, UNKNOWN, dtype=np.int64)
        # The last assignment to a place wins: backwards, that is the earliest line.
        first[numbers[new] - known] = block.lines[new // (1 + block.items.shape[1])]
        self._first_lines = np.concatenate([self._first_lines, first])

    def examples(self, numbers: np.ndarray) -> tuple[Example, ...]:
        """The first few of some names, with the lines in which they stand first."""
        chosen = numbers[: self.most_examples].tolist()
        lines = [int(self._first_lines[number]) for number in chosen]
        return tuple(
            Example(trial=(self.trials.names.texts[number],), line=None if line == UNKNOWN else line)
            for number, line in zip(chosen, lines, strict=True)
        )

    def column(self, column: str) -> ByName:
        """What a column says of the person of each name; an age that is a number stands for its decade."""
        table = self.knowledge.table

        def say(name: str) -> str | None:
            identity = self.identity_of(name)
            text = "" if identity is None else table.value(identity, column)
            return (age_span(text) if column == LETTERS["A"] else text) or None

        return ByName(self.trials.names, say)

    def columns(self) -> list[str]:
        """The columns that the table has, sorted."""
        return sorted({column for columns in self.knowledge.table.columns.values() for column in columns})
