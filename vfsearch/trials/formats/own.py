"""Our own format: what a list says, all of it, in columns.

The first line is `#vfsearch <kind> 1 <about, as JSON on one line>`, the second names the columns, each further one is a
trial; cells are parted by tabs. `mated` is 1, 0 or ? (not said); scores are written so that they read back the same,
"nan" where there is none, "-inf" for a pair that could not be scored. See `escapes` for names that hold tabs.
"""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vfsearch.data.trial_list import KINDS, MATCHING, RELEVANCE, RETRIEVAL, Names, RetrievalSides, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Format, Head
from vfsearch.trials.formats.escapes import escape, unescape
from vfsearch.trials.formats.lines import LineBlock, first_lines, line_blocks
from vfsearch.trials.formats.own_columns import ITEM, PROBE, SIDE, Columns, columns_for, columns_in
from vfsearch.trials.formats.told import Told
from vfsearch.trials.formats.written import Written

MARK, VERSION = "#vfsearch", "1"
_FIRST_LINE = re.compile(rf"{MARK} +([a-z]+) +(\S+) +(\{{.*\}})\s*")
_LABELS = {"1": 1, "0": 0, "?": -1}
_LABEL_TEXTS = {number: text for text, number in _LABELS.items()}
_SIDES = ("probe", "gallery")
_ROWS_PER_PIECE = 65_536
_LARGEST_GRADE = 2**31


class Own(Format):
    """vfsearch's own format."""

    name = "vfsearch"
    summary = "columns parted by tabs: everything that a list says"
    kinds = KINDS
    source = "vfsearch"
    writes_scores = True
    suffix = ".tsv"

    def recognise(self, head: Head) -> int:
        """By the first word, which no other format has."""
        return 3 if head.lines and head.lines[0].startswith(f"{MARK} ") else 0

    def read(self, path: Path) -> TrialList:
        """The list in a file of ours; identities are known of the names that have been read so far."""
        kind, about, columns = _header(path)
        file = _File(path=path, kind=kind, columns=columns)
        return TrialList(
            kind=kind,
            format=self.name,
            where=str(path),
            names=file.names,
            blocks=file.blocks,
            sides=file.sides if kind == RETRIEVAL else None,
            candidates=len(columns.items) if kind == MATCHING else None,
            labelled=kind == MATCHING or bool(columns.label or (kind == RETRIEVAL and columns.identities)),
            scored=bool(columns.scores),
            identities=file.told.get if columns.identities else None,
            about=about,
        )

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """Header and rows."""
        about = json.dumps(dict(trials.about))
        yield f"{MARK} {trials.kind} {VERSION} {about}\n".encode()
        rows = _retrieval_rows(trials) if trials.kind == RETRIEVAL else _trial_rows(trials)
        yield from rows


def _header(path: Path) -> tuple[str, dict, Columns]:
    """Kind, what the file says of itself, and its columns."""
    lines = first_lines(path, 2)
    found = _FIRST_LINE.fullmatch(lines[0]) if lines else None
    if found is None:
        raise TrialListError(
            f"{path}, line 1: wanted `{MARK} <kind> {VERSION} {{...}}`, got {''.join(lines[:1])[:80]!r}"
        )
    kind, version, about = found.groups()
    if kind not in KINDS or version != VERSION:
        raise TrialListError(
            f"{path}, line 1: a list of {kind[:40]} in version {version[:40]}; this vfsearch reads version {VERSION} "
            f"of {', '.join(KINDS)}"
        )
    if len(lines) < 2:
        raise TrialListError(f"{path}, line 2: the names of the columns are missing")
    return kind, _about(about, path), columns_in(kind, lines[1].split("\t"), str(path))


def _about(text: str, path: Path) -> dict:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TrialListError(f"{path}, line 1: what follows the version is no JSON: {error}") from error


@dataclass(frozen=True, kw_only=True)
class _File:
    """A file that is being read.

    Args:
        path: where it is.
        kind: of the list.
        columns: that it has.
        names: found so far.
        told: whose these are, found so far.
    """

    path: Path
    kind: str
    columns: Columns
    names: Names = field(default_factory=Names)
    told: Told = field(default_factory=Told)

    def blocks(self) -> Iterator[TrialBlock]:
        """The trials; none for retrieval."""
        if self.kind != RETRIEVAL:
            for lines in line_blocks(self.path, skip=2):
                yield self._block(lines, self._cells(lines))

    def _cells(self, lines: LineBlock) -> list[list[str]]:
        names = self.columns.names
        cells = lines.columns(len(names), f"{len(names)} cells parted by tabs ({', '.join(names[:5])})", "\t")
        if not any("\\" in line for line in lines.lines):
            return cells
        return [_unescaped(column, lines) for column in cells]

    def _block(self, lines: LineBlock, cells: list[list[str]]) -> TrialBlock:
        columns = self.columns
        texts = columns.pick(cells, (PROBE, *columns.items))
        self._learn(lines, texts, cells)
        probes, *items = [self._numbers(lines, column) for column in texts]
        return TrialBlock(
            probes=probes,
            items=np.stack(items, axis=1),
            mated=self._mated(lines, cells),
            scores=self._scores(lines, cells),
            lines=lines.line_numbers(),
            extra=dict(zip(columns.extra, columns.pick(cells, columns.extra), strict=True)),
        )

    def _numbers(self, lines: LineBlock, texts: list[str]) -> np.ndarray:
        if "" in texts:
            raise lines.bad(texts.index(""), "a name in each column of items")
        return self.names.numbers(texts)

    def _learn(self, lines: LineBlock, items: Sequence[list[str]], cells: Sequence[list[str]]) -> None:
        owners = self.columns.pick(cells, self.columns.identities)
        # Without columns of identities there are no owners.
        for names, identities in zip(items, owners, strict=False):
            self.told.learn(lines, names, identities)

    def _mated(self, lines: LineBlock, cells: list[list[str]]) -> np.ndarray:
        if self.kind == MATCHING:
            return np.ones(len(lines.lines), dtype=np.int64)
        if not self.columns.label:
            return np.full(len(lines.lines), -1, dtype=np.int64)
        (texts,) = self.columns.pick(cells, (self.columns.label,))
        numbers = [_grade(text) if self.kind == RELEVANCE else _LABELS.get(text) for text in texts]
        if None in numbers:
            wanted = "a whole number as grade" if self.kind == RELEVANCE else "1, 0 or ? in the column mated"
            raise lines.bad(numbers.index(None), wanted)
        return np.array(numbers, dtype=np.int64)

    def _scores(self, lines: LineBlock, cells: list[list[str]]) -> np.ndarray | None:
        if not self.columns.scores:
            return None
        columns = self.columns.pick(cells, self.columns.scores)
        return np.stack([lines.floats(column, "a number as score") for column in columns], axis=1)

    def sides(self) -> RetrievalSides:
        """The two sides of retrieval."""
        numbers: dict[str, list[np.ndarray]] = {side: [] for side in _SIDES}
        for lines in line_blocks(self.path, skip=2):
            cells = self._cells(lines)
            sides, items = self.columns.pick(cells, (SIDE, ITEM))
            for place, side in enumerate(sides):
                if side not in _SIDES:
                    raise lines.bad(place, "probe or gallery in the column side")
            found, is_probe = self._numbers(lines, items), np.array(sides) == _SIDES[0]
            self._learn(lines, [items], cells)
            numbers["probe"].append(found[is_probe])
            numbers["gallery"].append(found[~is_probe])
        empty = np.empty(0, dtype=np.int64)
        return RetrievalSides(**{_FIELD[side]: np.concatenate([empty, *parts]) for side, parts in numbers.items()})


_FIELD = {"probe": "probes", "gallery": "gallery"}


def _unescaped(column: list[str], lines: LineBlock) -> list[str]:
    found = []
    for text in column:
        try:
            found.append(unescape(text))
        except ValueError:
            raise lines.bad(len(found), r"no other backslashes than \\, \t, \n, \r and \uXXXX") from None
    return found


def _grade(text: str) -> int | None:
    try:
        grade = int(text)
    except ValueError:
        return None
    return grade if abs(grade) < _LARGEST_GRADE else None


def _trial_rows(trials: TrialList) -> Iterator[bytes]:
    """The names of the columns, then the rows."""
    blocks = trials.blocks()
    first = next(blocks, None)
    columns = columns_for(trials, tuple(first.extra) if first else ())
    yield _line(columns.names)
    names = Written(trials.names, _name_speller(trials.where))
    owners = _owners(trials)
    for block in itertools.chain([first] if first else [], blocks):
        _require_candidates(trials, block, columns)
        cells = [*_name_cells(block, names), *_label_cells(block, columns)]
        if columns.identities:
            cells += _name_cells(block, owners)
        cells += _score_cells(block, columns)
        cells += [list(map(escape, block.extra[name])) for name in columns.extra]
        yield _rows(cells)


def _require_candidates(trials: TrialList, block: TrialBlock, columns: Columns) -> None:
    if block.items.shape[1] != len(columns.items):
        raise TrialListError(
            f"{trials.where} cannot be written: it is a list of {len(columns.items)} items a trial, line "
            f"{block.lines[0]} has {block.items.shape[1]}"
        )


def _name_speller(where: str) -> Callable[[str], str]:
    def spell(name: str) -> str:
        if not name:
            raise TrialListError(f"{where} cannot be written: an item has an empty name")
        return escape(name)

    return spell


def _owners(trials: TrialList) -> Written:
    tell: Callable[[str], str | None] = trials.identities or (lambda name: None)
    return Written(trials.names, lambda name: escape(tell(name) or ""))


def _name_cells(block: TrialBlock, names: Written) -> list[list[str]]:
    return [names.texts(block.probes), *(names.texts(column) for column in block.items.T)]


def _label_cells(block: TrialBlock, columns: Columns) -> list[list[str]]:
    if not columns.label:
        return []
    if columns.label == "grade":
        return [list(map(str, block.mated.tolist()))]
    return [[_LABEL_TEXTS[number] for number in block.mated.tolist()]]


def _score_cells(block: TrialBlock, columns: Columns) -> list[list[str]]:
    if not columns.scores:
        return []
    scores = np.full(block.items.shape, np.nan) if block.scores is None else block.scores
    return [list(map(repr, column.tolist())) for column in scores.T.astype(np.float64)]


def _retrieval_rows(trials: TrialList) -> Iterator[bytes]:
    columns = columns_for(trials, ())
    yield _line(columns.names)
    sides = trials.sides()
    names, owners = Written(trials.names, _name_speller(trials.where)), _owners(trials)
    for side, numbers in zip(_SIDES, (sides.probes, sides.gallery), strict=True):
        for start in range(0, len(numbers), _ROWS_PER_PIECE):
            part = numbers[start : start + _ROWS_PER_PIECE]
            cells = [[side] * len(part), names.texts(part)]
            yield _rows([*cells, owners.texts(part)] if columns.identities else cells)


def _line(cells: Sequence[str]) -> bytes:
    return ("\t".join(cells) + "\n").encode()


def _rows(columns: Sequence[Sequence[str]]) -> bytes:
    lines = map("\t".join, zip(*columns, strict=True))
    return "".join(f"{line}\n" for line in lines).encode()
