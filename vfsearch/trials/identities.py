"""Whose items are: from tables, or from what a labelled list says of pairs."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import UNKNOWN, Names, TrialBlock
from vfsearch.errors import SettingsError, TrialListError
from vfsearch.trials.identity_files import IdentityRow, all_rows

_logger = logging.getLogger(__name__)


def read_identities(paths: Sequence[Path]) -> IdentityTable:
    """One table of what some files say.

    Known layouts: VoxCeleb1 x VGGFace (`vox1_*.csv`, commas or tabs: both names of a person, gender, nationality, set;
    the identity is the VGGFace name); any table with a header that has `identity` and `item`, `id` or `path`, such as
    a manifest; CMPC's retrieval tables and `identity_splits.txt`; Kaldi's `utt2spk` and `spk2utt`; a list of training
    clips (speaker first). With a table of people's two names, identities of the others are followed through it.

    A column counts for an identity only if all its rows say the same: else it is one of items (their split).

    Raises:
        TrialListError: unreadable, a column is missing, or two lines give one name to two identities.
        SettingsError: no file is given.
    """
    if not paths:
        raise SettingsError("a table of identities needs at least one file")
    merged = _Merged()
    for path, row in all_rows(paths):
        merged.add(path, row)
    where = ", ".join(map(str, paths))
    merged.warn_of_differences(where)
    return IdentityTable(
        identities=merged.identities, columns=merged.columns, sources=merged.sources, where=where
    )  # fmt: skip


@dataclass
class _Merged:
    """Rows of several files, put together as they come."""

    identities: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    _people: dict[str, str] = field(default_factory=dict)
    _places: dict[str, tuple[Path, int]] = field(default_factory=dict)
    _differing: dict[str, set[str]] = field(default_factory=dict)

    def add(self, path: Path, row: IdentityRow) -> None:
        if row.of_people:
            self._people.update(dict.fromkeys(row.names, row.identity))
        identity = self._people.get(row.identity, row.identity)
        for name in row.names:
            self._name(name, identity, path, row.line)
            if row.source:
                self.sources[name] = row.source
        known = self.columns.setdefault(identity, {})
        for column, text in row.columns.items():
            if known.setdefault(column, text) != text:
                self._differing.setdefault(column, set()).add(identity)

    def _name(self, name: str, identity: str, path: Path, line: int) -> None:
        known = self.identities.setdefault(name, identity)
        first = self._places.setdefault(name, (path, line))
        if known != identity:
            raise TrialListError(
                f"{path}, line {line}: {name!r} is of {identity!r}, but of {known!r} in {first[0]}, line {first[1]}; "
                "correct one of them"
            )

    def warn_of_differences(self, where: str) -> None:
        for column, identities in self._differing.items():
            for identity in identities:
                del self.columns[identity][column]
            _logger.info("%s: %s differs between items of %d identities", where, column, len(identities))


def identities_by_labels(blocks: Iterable[TrialBlock], names: Names) -> Callable[[str], str | None]:
    """Identities that a labelled list implies: who is mated with whom is one person, and so on along the chain.

    For lists of which nothing else is known. A person is called as the first of its items; an item without any mate
    is a person of its own. People that no mated pair joins stay apart, though they may be one.

    Args:
        blocks: of the list.
        names: of its items.
    Returns:
        name -> identity, None for a name that the list does not have.
    """
    first = np.empty(0, dtype=np.int64)
    for block in blocks:
        first = np.concatenate([first, np.arange(len(first), len(names))])
        mated = block.mated > 0
        first = _joined(first, block.probes[mated], block.items[mated, 0])

    def identity(name: str) -> str | None:
        number = names.find(name)
        return None if number == UNKNOWN or number >= len(first) else names.texts[first[number]]

    return identity


def _joined(first: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Join pairs of items.

    Args:
        first: (i,) the first item of the person of each item.
        left, right: (p,) items of one person each.
    """
    while True:
        left, right = first[left], first[right]
        apart = left != right
        if not apart.any():
            return first
        left, right = left[apart], right[apart]
        np.minimum.at(first, np.maximum(left, right), np.minimum(left, right))
        while not np.array_equal(nearer := first[first], first):
            first = nearer
