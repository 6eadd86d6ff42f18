"""Formats of pairs that need only say which field of a line is what."""

import contextlib
import dataclasses
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from vfsearch.data.trial_list import UNKNOWN, VERIFICATION, Names, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Format, Head
from vfsearch.trials.formats.field_writer import FieldWriter
from vfsearch.trials.formats.lines import LineBlock, line_blocks
from vfsearch.trials.formats.roles import (
    ITEM,
    ITEM_IDENTITY,
    KEY,
    LABEL,
    PROBE,
    PROBE_IDENTITY,
    SCORE,
    Layout,
    is_score,
    numbers_of,
    scores_of,
)
from vfsearch.trials.formats.told import Told

NAMELESS = "named_by"
"""In `TrialList.about` of a list whose lines name no items: what its names were made from."""
_LOOKED_AT, _BAD_LINES_IN = 50, 4
_VOXCELEB = re.compile(r"id\d{5}/")


def voxceleb_identity(name: str) -> str | None:
    """Whose an item is that is named as VoxCeleb names its files.

    Example:
        >>> voxceleb_identity("id10270/x6uYqmx31kE/00002.wav"), voxceleb_identity("034374.wav")
        ('id10270', None)
    """
    return name.partition("/")[0] if _VOXCELEB.match(name) else None


class FieldFormat(Format):
    """Formats of one trial a line, in fields parted by blanks.

    Args (class attributes):
        layouts: what a line may be; the one that fits most of the first lines of a file holds for all of it.
        labels: how labels are spelled, in lower case; the first spelling of a number is the one that is written.
        wanted: what a line holds, for messages.
        filled: what to write in fields of which a list says nothing, by role.
        names_tell: identities are told by names spelled as VoxCeleb's.
    """

    kinds = (VERIFICATION,)
    layouts: ClassVar[tuple[Layout, ...]]
    labels: ClassVar[Mapping[str, int]] = {"1": 1, "0": 0}
    wanted: ClassVar[str]
    filled: ClassVar[Mapping[str, str]] = {}
    names_tell: ClassVar[bool] = False
    separator: ClassVar[str | None] = None

    def recognise(self, head: Head) -> int:
        """By the number of fields, and by those that are labels or numbers."""
        rows = [line.split() for line in head.lines]
        layout, fitting = self._best(rows)
        # A bad line among many does not make it another format; the reader will name the line.
        if _BAD_LINES_IN * (len(rows) - len(fitting)) <= len(rows):
            return self.certainty(layout, fitting) if fitting else 0
        return 1 if rows[0] in fitting else 0

    def _best(self, rows: Sequence[Sequence[str]]) -> tuple[Layout, list[Sequence[str]]]:
        """The layout that fits most lines, and these lines."""
        found = [(each, [row for row in rows if self._fits(each, row)]) for each in self.layouts]
        return max(found, key=lambda layout_and_fitting: len(layout_and_fitting[1]))

    def certainty(self, layout: Layout, rows: Sequence[Sequence[str]]) -> int:
        """How sure lines that fit a layout are of this format."""
        return 2

    def _fits(self, layout: Layout, row: Sequence[str]) -> bool:
        return len(row) == len(layout) and all(map(self._can_be, layout.roles, row))

    def _can_be(self, role: str, text: str) -> bool:
        if role == LABEL:
            return self.label(text) is not None
        return role != SCORE or is_score(text)

    def label(self, text: str) -> int | None:
        """The number of a label, None for what is none."""
        return self.labels.get(text.strip().lower())

    def read(self, path: Path) -> TrialList:
        """The list in a file; identities, where its lines tell them, are known of the lines that have been read."""
        with contextlib.closing(line_blocks(path)) as blocks:
            first = next(blocks, None)
        if first is None:
            raise TrialListError(f"{path} holds no line; wanted lines of {self.wanted}")
        return self.listed(path, self._layout(first), functools.partial(line_blocks, path))

    def _layout(self, lines: LineBlock) -> Layout:
        layout, fitting = self._best([line.split() for line in lines.lines[:_LOOKED_AT]])
        if not fitting:
            raise lines.bad(0, self.wanted)
        return layout

    def listed(
        self, path: Path, layout: Layout, lines: Callable[[], Iterator[LineBlock]], **about: object
    ) -> TrialList:
        """The list whose lines are given.

        Args:
            path: what to call it.
            layout: of each line.
            lines: gives them from the beginning.
            about: what else is known of it.
        """
        names, told = Names(), Told()

        def blocks() -> Iterator[TrialBlock]:
            return (self._block(each, layout, names, told) for each in lines())

        return TrialList(
            kind=self.kinds[0],
            format=self.name,
            where=str(path),
            names=names,
            blocks=blocks,
            labelled=LABEL in layout or PROBE_IDENTITY in layout,
            scored=SCORE in layout,
            identities=self._teller(layout, told, lines),
            about=about if layout.named else {**about, NAMELESS: KEY if KEY in layout else "line"},
        )

    def _teller(
        self, layout: Layout, told: Told, lines: Callable[[], Iterator[LineBlock]]
    ) -> Callable[[str], str | None] | None:
        if PROBE_IDENTITY in layout:
            return told.get
        if not (self.names_tell and layout.named):
            return None
        with contextlib.closing(lines()) as blocks:
            row = next(blocks).lines[0].split(self.separator)
        spelled_so = len(row) == len(layout) and voxceleb_identity(row[layout.roles.index(PROBE)])
        return voxceleb_identity if spelled_so else None

    def _block(self, lines: LineBlock, layout: Layout, names: Names, told: Told) -> TrialBlock:
        cells = dict(zip(layout.roles, lines.columns(len(layout), self.wanted, self.separator), strict=True))
        probes, items = self._texts(lines, cells, layout)
        if PROBE_IDENTITY in layout:
            told.learn(lines, probes, cells[PROBE_IDENTITY])
            told.learn(lines, items, cells.get(ITEM_IDENTITY, cells[ITEM]))
        scores = scores_of(lines, cells[SCORE], self.wanted)[:, None] if SCORE in layout else None
        return TrialBlock(
            probes=names.numbers(probes),
            items=names.numbers(items)[:, None],
            mated=self._mated(lines, cells, layout),
            # Subtracted, not negated: a distance of nothing is to be 0, not -0.
            scores=0.0 - scores if scores is not None and self.distances else scores,
            lines=lines.line_numbers(),
            extra={role: cells[role] for role in layout.extra},
        )

    def _texts(
        self, lines: LineBlock, cells: Mapping[str, list[str]], layout: Layout
    ) -> tuple[Sequence[str], Sequence[str]]:
        """The names on both sides; where lines give none, the key or the line's number."""
        if not layout.named:
            texts = cells[KEY] if KEY in layout else [f"line {number}" for number in lines.numbers]
            return texts, texts
        if self.separator:
            for place, row in enumerate(zip(cells[PROBE], cells[ITEM], strict=True)):
                if not all(map(str.strip, row)):
                    raise lines.bad(place, f"{self.wanted}, none of the names empty")
        return cells[PROBE], cells[ITEM]

    def _mated(self, lines: LineBlock, cells: Mapping[str, list[str]], layout: Layout) -> np.ndarray:
        if PROBE_IDENTITY in layout:
            pairs = zip(cells[PROBE_IDENTITY], cells.get(ITEM_IDENTITY, cells[ITEM]), strict=True)
            return np.array([left == right for left, right in pairs], dtype=np.int64)
        if LABEL in layout:
            return numbers_of(lines, cells[LABEL], self.label, self.wanted)
        return np.full(len(lines.lines), UNKNOWN, dtype=np.int64)

    def problem(self, trials: TrialList) -> str:
        """Why a list cannot be held, or "": its kind, or what lines of the format need and it does not have."""
        if problem := super().problem(trials):
            return problem
        if trials.labelled and not self.writes_labels:
            return "it has no place for labels (vfsearch trials convert --drop labels leaves them out)"
        if self.fitting(trials):
            return ""
        if trials.about.get(NAMELESS) and all(each.named for each in self.layouts):
            return "its lines name both items, and the lines of this list name none"
        if not trials.scored and all(SCORE in each for each in self.layouts):
            return "its lines need scores, and this list has none"
        if trials.identities is None and all(PROBE_IDENTITY in each for each in self.layouts):
            return "its lines need identities, and none are known (vfsearch trials convert --identities gives them)"
        return "its lines need labels, and this list has none"

    def fitting(self, trials: TrialList) -> list[Layout]:
        """The layouts that can hold a list, those with more of what it has first."""
        able = [
            each
            for each in self.layouts
            if (SCORE in each) == trials.scored
            and (LABEL not in each or trials.labelled)
            and (PROBE_IDENTITY not in each or trials.identities is not None)
            and self._names_fit(each, trials.about.get(NAMELESS))
        ]
        return sorted(able, key=lambda each: LABEL not in each)

    def _names_fit(self, layout: Layout, named_by: object) -> bool:
        """A list whose lines name nothing cannot be given names, nor may names be dropped."""
        if layout.named:
            return named_by is None
        return KEY in layout or named_by == "line"

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """The lines. Where a format keeps scores and labels in two files, these are the scores."""
        self.require_holds(trials)
        return self._pieces(trials)

    def files(self, trials: TrialList, stem: str) -> dict[str, Iterator[bytes]]:
        """One file; a second one with the labels of scored trials where the format keeps them apart."""
        found = super().files(trials, stem)
        unscored = dataclasses.replace(trials, scored=False)
        if trials.scored and trials.labelled and LABEL not in self.fitting(trials)[0]:
            apart = [each for each in self.fitting(unscored) if LABEL in each]
            if apart:
                found[f"{stem}_labels{self.suffix}"] = self._pieces(unscored)
        return found

    def completed(self, trials: TrialList) -> Iterator[TrialBlock]:
        """The trials, with all that the lines need."""
        return trials.blocks()

    def _pieces(self, trials: TrialList) -> Iterator[bytes]:
        blocks = self.completed(trials)
        first = next(blocks, None)
        writer = FieldWriter(self, trials, self._richest(trials, first))
        yield writer.header()
        for block in itertools.chain([] if first is None else [first], blocks):
            yield writer.lines(block)

    def _richest(self, trials: TrialList, block: TrialBlock | None) -> Layout:
        """The layout that takes most of what the trials have."""
        has = {*self.filled, *(block.extra if block else ())}
        able = [each for each in self.fitting(trials) if block is None or has.issuperset(each.extra)]
        if not able:
            lacking = ", ".join(role for role in self.fitting(trials)[0].extra if role not in has)
            raise self.cannot_write(trials.where, f"its lines need a {lacking} for each trial, and this list has none")
        return max(able, key=lambda each: (LABEL in each, len(each.extra)))

    def label_text(self, number: int) -> str | None:
        """How a label is written, None for one that cannot be."""
        return next((text for text, each in self.labels.items() if each == number), None)

    def score_texts(self, scores: np.ndarray) -> list[str]:
        """How scores are written: such that they read back the same.

        Args:
            scores: (n,) as the format holds them.
        """
        return list(map(repr, scores.tolist()))
