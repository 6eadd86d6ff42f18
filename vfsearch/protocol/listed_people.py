"""Whose the items of a list are."""

from collections.abc import Callable, Sequence

import numpy as np

from vfsearch.data.trial_list import UNKNOWN, Names, TrialBlock
from vfsearch.errors import TrialListError

Identity = Callable[[str], str | None]
"""Name -> identity, None for a name of which nothing is known."""


class People:
    """The identities behind the names of one list, as numbers, as blocks bring new names.

    A name of which nothing is known is somebody of its own.

    Args:
        names: of the list.
        identity: tells them.
        where: the list, for messages.
    """

    def __init__(self, names: Names, identity: Identity, where: str) -> None:
        self._names, self._identity, self.where = names, identity, where
        self._people = Names()
        self._of_name = np.zeros(0, dtype=np.int64)
        self._is_unknown = np.zeros(0, dtype=bool)

    def __call__(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers of identities of numbers of names."""
        if len(self._of_name) < len(self._names):
            self._learn(self._names.texts[len(self._of_name) :])
        return self._of_name[numbers]

    def _learn(self, texts: Sequence[str]) -> None:
        found = [self._identity(text) for text in texts]
        # No identity is named like this: a name of its own is told apart from a person of that name.
        own = [f"\0{text}" if identity is None else identity for text, identity in zip(texts, found, strict=True)]
        self._of_name = np.concatenate([self._of_name, self._people.numbers(own)])
        self._is_unknown = np.concatenate([self._is_unknown, [identity is None for identity in found]])

    @property
    def unknown(self) -> list[str]:
        """The names seen so far of which nothing is known."""
        return [self._names.texts[number] for number in np.flatnonzero(self._is_unknown)]

    @property
    def identities(self) -> Sequence[str]:
        """The names of the identities seen so far, by number."""
        return self._people.texts

    def mated(self, block: TrialBlock) -> np.ndarray:
        """(t,) bool: the list's own labels, else whether both sides are of one identity.

        Raises:
            TrialListError: a trial has no label, and of one of its sides nothing is known.
        """
        probes, items = self(block.probes), self(block.items[:, 0])
        unlabelled = block.mated == UNKNOWN
        strange = unlabelled & (self._is_unknown[block.probes] | self._is_unknown[block.items[:, 0]])
        if strange.any():
            raise self._not_told(block, int(strange.argmax()))
        return np.where(unlabelled, probes == items, block.mated > 0)

    def _not_told(self, block: TrialBlock, place: int) -> TrialListError:
        sides = (block.probes[place], block.items[place, 0])
        name = next(self._names.texts[number] for number in sides if self._is_unknown[number])
        return TrialListError(
            f"{self.where}, line {block.lines[place]}: the list does not say what is mated, and whose {name!r} is is "
            "not known; give a table with --identities"
        )
