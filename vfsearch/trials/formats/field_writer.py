"""Trials as lines of fields."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from vfsearch.data.trial_list import TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.roles import (
    ITEM,
    ITEM_IDENTITY,
    LABEL,
    PROBE,
    PROBE_IDENTITY,
    SCORE,
    Layout,
)
from vfsearch.trials.formats.written import Written, without_blanks, without_separator


class Spelling(Protocol):
    """What a format says of its fields; see `FieldFormat`."""

    name: str
    separator: str | None
    distances: bool
    filled: Mapping[str, str]

    def label_text(self, number: int) -> str | None:
        """How a label is written."""

    def score_texts(self, scores: np.ndarray) -> list[str]:
        """How scores are written."""

    def cannot_write(self, where: str, problem: str) -> TrialListError:
        """The error for what the format cannot hold."""


class FieldWriter:
    """The lines of one list.

    Args:
        format: how its fields are spelled.
        trials: the list.
        layout: of each line.
    """

    def __init__(self, format: Spelling, trials: TrialList, layout: Layout) -> None:
        self._format, self._layout, self._where = format, layout, trials.where
        self._spell = self._spelling()
        self._names = Written(trials.names, self._spell)
        self._owners = Written(trials.names, self._owner(trials))

    def header(self) -> bytes:
        """The line that names the columns, if there is to be one."""
        return ("\t".join(self._layout.header) + "\n").encode() if self._layout.header else b""

    def lines(self, block: TrialBlock) -> bytes:
        """The lines of a block.

        Raises:
            TrialListError: a name, label or score that the format cannot hold; the message says which.
        """
        columns = [self._column(role, block) for role in self._layout.roles]
        separator = self._format.separator or " "
        return "".join(f"{separator.join(row)}\n" for row in zip(*columns, strict=True)).encode()

    def _column(self, role: str, block: TrialBlock) -> Sequence[str]:
        if role in (PROBE, ITEM):
            return self._names.texts(block.probes if role == PROBE else block.items[:, 0])
        if role in (PROBE_IDENTITY, ITEM_IDENTITY):
            return self._owners.texts(block.probes if role == PROBE_IDENTITY else block.items[:, 0])
        if role == LABEL:
            return self._labels(block)
        if role == SCORE:
            return self._scores(block)
        return [role[1:]] * len(block) if role.startswith("=") else self._extra(role, block)

    def _labels(self, block: TrialBlock) -> Sequence[str]:
        spelled = {number: self._format.label_text(number) for number in set(block.mated.tolist())}
        texts = [spelled[number] for number in block.mated.tolist()]
        if None in texts:
            raise self._bad(block, texts.index(None), "its lines need a label, and this trial has none")
        return texts

    def _scores(self, block: TrialBlock) -> Sequence[str]:
        scores = np.full(len(block), np.nan) if block.scores is None else block.scores[:, 0].astype(np.float64)
        lacking = np.flatnonzero(np.isnan(scores))
        if len(lacking):
            raise self._bad(block, int(lacking[0]), "its lines need a score, and this trial has none")
        return self._format.score_texts(0.0 - scores if self._format.distances else scores)

    def _extra(self, role: str, block: TrialBlock) -> Sequence[str]:
        if role not in block.extra:
            return [self._format.filled[role]] * len(block)
        texts = block.extra[role]
        for text in set(texts):
            self._spell(text)
        return texts

    def _bad(self, block: TrialBlock, place: int, problem: str) -> TrialListError:
        return self._format.cannot_write(f"{self._where}, line {block.lines[place]},", problem)

    def _spelling(self) -> Callable[[str], str]:
        separator, name = self._format.separator, self._format.name
        plain = without_separator(separator, name, self._where) if separator else without_blanks(name, self._where)

        def spell(text: str) -> str:
            # A mark of byte order at the beginning of a file is taken for just that.
            if text.startswith("\ufeff"):
                raise self._format.cannot_write(self._where, f"the name {text!r} begins with a mark of byte order")
            return plain(text)

        return spell

    def _owner(self, trials: TrialList) -> Callable[[str], str]:
        tell = trials.identities or (lambda name: None)

        def owner(name: str) -> str:
            identity = tell(name)
            if identity is None:
                raise self._format.cannot_write(trials.where, f"it is not known whose {name!r} is")
            return self._spell(identity)

        return owner
