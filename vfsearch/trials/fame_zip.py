"""The zip that is handed in to the FAME challenge: a score file for each language, heard and unheard."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.fame import FameScores

PARTS = 4
"""Two languages, each heard and unheard in training."""
LARGEST_PART = 2**26
"""Bytes, unpacked."""
_NAME = re.compile(r"sub_scores?_(?:(v\d+)_)?([^_]+)_(heard|unheard)\.txt", re.IGNORECASE)
_MADE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True, order=True)
class Part:
    """Which score file of a submission.

    Args:
        language: of the test, "English".
        heard: whether the model was trained in it.
        version: of MAV-Celeb, "v1"; "" where the file's name leaves it out.
    """

    language: str
    heard: bool
    version: str = ""

    @property
    def file_name(self) -> str:
        """What the score file is called.

        Example:
            >>> Part(language="Urdu", heard=False, version="v1").file_name
            'sub_score_v1_Urdu_unheard.txt'
        """
        version = f"{self.version}_" if self.version else ""
        return f"sub_score_{version}{self.language}_{'heard' if self.heard else 'unheard'}.txt"


def part_of(name: str) -> Part | None:
    """The part whose score file is called so, None for another file.

    Example:
        >>> part_of("sub_scores_English_heard.txt")
        Part(language='English', heard=True, version='')
    """
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    version, language, heard = found.groups()
    return Part(language=language, heard=heard.lower() == "heard", version=(version or "").lower())


def read_submission(path: Path) -> dict[Part, TrialList]:
    """The score files in a zip, sorted by language; nothing is unpacked to the disk.

    Raises:
        TrialListError: no zip, damaged, or it does not hold the four score files, or one that is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = dict(_members(path, archive))
            contents = {part: _content(path, archive, name) for part, name in sorted(found.items())}
    except _BROKEN as error:
        raise TrialListError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    _require_four(str(path), contents)
    return {part: FameScores().read(_Member(f"{path}/{found[part]}", data)) for part, data in contents.items()}


_BROKEN = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)
"""What zipfile raises for archives that are damaged, encrypted or packed in unusual ways."""


class _Member:
    """A file of a zip, with as much of a path as reading it needs."""

    def __init__(self, where: str, data: bytes) -> None:
        self._where, self._data = where, data
        self.name = PurePosixPath(where).name

    def __str__(self) -> str:
        return self._where

    def open(self, mode: str) -> BinaryIO:
        """The bytes, from the beginning."""
        return io.BytesIO(self._data)


def _members(path: Path, archive: zipfile.ZipFile) -> Iterator[tuple[Part, str]]:
    seen: set[Part] = set()
    for name in archive.namelist():
        part = None if name.startswith("__MACOSX/") else part_of(PurePosixPath(name).name)
        if part in seen:
            raise TrialListError(f"{path} has two files {part.file_name}")
        if part is not None:
            seen.add(part)
            yield part, name


def _content(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    # Other ways of packing unfold without a limit.
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise TrialListError(f"{path}: {name} is packed in an unusual way; pack it anew with deflate")
    with archive.open(name) as file:
        data = file.read(LARGEST_PART + 1)
    if len(data) > LARGEST_PART:
        raise TrialListError(f"{path}: {name} has more than {LARGEST_PART:,} bytes unpacked")
    return data


def _require_four(where: str, parts: Iterable[Part]) -> None:
    found = sorted(parts)
    languages = {part.language for part in found}
    if len(found) != PARTS or len({(part.language, part.heard) for part in found}) != PARTS or len(languages) != 2:
        got = ", ".join(part.file_name for part in found) or "none"
        raise TrialListError(
            f"{where}: wanted {PARTS} score files, of two languages, heard and unheard each (such as "
            f"sub_score_v1_English_heard.txt); got {got}"
        )


def submission(scores: Mapping[Part, TrialList]) -> bytes:
    """The zip of four score files; the same lists always give the same bytes.

    Raises:
        TrialListError: not the four parts, or a list that a score file cannot hold.
    """
    _require_four("the submission", scores)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part, trials in sorted(scores.items()):
            member = zipfile.ZipInfo(part.file_name, _MADE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o600 << 16
            archive.writestr(member, b"".join(FameScores().write(trials)))
    return packed.getvalue()
