"""`vfsearch trials convert` and `vfsearch trials info`: files of trials to files of trials, or to numbers."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, UNKNOWN, VERIFICATION, TrialBlock, TrialList
from vfsearch.errors import SettingsError, TrialListError
from vfsearch.files import is_there, make_folder, write_pieces
from vfsearch.trials.describe import Description, describe
from vfsearch.trials.fame_zip import part_of, submission
from vfsearch.trials.formats.base import Format
from vfsearch.trials.formats.catalog import FORMATS, formats_for, load_format, recognise
from vfsearch.trials.formats.fame import FameScores
from vfsearch.trials.formats.lines import first_lines
from vfsearch.trials.formats.written import stem
from vfsearch.trials.identities import read_identities
from vfsearch.trials.opened import open_with_identities
from vfsearch.trials.owners import with_labels

DROPPABLE = ("scores", "labels")


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """How files are converted.

    Args:
        to: name of the format to write.
        format: name of the format to read; None: as recognised.
        identities: tables of identities.
        drop: what may be lost: any of "scores", "labels".
        overwrite: replace files that are there.
    """

    to: str
    format: str | None = None
    identities: tuple[Path, ...] = ()
    drop: tuple[str, ...] = ()
    overwrite: bool = False

    def __post_init__(self) -> None:
        for name in (self.to, *([self.format] if self.format else [])):
            FORMATS.entry(name)
        unknown = [name for name in self.drop if name not in DROPPABLE]
        if unknown:
            raise SettingsError(f"cannot drop {', '.join(unknown)}; what can be dropped is {' or '.join(DROPPABLE)}")


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A file that was written.

    Args:
        source: the file that was read.
        format: the format that it had.
        out: the file that was written.
        kind: of the list.
        trials: how many; for retrieval every probe with every gallery item.
        names: how many different items.
        size_bytes: of the file.
    """

    source: Path
    format: str
    out: Path
    kind: str
    trials: int
    names: int
    size_bytes: int


def convert(files: Sequence[Path], out: Path, conversion: Conversion) -> list[Converted]:
    """Write lists in another format; each file is written whole or not at all, block by block.

    Args:
        files: lists to read.
        out: the file to write; a folder, where it is one, or for several lists or files. A .zip of fame-scores is a
            submission to the FAME challenge: of four lists, named as its score files are.
        conversion: how.
    Raises:
        SettingsError: a file is there already, or two lists would become one file.
        TrialListError: a list cannot be read, or the format cannot hold it.
    """
    table = read_identities(conversion.identities) if conversion.identities else None
    _refuse_one_name_twice(files)
    target = load_format(conversion.to)
    if isinstance(target, FameScores) and out.suffix == ".zip":
        return _submitted(files, out, target, conversion, table)
    return [written for file in files for written in _converted(file, files, out, target, conversion, table)]


def _refuse_one_name_twice(files: Sequence[Path]) -> None:
    names = [stem(file) for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(
            f"several of the lists are called {twice[0]}, and would become one file; convert them apart"
        )


def _converted(
    file: Path, files: Sequence[Path], out: Path, target: Format, conversion: Conversion, table: IdentityTable | None
) -> Iterator[Converted]:
    trials = open_with_identities(file, conversion.format, table)
    counted = _Counted(_prepared(trials, target, conversion))
    _require_holds(target, counted.trials)
    for path, pieces in _places(target, counted.trials, stem(file), out, len(files)).items():
        _require_absent(path, conversion)
        make_folder(path.absolute().parent)
        facts = write_pieces(path, pieces)
        yield Converted(
            source=file, format=trials.format, out=path, kind=trials.kind, trials=counted.count,
            names=len(trials.names), size_bytes=facts["size"],
        )  # fmt: skip


def _submitted(
    files: Sequence[Path], out: Path, target: Format, conversion: Conversion, table: IdentityTable | None
) -> list[Converted]:
    parts = {file: part_of(f"{stem(file)}.txt") for file in files}
    other = [str(file) for file, part in parts.items() if part is None]
    if other:
        raise SettingsError(
            f"{other[0]} is no part of a submission: wanted lists named sub_score_<language>_<heard or unheard>"
        )
    _require_absent(out, conversion)
    read = {file: open_with_identities(file, conversion.format, table) for file in files}
    counted = {file: _Counted(_prepared(trials, target, conversion)) for file, trials in read.items()}
    for each in counted.values():
        _require_holds(target, each.trials)
    make_folder(out.absolute().parent)
    facts = write_pieces(out, (submission({parts[file]: each.trials for file, each in counted.items()}),))
    return [
        Converted(
            source=file, format=trials.format, out=out, kind=trials.kind, trials=counted[file].count,
            names=len(trials.names), size_bytes=facts["size"],
        )
        for file, trials in read.items()
    ]  # fmt: skip


def _require_absent(path: Path, conversion: Conversion) -> None:
    if is_there(path) and not conversion.overwrite:
        raise SettingsError(f"{path} is there already; --overwrite replaces it")


def _places(target: Format, trials: TrialList, name: str, out: Path, lists: int) -> dict[Path, Iterator[bytes]]:
    """The files to write, with their content."""
    contents = target.files(trials, name)
    if lists > 1 or out.is_dir():
        return {out / file: pieces for file, pieces in contents.items()}
    if len(contents) > 1:
        raise SettingsError(
            f"{target.name} is {len(contents)} files, {' and '.join(contents)}: give --out a folder that is there"
        )
    return {out: next(iter(contents.values()))}


def _require_holds(target: Format, trials: TrialList) -> None:
    if problem := target.problem(trials):
        problem += " (--identities gives labels)" if trials.kind == VERIFICATION and not trials.labelled else ""
        raise TrialListError(
            f"{trials.where} cannot be written as {target.name}: {problem}; formats that hold it: "
            f"{', '.join(formats_for(trials))}"
        )


def _prepared(trials: TrialList, target: Format, conversion: Conversion) -> TrialList:
    """The list as the target gets it: labels from identities, less what is dropped."""
    if "labels" not in conversion.drop and target.writes_labels:
        trials = with_labels(trials)
    if "labels" in conversion.drop and trials.kind != MATCHING:
        trials = _mapped(trials, lambda block: dataclasses.replace(block, mated=np.full_like(block.mated, UNKNOWN)))
        trials = dataclasses.replace(trials, labelled=False)
    if "scores" in conversion.drop:
        trials = _mapped(trials, lambda block: dataclasses.replace(block, scores=None))
        trials = dataclasses.replace(trials, scored=False)
    if trials.kind == VERIFICATION and trials.labelled and not target.writes_labels and trials.identities:
        return dataclasses.replace(trials, blocks=lambda: _told_by_folders(trials, target))
    return trials


def _told_by_folders(trials: TrialList, target: Format) -> Iterator[TrialBlock]:
    """The blocks, as long as the first path part of a name tells whose it is: nothing else is left of the labels."""
    people: dict[str, str | None] = {}
    done = 0
    for block in trials.blocks():
        for name in trials.names.texts[done:]:
            folder, identity = name.partition("/")[0], trials.identities(name)
            if people.setdefault(folder, identity) != identity:
                raise TrialListError(
                    f"{trials.where} cannot be written as {target.name}: its lines hold no labels, and the folder "
                    f"{folder[:50]!r} is of {people[folder]!r} and of {identity!r}, so that names do not tell what is "
                    "mated; --drop labels leaves the labels out"
                )
        done = len(trials.names)
        yield block


def _mapped(trials: TrialList, change) -> TrialList:
    return dataclasses.replace(trials, blocks=lambda: map(change, trials.blocks()))


class _Counted:
    """A list whose trials are counted as they are read."""

    def __init__(self, trials: TrialList) -> None:
        self.count = 0
        sides = self._counting_sides(trials) if trials.kind == RETRIEVAL else None
        self.trials = dataclasses.replace(trials, blocks=lambda: self._blocks(trials), sides=sides)

    def _blocks(self, trials: TrialList) -> Iterator[TrialBlock]:
        self.count = 0
        for block in trials.blocks():
            self.count += len(block)
            yield block

    def _counting_sides(self, trials: TrialList):
        def sides():
            found = trials.sides()
            self.count = len(found.probes) * len(found.gallery)
            return found

        return sides


@dataclass(frozen=True, kw_only=True)
class FileInfo:
    """What a file of trials is.

    Args:
        description: its numbers.
        certainty: how sure the format is, a place in `CERTAINTIES`; None: it was given.
        first: its first lines.
    """

    description: Description
    certainty: int | None
    first: tuple[str, ...]


def file_info(path: Path, format: str | None = None, identities: Sequence[Path] = (), lines: int = 3) -> FileInfo:
    """Read a file of trials through.

    Args:
        path: of the file.
        format: its name; None: as recognised.
        identities: tables of identities.
        lines: of the file to show.
    Raises:
        TrialListError: unreadable, of no known format, or a line is bad.
    """
    name, certainty = (format, None) if format else recognise(path)
    table = read_identities(identities) if identities else None
    description = describe(open_with_identities(path, name, table))
    return FileInfo(description=description, certainty=certainty, first=tuple(_first_lines(path, lines)))


def _first_lines(path: Path, count: int) -> list[str]:
    try:
        return first_lines(path, count)
    except TrialListError:
        # A format that is no text has no lines to show.
        return []


def format_facts() -> list[dict]:
    """What there is to say of each format; JSON."""
    return [_facts(name, load_format(name)) for name in FORMATS.entries()]


def _facts(name: str, format: Format) -> dict:
    scores = ("distance" if format.distances else "similarity") if format.writes_scores else ""
    return {
        "name": name,
        "kinds": list(format.kinds),
        "written": type(format).write is not Format.write,
        "labels": format.writes_labels,
        "scores": scores,
        "suffix": format.suffix,
        "summary": format.summary,
        "source": format.source,
    }
