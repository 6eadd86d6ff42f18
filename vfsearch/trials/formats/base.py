"""What every file format of trials is made of."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a format is recognised from.

    Args:
        name: of the file, without folders and without .gz.
        lines: the first lines that are not blank, without line ends; none for a file that is no text.
        data: the first bytes.
    """

    name: str
    lines: Sequence[str]
    data: bytes


class Format(ABC):
    """One file format, read and written.

    Args (class attributes):
        name: what `--format` takes.
        summary: what a line means, in one line.
        kinds: of the lists that it can hold.
        source: who defines it, cited.
        distances: it stores distances (smaller is more alike); they are turned into similarities when read, and back.
        writes_scores: it can hold scores.
        writes_labels: it can hold what is mated.
        suffix: of files written.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    source: ClassVar[str]
    distances: ClassVar[bool] = False
    writes_scores: ClassVar[bool] = False
    writes_labels: ClassVar[bool] = True
    suffix: ClassVar[str] = ".txt"

    @abstractmethod
    def recognise(self, head: Head) -> int:
        """How sure this is a file of the format: 0 no; 1 it would parse; 2 typical content; 3 unmistakable.

        What is recognised is the content; the name may decide between formats whose lines look alike.
        """

    @abstractmethod
    def read(self, path: Path) -> TrialList:
        """The list in a file; nothing is read beyond its head before the blocks are asked for.

        Raises:
            TrialListError: it is not of this format; a bad line is named by its number, here or by `blocks`.
        """

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """The file's content, piece by piece.

        Raises:
            TrialListError: the format cannot hold the list; the message says why and which formats can.
        """
        raise NotImplementedError

    def files(self, trials: TrialList, stem: str) -> dict[str, Iterator[bytes]]:
        """The files that hold a list: name -> content. One, but for formats that need several.

        Args:
            trials: the list.
            stem: what to call it, without a suffix.
        Raises:
            TrialListError: as `write`.
        """
        return {f"{stem}{self.suffix}": self.write(trials)}

    def problem(self, trials: TrialList) -> str:
        """Why a list of this kind cannot be held, or ""; single lines may still not fit."""
        if type(self).write is Format.write:
            return "it is only read"
        if trials.kind not in self.kinds:
            return f"it holds lists of {' or '.join(self.kinds)}, this is one of {trials.kind}"
        if trials.scored and not self.writes_scores:
            return "it has no place for scores (vfsearch trials convert --drop scores leaves them out)"
        return ""

    def require_holds(self, trials: TrialList) -> None:
        """Refuse a list whose kind or scores the format cannot hold.

        Raises:
            TrialListError: saying why.
        """
        if problem := self.problem(trials):
            raise self.cannot_write(trials.where, problem)

    def cannot_write(self, where: str, problem: str) -> TrialListError:
        """The error for a list, or a line of it, that the format cannot hold; raise it."""
        return TrialListError(
            f"{where} cannot be written as {self.name}: {problem}; the format vfsearch holds any list"
        )
