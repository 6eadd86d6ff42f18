"""Whose the items of a list are, as numbers, and the labels that follow from that."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from vfsearch.data.trial_list import UNKNOWN, VERIFICATION, Names, TrialBlock, TrialList
from vfsearch.errors import TrialListError


class Owners:
    """Numbers of the identities of named items; each name is looked up once.

    Args:
        names: of the items; it may grow while trials are read.
        tell: name -> identity, None where it is not known.
    Example:
        >>> owners = Owners(Names(["a/1", "b/1", "a/2"]), lambda name: name[0])
        >>> owners.numbers(np.array([0, 1, 2])).tolist(), owners.identities.texts
        ([0, 1, 0], ['a', 'b'])
    """

    def __init__(self, names: Names, tell: Callable[[str], str | None]) -> None:
        self.identities = Names()
        self._names = names
        self._tell = tell
        self._of_items = np.empty(0, dtype=np.int64)

    def numbers(self, items: np.ndarray) -> np.ndarray:
        """(...,) int64 numbers of identities, `UNKNOWN` where none is known.

        Args:
            items: (...,) numbers of names.
        """
        if len(self._of_items) < len(self._names):
            found = [self._number(name) for name in self._names.texts[len(self._of_items) :]]
            self._of_items = np.concatenate([self._of_items, np.array(found, dtype=np.int64)])
        return self._of_items[items]

    def _number(self, name: str) -> int:
        identity = self._tell(name)
        return UNKNOWN if identity is None else int(self.identities.numbers((identity,))[0])


def implied_labels(block: TrialBlock, owners: Owners) -> np.ndarray:
    """(t,) int64: 1 where probe and first item are of one identity, 0 where not, -1 where one is not known."""
    probes, items = owners.numbers(block.probes), owners.numbers(block.items[:, 0])
    return np.where((probes == UNKNOWN) | (items == UNKNOWN), UNKNOWN, probes == items)


def with_labels(trials: TrialList) -> TrialList:
    """A list of verification whose labels are those that its identities imply, where it says nothing itself.

    Any other list, and one that tells of no identities, is given back as it is.

    Raises:
        TrialListError: while its blocks are read: an item's identity is not known; the message names item and line.
    """
    if trials.kind != VERIFICATION or trials.labelled or trials.identities is None:
        return trials

    def blocks() -> Iterator[TrialBlock]:
        owners = Owners(trials.names, trials.identities)
        for block in trials.blocks():
            _require_known(trials, block, owners)
            mated = np.where(block.mated == UNKNOWN, implied_labels(block, owners), block.mated)
            yield dataclasses.replace(block, mated=mated)

    return dataclasses.replace(trials, blocks=blocks, labelled=True)


def _require_known(trials: TrialList, block: TrialBlock, owners: Owners) -> None:
    for items in (block.probes, block.items[:, 0]):
        unknown = np.flatnonzero((owners.numbers(items) == UNKNOWN) & (block.mated == UNKNOWN))
        if len(unknown):
            name = trials.names.texts[items[unknown[0]]]
            raise TrialListError(
                f"{trials.where}, line {block.lines[unknown[0]]}: whose {name!r} is is not known, so its label is not; "
                "give a table that has it with --identities"
            )
