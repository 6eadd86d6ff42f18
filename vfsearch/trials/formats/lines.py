"""Lines of a text file, gzipped or not, in blocks, with their numbers."""

import contextlib
import gzip
import io
import itertools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Head

LINES_PER_BLOCK = 65_536
LONGEST_LINE = 2**28
"""Bytes; a retrieval list of the paper has all its probes on one line."""
_READ_BYTES = 2**22
HEAD_BYTES, _HEAD_LINES = 65_536, 50
_SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class LineBlock:
    """Lines that are not blank.

    Args:
        lines: without line ends.
        numbers: the number of each in its file, from 1.
        where: the file, for messages.
    """

    lines: Sequence[str]
    numbers: Sequence[int]
    where: str

    def bad(self, place: int, wanted: str) -> TrialListError:
        """The error for the line at a place of this block; raise it."""
        line = self.lines[place]
        shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
        return TrialListError(f"{self.where}, line {self.numbers[place]}: wanted {wanted}, got {shown!r}")

    def fields(self, counts: Sequence[int], wanted: str, separator: str | None = None) -> list[list[str]]:
        """The fields of each line.

        Args:
            counts: how many fields a line may have; a line of any other number is an error.
            wanted: what a line holds, for the message.
            separator: between fields; None: any blanks, doubled ones too.
        Raises:
            TrialListError: naming the first bad line.
        """
        rows = [line.split(separator) for line in self.lines]
        for place, row in enumerate(rows):
            if len(row) not in counts:
                raise self.bad(place, wanted)
        return rows

    def columns(self, count: int, wanted: str, separator: str | None = None) -> list[list[str]]:
        """The fields of all lines, by column; the quickest way when each line has the same number.

        Args:
            count: how many fields each line has.
            wanted, separator: as for `fields`.
        Raises:
            TrialListError: naming the first bad line.
        """
        flat = self._evenly_split(count, separator)
        if flat is None:
            flat = list(itertools.chain.from_iterable(self.fields((count,), wanted, separator)))
        return [flat[column::count] for column in range(count)]

    def _evenly_split(self, count: int, separator: str | None) -> list[str] | None:
        """All fields of all lines at once, much quicker than line by line; None where it takes a closer look."""
        parted = " " if separator is None else separator
        if {line.count(parted) for line in self.lines} != {count - 1}:
            return None
        text = parted.join(self.lines)
        flat = text.split(parted)
        return flat if separator is not None or flat == text.split() else None

    def floats(self, texts: Sequence[str], wanted: str) -> np.ndarray:
        """(n,) float64 of a column: one text a line.

        Raises:
            TrialListError: naming the first line whose text is no number.
        """
        try:
            return np.array(list(map(float, texts)), dtype=np.float64)
        except ValueError:
            raise self.bad(next(place for place, text in enumerate(texts) if not is_number(text)), wanted) from None

    def line_numbers(self) -> np.ndarray:
        """(n,) int64: the number of each line in its file."""
        return np.array(self.numbers, dtype=np.int64)


def is_number(text: str) -> bool:
    """Whether a text is a number: nan and inf are."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def line_blocks(path: Path, lines_per_block: int = LINES_PER_BLOCK, skip: int = 0) -> Iterator[LineBlock]:
    """The lines of a file; a block has some megabytes at most, however long the lines are.

    CRLF, a byte-order mark, blank lines and a missing last newline are all fine.

    Args:
        path: of the file, gzipped or not.
        lines_per_block: at most.
        skip: lines that are left out at the beginning (a header); blank ones do not count.
    Raises:
        TrialListError: unreadable, not UTF-8, a NUL character, or a line of more than `LONGEST_LINE` bytes.
    """
    first = 1
    for data in _pieces(path):
        read = _decoded(data, path, first)
        lines, numbers = _not_blank(read, first)
        first += len(read)
        passed, skip = skip, max(0, skip - len(lines))
        for start in range(passed, len(lines), lines_per_block):
            end = start + lines_per_block
            yield LineBlock(lines=lines[start:end], numbers=numbers[start:end], where=str(path))


def first_lines(path: Path, count: int) -> list[str]:
    """The first lines that are not blank; fewer where the file ends.

    Raises:
        TrialListError: as `line_blocks`.
    """
    with contextlib.closing(line_blocks(path, count)) as blocks:
        return list(itertools.islice((line for block in blocks for line in block.lines), count))


def _not_blank(lines: list[str], first: int) -> tuple[Sequence[str], Sequence[int]]:
    """The lines that are not blank, and their numbers."""
    kept = [line for line in lines if line and not line.isspace()]
    if len(kept) == len(lines):
        return kept, range(first, first + len(lines))
    return kept, [number for number, line in enumerate(lines, start=first) if line and not line.isspace()]


def _pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked, in pieces that end where a line ends."""
    lines_before = 0
    try:
        with _opened(path) as file:
            while data := file.read(_READ_BYTES):
                data += file.readline(LONGEST_LINE + 1)
                _refuse_long_line(data, path, lines_before)
                lines_before += data.count(b"\n")
                yield data
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error


def _refuse_long_line(data: bytes, path: Path, lines_before: int) -> None:
    if len(data) <= LONGEST_LINE:
        return
    for number, line in enumerate(data.split(b"\n"), start=lines_before + 1):
        if len(line) > LONGEST_LINE:
            raise TrialListError(f"{path}, line {number}: more than {LONGEST_LINE:,} bytes without a line end")


def _opened(path: Path) -> BinaryIO:
    """The bytes of a file, unpacked if it is gzipped, whatever its name."""
    file = path.open("rb")
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    # Closing the reader of a packed file closes the file below it as well.
    return io.BufferedReader(_Unpacked(file)) if packed else file


class _Unpacked(gzip.GzipFile):
    """A gzipped file that closes the file that it reads."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._below = file

    def close(self) -> None:
        super().close()
        self._below.close()


def _decoded(data: bytes, path: Path, first: int) -> list[str]:
    """The lines of a piece, without line ends.

    Args:
        data: ends where a line ends.
        path: for messages.
        first: the number of its first line.
    """
    try:
        text = data.decode("utf-8-sig" if first == 1 else "utf-8")
    except UnicodeDecodeError as error:
        number = first + error.object.count(b"\n", 0, error.start)
        raise TrialListError(f"{path}, line {number}: not UTF-8 text ({error.reason})") from error
    if "\0" in text:
        number = first + text.count("\n", 0, text.index("\0"))
        raise TrialListError(f"{path}, line {number}: holds a NUL character, so this is no text list")
    lines = text.removesuffix("\n").split("\n")
    return [line.rstrip("\r") for line in lines] if "\r" in text else lines


def _unreadable(path: Path, error: Exception) -> TrialListError:
    return TrialListError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}")


def read_head(path: Path) -> Head:
    """What a format is recognised from.

    Raises:
        TrialListError: the file cannot be read.
    """
    name = path.name.removesuffix(".gz")
    try:
        with _opened(path) as file:
            data = file.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error
    if b"\0" in data:
        return Head(name=name, lines=(), data=data)
    # The last line may be a part of one.
    whole = data[: data.rfind(b"\n") + 1] if len(data) == HEAD_BYTES else data
    text = (whole or data).decode("utf-8-sig", "replace")
    lines = [line.strip("\r") for line in text.split("\n") if line.strip()]
    return Head(name=name, lines=lines[:_HEAD_LINES], data=data)
