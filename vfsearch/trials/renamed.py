"""A list whose items get other names."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from vfsearch.data.trial_list import Names, RetrievalSides, TrialBlock, TrialList


def renamed(trials: TrialList, rename: Callable[[str], str]) -> TrialList:
    """A list with other names of the same items.

    Args:
        trials: the list; its blocks are read as those of the new one are.
        rename: old name -> new name; called once a name.
    """
    names = _Renamed(trials.names, rename)

    def blocks() -> Iterator[TrialBlock]:
        for block in trials.blocks():
            yield dataclasses.replace(block, probes=names.numbers(block.probes), items=names.numbers(block.items))

    def sides() -> RetrievalSides:
        old = trials.sides()
        return RetrievalSides(probes=names.numbers(old.probes), gallery=names.numbers(old.gallery))

    return dataclasses.replace(
        trials,
        names=names.new,
        blocks=blocks,
        sides=sides if trials.sides else None,
        identities=names.asking(trials.identities) if trials.identities else None,
    )


class _Renamed:
    """Old numbers of names -> new ones."""

    def __init__(self, old: Names, rename: Callable[[str], str]) -> None:
        self.new = Names()
        self._old = old
        self._rename = rename
        self._numbers = np.empty(0, dtype=np.int64)
        self._old_names: dict[str, str] = {}

    def numbers(self, old: np.ndarray) -> np.ndarray:
        if len(self._numbers) < len(self._old):
            came = self._old.texts[len(self._numbers) :]
            texts = list(map(self._rename, came))
            self._old_names.update(zip(texts, came, strict=True))
            self._numbers = np.concatenate([self._numbers, self.new.numbers(texts)])
        return self._numbers[old]

    def asking(self, tell: Callable[[str], str | None]) -> Callable[[str], str | None]:
        """What was told of old names, told of new ones."""
        return lambda name: tell(self._old_names[name]) if name in self._old_names else None
