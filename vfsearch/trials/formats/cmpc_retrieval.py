"""The two tables of CMPC's retrieval.

Source: Zhu et al., "Unsupervised Voice-Face Representation Learning by Cross-Modal Prototype Contrast", IJCAI 2022,
the files of its repository.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

from vfsearch.data.trial_list import RETRIEVAL, Names, RetrievalSides, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.base import Format, Head
from vfsearch.trials.formats.lines import LineBlock, first_lines, line_blocks
from vfsearch.trials.formats.told import Told
from vfsearch.trials.formats.written import Written, owner_speller, without_separator

_OWNER, _MEDIA = "VoxCeleb1 ID", ("wav", "jpg")


class CmpcRetrieval(Format):
    """Two tables, one of clips and one of photos: each item with its identity, parted by a tab."""

    name = "cmpc-retrieval"
    summary = f"two files, tab, headers `{_OWNER}⇥wav` and `{_OWNER}⇥jpg`; the one that is named holds the probes"
    kinds = (RETRIEVAL,)
    source = "CMPC (Zhu et al., IJCAI 2022), data/retrieval"
    suffix = ".csv"

    def recognise(self, head: Head) -> int:
        """By the header."""
        return 3 if head.lines and _medium(head.lines[0]) else 0

    def read(self, path: Path) -> TrialList:
        """The probes of a table against the gallery in the other, which lies beside it.

        The other one is called the same but for jpg in place of wav, or wav in place of jpg.
        """
        tables = _Tables(probes=path, gallery=_other_table(path, _medium_of(path)))
        return TrialList(
            kind=RETRIEVAL,
            format=self.name,
            where=str(path),
            names=tables.names,
            blocks=lambda: iter(()),
            sides=tables.sides,
            identities=tables.told.get,
            about={"gallery": tables.gallery.name},
        )

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """The table of the probes; `files` gives both."""
        return self._sides(trials)[0][1]

    def files(self, trials: TrialList, stem: str) -> dict[str, Iterator[bytes]]:
        """Both tables, the probes' first."""
        bare = next((stem.removeprefix(f"{medium}_") for medium in _MEDIA if stem.startswith(f"{medium}_")), stem)
        return {f"{medium}_{bare}{self.suffix}": rows for medium, rows in self._sides(trials)}

    def problem(self, trials: TrialList) -> str:
        """Why a list cannot be held: it needs identities."""
        wanting = "it needs identities, which are not known; --identities gives them"
        return super().problem(trials) or ("" if trials.identities else wanting)

    def _sides(self, trials: TrialList) -> list[tuple[str, Iterator[bytes]]]:
        self.require_holds(trials)
        sides = trials.sides()
        media = [self._only_medium(trials, numbers) for numbers in (sides.probes, sides.gallery)]
        if media[0] == media[1]:
            raise self.cannot_write(trials.where, f"it holds clips against photos, here both sides are {media[0]}")
        pairs = zip(media, (sides.probes, sides.gallery), strict=True)
        return [(medium, self._rows(trials, medium, numbers)) for medium, numbers in pairs]

    def _only_medium(self, trials: TrialList, numbers: np.ndarray) -> str:
        suffixes = {PurePosixPath(trials.names.texts[number]).suffix.lstrip(".") for number in numbers.tolist()}
        if len(suffixes) != 1 or not suffixes <= set(_MEDIA):
            raise self.cannot_write(trials.where, f"a side must be all .wav or all .jpg, here one has {suffixes}")
        return suffixes.pop()

    def _rows(self, trials: TrialList, medium: str, numbers: np.ndarray) -> Iterator[bytes]:
        yield f"{_OWNER}\t{medium}\n".encode()
        spell = without_separator("\t", self.name, trials.where)
        names, owners = Written(trials.names, spell), Written(trials.names, owner_speller(trials, spell))
        rows = zip(owners.texts(numbers), names.texts(numbers), strict=True)
        yield "".join(f"{owner}\t{name}\n" for owner, name in rows).encode()


def _medium(header: str) -> str:
    """What a table with this header lists: "wav" or "jpg"; "" for any other header."""
    cells = [cell.strip() for cell in header.split("\t")]
    return cells[1] if len(cells) == 2 and cells[0] == _OWNER and cells[1] in _MEDIA else ""


def _medium_of(path: Path) -> str:
    medium = _medium("".join(first_lines(path, 1)))
    if not medium:
        raise TrialListError(f"{path}, line 1: wanted the header `{_OWNER}`, a tab, and {' or '.join(_MEDIA)}")
    return medium


def _other_table(path: Path, medium: str) -> Path:
    other = _MEDIA[1 - _MEDIA.index(medium)]
    beside = path.with_name(path.name.replace(medium, other, 1))
    if beside == path or _medium_of(beside) != other:
        raise TrialListError(f"{path} is one side of retrieval; the other must lie beside it, named with {other}")
    return beside


@dataclass(frozen=True, kw_only=True)
class _Tables:
    """Both sides.

    Args:
        probes, gallery: their files.
        names: of items, found so far.
        told: whose they are, found so far.
    """

    probes: Path
    gallery: Path
    names: Names = field(default_factory=Names)
    told: Told = field(default_factory=Told)

    def sides(self) -> RetrievalSides:
        """The items of both tables."""
        return RetrievalSides(probes=self._side(self.probes), gallery=self._side(self.gallery))

    def _side(self, path: Path) -> np.ndarray:
        found = [np.empty(0, dtype=np.int64)]
        for lines in line_blocks(path, skip=1):
            found.append(self._numbers(lines))
        return np.concatenate(found)

    def _numbers(self, lines: LineBlock) -> np.ndarray:
        owners, items = lines.columns(2, "an identity and an item parted by a tab", "\t")
        self.told.learn(lines, items, owners)
        return self.names.numbers(items)
