"""The paper's lists: match_*, verify_* and reterival_* (spelled so), names parted by blanks.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021; the files of the authors' repository.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from vfsearch.data.trial_list import (
    MATCHING,
    RETRIEVAL,
    UNKNOWN,
    VERIFICATION,
    Names,
    RetrievalSides,
    TrialBlock,
    TrialList,
)
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Format, Head
from vfsearch.trials.formats.lines import HEAD_BYTES, is_number, line_blocks, read_head
from vfsearch.trials.formats.name_lines import like_the_first, matching_list, name_blocks, name_lines
from vfsearch.trials.formats.tables_beside import identities_of, paper_tables, said_of
from vfsearch.trials.formats.written import Written, without_blanks
from vfsearch.trials.owners import Owners, implied_labels

PREFIXES = {"match": MATCHING, "verify": VERIFICATION, "reterival": RETRIEVAL, "retrieval": RETRIEVAL}
"""How a file's name begins -> the kind of its list; the authors' programs go by it."""
_PREFIX_OF = {MATCHING: "match", VERIFICATION: "verify", RETRIEVAL: "reterival"}
_SUFFIXES = {"voice": (".wav", ".flac", ".m4a", ".mp3", ".ogg"), "face": (".jpg", ".jpeg", ".png")}


class Wen2021(Format):
    """match_*: probe, its mate, others; verify_*: two names without a label; reterival_*: two lines, the two sides."""

    name = "wen2021"
    summary = "match: probe, mate, others; verify: two names, no label; retrieval: two lines, probes and gallery"
    kinds = (MATCHING, VERIFICATION, RETRIEVAL)
    source = "Wen et al., Seeking the Shape of Sound, CVPR 2021"
    writes_labels = False

    def recognise(self, head: Head) -> int:
        """By clips on one side and photos on the other, and by the name of the file."""
        kind = kind_of(head)
        rows = _rows(head) if kind == RETRIEVAL else like_the_first(_rows(head))
        if kind is None or not rows or not _would_parse(rows, kind):
            return 0
        if not _crosses(rows, kind, len(head.data) >= HEAD_BYTES) or _looks_like_cmpc(rows):
            return 1
        return 3 if kind_by_name(head.name) else 2

    def read(self, path: Path) -> TrialList:
        """The list in a file of the authors' layout.

        Its kind is told by its name, else by its lines. Identities are looked for in `vox1_*.csv` beside it.
        """
        kind = kind_of(read_head(path))
        if kind is None:
            raise TrialListError(f"{path}, line 1: wanted at least two names parted by blanks")
        tables = paper_tables(path)
        known = {"where": str(path), "identities": identities_of(tables), "about": said_of(tables)}
        if kind == MATCHING:
            return matching_list(path, format=self.name, **known)
        names = Names()
        if kind == RETRIEVAL:
            sides = functools.partial(_sides, path, names)
            return TrialList(kind=kind, format=self.name, names=names, blocks=_no_blocks, sides=sides, labelled=False,
                             **known)  # fmt: skip
        blocks = functools.partial(name_blocks, path, names, 2, UNKNOWN)
        return TrialList(kind=kind, format=self.name, names=names, blocks=blocks, labelled=False, **known)

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """The authors' lines; labels of pairs must be those that identities imply, for the lines hold none."""
        self.require_holds(trials)
        names = Written(trials.names, without_blanks(self.name, trials.where))
        if trials.kind == RETRIEVAL:
            return _side_lines(trials, names)
        return self._trial_lines(trials, names)

    def files(self, trials: TrialList, stem: str) -> dict[str, Iterator[bytes]]:
        """One file, whose name begins with what the authors' programs want for its kind."""
        self.require_holds(trials)
        begins = kind_by_name(stem) == trials.kind
        return super().files(trials, stem if begins else f"{_PREFIX_OF[trials.kind]}_{stem}")

    def problem(self, trials: TrialList) -> str:
        """Why a list cannot be held: labels of pairs are, only if identities imply them."""
        if problem := super().problem(trials):
            return problem
        if trials.kind == VERIFICATION and trials.labelled and trials.identities is None:
            return (
                "its lines hold no labels, and no identities are known that imply them (vfsearch trials convert "
                "--identities gives them, --drop labels leaves the labels out)"
            )
        return ""

    def _trial_lines(self, trials: TrialList, names: Written) -> Iterator[bytes]:
        implied = trials.kind == VERIFICATION and trials.labelled
        owners = Owners(trials.names, trials.identities) if implied else None
        for block in trials.blocks():
            if owners:
                self._require_implied(trials, block, owners)
            yield name_lines(block, names)

    def _require_implied(self, trials: TrialList, block: TrialBlock, owners: Owners) -> None:
        wrong = np.flatnonzero(implied_labels(block, owners) != block.mated)
        if len(wrong):
            raise self.cannot_write(
                trials.where,
                f"its lines hold no labels, and that of line {block.lines[wrong[0]]} is not what the identities of the "
                "two items imply (vfsearch trials convert --drop labels leaves them out)",
            )


def _no_blocks() -> Iterator[TrialBlock]:
    return iter(())


def _side_lines(trials: TrialList, names: Written) -> Iterator[bytes]:
    sides = trials.sides()
    for numbers in (sides.probes, sides.gallery):
        yield (" ".join(names.texts(numbers)) + "\n").encode()


def result_lines(values: Mapping[str, float]) -> str:
    """The authors' result file: a line for each list, its name (without folder and suffix) and its value.

    Args:
        values: accuracy, AUC or mAP by the name of the list, as fractions.
    Example:
        >>> result_lines({"match_v2f_2_test": 0.872})
        'match_v2f_2_test 0.872\\n'
    """
    return "".join(f"{name} {float(value)!r}\n" for name, value in values.items())


def _sides(path: Path, names: Names) -> RetrievalSides:
    numbers = []
    for lines in line_blocks(path):
        for place, line in enumerate(lines.lines):
            if len(numbers) == 2:
                raise lines.bad(place, "the end of the file, for retrieval has two lines, probes and gallery")
            numbers.append(names.numbers(line.split()))
    if len(numbers) < 2:
        raise TrialListError(f"{path}: wanted two lines, probes and gallery, got {len(numbers)}")
    return RetrievalSides(probes=numbers[0], gallery=numbers[1])


def kind_of(head: Head) -> str | None:
    """The kind of a list: by how the file's name begins, else by its lines; None if it can be none."""
    rows = _rows(head)
    named = kind_by_name(head.name)
    if named or not rows:
        return named
    if _are_sides(rows, len(head.data) >= HEAD_BYTES):
        return RETRIEVAL
    return {1: None, 2: VERIFICATION}.get(len(rows[0]), MATCHING)


def _rows(head: Head) -> list[list[str]]:
    rows = [line.split() for line in head.lines]
    # Of a first line that is longer than the head, the last name may be no whole one.
    return [row[:-1] for row in rows] if len(head.data) >= HEAD_BYTES and b"\n" not in head.data else rows


def kind_by_name(name: str) -> str | None:
    """The kind of a list by how its file is called, None if that tells nothing."""
    return next((kind for prefix, kind in PREFIXES.items() if name.startswith(prefix)), None)


def _are_sides(rows: Sequence[Sequence[str]], is_cut: bool) -> bool:
    """Whether the lines are a long one of one medium and another of the other.

    Args:
        rows: the names on each line that is there in full.
        is_cut: there is more than these lines.
    """
    if len(rows) > 2 or (len(rows) == 1 and not is_cut):
        return False
    media = [set(map(_medium, row)) for row in rows]
    return all(len(each) == 1 for each in media) and len(set.union(*media)) == len(rows)


def _medium(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return next((medium for medium, suffixes in _SUFFIXES.items() if suffix in suffixes), "")


def _would_parse(rows: Sequence[Sequence[str]], kind: str) -> bool:
    if kind == RETRIEVAL:
        return 1 <= len(rows) <= 2
    if (len(rows[0]) == 2) != (kind == VERIFICATION) or len(rows[0]) < 2:
        return False
    # Names are no numbers: a column of them is a score or a label of another format.
    return not any(all(map(is_number, column)) for column in zip(*rows, strict=True))


def _crosses(rows: Sequence[Sequence[str]], kind: str, is_cut: bool) -> bool:
    """Whether clips stand against photos."""
    if kind == RETRIEVAL:
        return _are_sides(rows, is_cut)
    media = [{*map(_medium, row)} for row in rows]
    first = {_medium(row[0]) for row in rows}
    return len(first) == 1 and all(
        each == set(_SUFFIXES) and _medium(row[0]) not in map(_medium, row[1:])
        for each, row in zip(media, rows, strict=True)
    )


def _looks_like_cmpc(rows: Sequence[Sequence[str]]) -> bool:
    return all(any("/1.6/" in name for name in row) for row in rows)
