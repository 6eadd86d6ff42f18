"""Files that say whose items are, one reader a layout."""

import csv
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.lines import first_lines, line_blocks

BOTH_IDS = (("voxceleb1id", "vggface1id"), ("voxceleb2id", "vggface2id"))
"""The columns, without blanks and underscores, that give one person's two names: in VoxCeleb1, in VoxCeleb2."""
_NAMES = ("item", "id", "path", "jpg", "wav")
_IDENTITIES = ("identity", "voxceleb1id")
_SOURCES = ("source", "video", "video_id", "recording")
_NOT_OF_PEOPLE = {"path", "modality", "start_seconds", "end_seconds"}
_CMPC_SETS = {"1": "train", "2": "val", "3": "seen-heard", "4": "unseen-unheard"}


@dataclass(frozen=True, kw_only=True)
class IdentityRow:
    """One line of such a file.

    Args:
        names: of an item or of a folder of items; all are of one identity.
        identity: whose they are.
        columns: what else the line says, by column.
        source: what the item was taken from, "" if the line does not say.
        line: its number.
        of_people: it gives the names of a person, so that other files may mean this identity by either.
    """

    names: Sequence[str]
    identity: str
    columns: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    line: int
    of_people: bool = False


def is_about_people(path: Path) -> bool:
    """Whether a file gives the two names that a person has in VoxCeleb and VGGFace."""
    return _both_ids([_key(cell) for cell in _header(path)]) is not None


def _both_ids(keys: Sequence[str]) -> tuple[str, str] | None:
    """The columns of a header that give two names of a person."""
    return next((both for both in BOTH_IDS if all(name in keys for name in both)), None)


def identity_rows(path: Path) -> Iterator[IdentityRow]:
    """What a file says, line by line.

    Raises:
        TrialListError: unreadable, a column is missing, or a line is bad.
    """
    header = _header(path)
    keys = [_key(cell) for cell in header]
    if _both_ids(keys):
        return _people_rows(path, keys)
    if any(name in keys for name in _IDENTITIES) and any(name in keys for name in _NAMES):
        return _item_rows(path, [cell.strip().lower() for cell in header])
    if len(header) > 1 and re.search(r"[\t,]", "".join(first_lines(path, 1))):
        raise TrialListError(
            f"{path}, line 1: wanted the columns identity and item, id or path (or VoxCeleb1_ID and VGGFace1_ID), got "
            f"{', '.join(header)[:100]}"
        )
    return _blank_parted_rows(path)


def _header(path: Path) -> list[str]:
    first = first_lines(path, 1)
    if not first:
        raise TrialListError(f"{path} is empty; wanted a table of items and identities")
    try:
        return next(csv.reader(first, delimiter=_delimiter(first[0])))
    except csv.Error as error:
        raise TrialListError(f"{path}, line 1: {error}") from error


def _delimiter(line: str) -> str:
    return "\t" if "\t" in line else ","


def _key(cell: str) -> str:
    return re.sub(r"[\s_]", "", cell).lower()


def _rows(path: Path, width: int) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header, with the numbers of their lines."""
    delimiter = _delimiter(first_lines(path, 1)[0])
    for block in line_blocks(path, skip=1):
        try:
            rows = list(csv.reader(block.lines, delimiter=delimiter, strict=True))
        except csv.Error as error:
            raise TrialListError(f"{path}, in the lines from {block.numbers[0]}: {error}") from error
        if len(rows) != len(block.lines):
            raise TrialListError(f"{path}: a quoted cell goes on in another line, which is not read here")
        for place, row in enumerate(rows):
            if len(row) != width:
                raise block.bad(place, f"{width} cells as in the header")
            yield block.numbers[place], row


def _people_rows(path: Path, keys: list[str]) -> Iterator[IdentityRow]:
    first, second = (keys.index(name) for name in _both_ids(keys))
    others = [place for place in range(len(keys)) if place not in (first, second)]
    for line, row in _rows(path, len(keys)):
        names = [row[first].strip(), row[second].strip()]
        if not all(names):
            raise TrialListError(f"{path}, line {line}: an identity has no name in {row}")
        columns = {keys[place]: row[place].strip() for place in others}
        yield IdentityRow(names=names, identity=names[1], columns=columns, line=line, of_people=True)


def _item_rows(path: Path, header: list[str]) -> Iterator[IdentityRow]:
    keys = [_key(cell) for cell in header]
    owner = next(keys.index(name) for name in _IDENTITIES if name in keys)
    named = [keys.index(name) for name in _NAMES if name in keys]
    source = next((header.index(name) for name in _SOURCES if name in header), None)
    left_out = {owner, source, *named}
    others = [place for place, name in enumerate(header) if place not in left_out and name not in _NOT_OF_PEOPLE]
    for line, row in _rows(path, len(header)):
        # A manifest may leave the id of an item empty: it is the path then.
        name = next((row[place] for place in named if row[place]), "")
        if not name or not row[owner]:
            raise TrialListError(f"{path}, line {line}: a name or an identity is empty")
        yield IdentityRow(
            names=[name],
            identity=row[owner],
            columns={header[place]: row[place] for place in others},
            source="" if source is None else row[source],
            line=line,
        )


def _blank_parted_rows(path: Path) -> Iterator[IdentityRow]:
    """Kaldi's utt2spk and spk2utt, a list of training clips (speaker first), or CMPC's list of identities and sets."""
    name = path.name.lower()
    for block in line_blocks(path):
        rows = block.fields(range(2, 10**9), "an item and its identity (or an identity and its items)")
        owner_first = "spk2utt" in name or all(map(_owner_first, rows))
        for place, (row, line) in enumerate(zip(rows, block.numbers, strict=True)):
            if len(row) > 2 and not owner_first:
                raise block.bad(place, "an item and its identity (or an identity and items whose names begin with it)")
            if "identity_splits" in name:
                if row[1] not in _CMPC_SETS:
                    raise block.bad(place, "an identity and 1, 2, 3 or 4")
                yield IdentityRow(names=row[:1], identity=row[0], columns={"split": _CMPC_SETS[row[1]]}, line=line)
            elif owner_first:
                yield IdentityRow(names=row[1:], identity=row[0], line=line)
            else:
                yield IdentityRow(names=row[:1], identity=row[1], line=line)


def _owner_first(row: Sequence[str]) -> bool:
    """Whether the items are called by their owner, as Kaldi and VoxCeleb have it."""
    return all(item.startswith(row[0]) and item[len(row[0]) :][:1] in ("/", "-", "_") for item in row[1:])


def all_rows(paths: Sequence[Path]) -> Iterator[tuple[Path, IdentityRow]]:
    """The rows of several files; those that give people's two names come first."""
    ordered = sorted(paths, key=lambda path: not is_about_people(path))
    return itertools.chain.from_iterable(((path, row) for row in identity_rows(path)) for path in ordered)
