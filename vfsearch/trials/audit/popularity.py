"""Labels that the names of the items give away: how often they are there, and where in the alphabet."""

from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import WARNING, Finding, FindingKind
from vfsearch.data.trial_list import MATCHING, VERIFICATION, Names
from vfsearch.trials.audit.check import MATED, NON_MATED, Check, Seen
from vfsearch.trials.audit.knowledge import Subject
from vfsearch.trials.audit.separation import DEVIATIONS, Separation, separation

BY_POPULARITY = FindingKind(
    name="label-by-popularity",
    severity=WARNING,
    unit="pairs",
    meaning="How often a name stands in the list tells whether its pair is mated, without a look at voice or face.",
    definition="Pairs whose label is told right by how often the name stands on its side, cut at the best place; "
    "reported where its AUC is 0.05 from 0.5 or more, and 5 standard deviations of chance; of the labelled pairs.",
    source="Mann & Whitney, Annals of Mathematical Statistics 1947",
)
BY_NAME = FindingKind(
    name="label-by-name",
    severity=WARNING,
    unit="pairs",
    meaning="Where a name stands in the alphabet tells whether its pair is mated.",
    definition="Pairs whose label is told right by the name's place among all names, sorted, cut at the best place; "
    "reported where its AUC is 0.05 from 0.5 or more, and 5 standard deviations of chance; of the labelled pairs.",
    source="Mann & Whitney, Annals of Mathematical Statistics 1947",
)
ONE_LABEL = FindingKind(
    name="one-label-items",
    severity=WARNING,
    unit="items",
    meaning="Items that are there only in mated or only in non-mated pairs can be learned by heart.",
    definition="Names of that side with two pairs or more, all of one label, if there are more of them than labels in "
    f"random order give, by {DEVIATIONS:g} standard deviations and 10 %; of the names with two pairs or more.",
)


class Popularity(Check):
    """Counts of either label for each name, on either side."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._sides = {"probe": _Side(), "item": _Side()}

    def see(self, seen: Seen) -> None:
        """Count the labels of a block."""
        kind, names = self.subject.trials.kind, len(self.subject.trials.names)
        if kind not in (VERIFICATION, MATCHING):
            return
        self._sides["item"].see(seen.block.items.ravel(), seen.labels.ravel(), names)
        if kind == VERIFICATION:
            self._sides["probe"].see(seen.block.probes, seen.labels[:, 0], names)

    def separations(self) -> dict[str, Separation]:
        """Predictor -> what it tells of the labels."""
        found = {}
        for name, side in self._sides.items():
            if side.mated.any() and side.non_mated.any():
                found[f"popularity of the {name}"] = side.by(side.uses)
                found[f"name of the {name}"] = side.by(alphabetical(self.subject.trials.names))
        return found

    def findings(self) -> Iterator[Finding]:
        """What the names give away."""
        for predictor, told in self.separations().items():
            kind = BY_NAME if predictor.startswith("name") else BY_POPULARITY
            if told.leaks:
                yield Finding(kind=kind, count=told.right, of=told.of, detail=f"{predictor}: AUC {told.auc:.3f}")
        for name, side in self._sides.items():
            yield from side.one_label(name)


class _Side:
    """How many pairs of either label each name has on one side."""

    def __init__(self) -> None:
        self.mated = self.non_mated = np.zeros(0, dtype=np.int64)

    def see(self, numbers: np.ndarray, labels: np.ndarray, names: int) -> None:
        self.mated = _added(self.mated, numbers[labels == MATED], names)
        self.non_mated = _added(self.non_mated, numbers[labels == NON_MATED], names)

    @property
    def uses(self) -> np.ndarray:
        return self.mated + self.non_mated

    def by(self, numbers: np.ndarray) -> Separation:
        return separation(numbers, self.mated, self.non_mated)

    def one_label(self, side: str) -> Iterator[Finding]:
        several = self.uses >= 2
        if not several.any() or not self.mated.any() or not self.non_mated.any():
            return
        uses, share = self.uses[several], self.mated.sum() / self.uses.sum()
        chance = share**uses + (1 - share) ** uses
        expected, spread = chance.sum(), np.sqrt((chance * (1 - chance)).sum())
        pure = int(np.count_nonzero((self.mated[several] == 0) | (self.non_mated[several] == 0)))
        if pure > expected + max(DEVIATIONS * spread, 0.1 * len(uses)):
            detail = f"of the {side}s; {expected:,.0f} expected of labels in random order"
            yield Finding(kind=ONE_LABEL, count=pure, of=len(uses), detail=detail)


def _added(counts: np.ndarray, numbers: np.ndarray, names: int) -> np.ndarray:
    total = np.bincount(numbers, minlength=names)
    total[: len(counts)] += counts
    return total


def alphabetical(names: Names) -> np.ndarray:
    """(n,) int64 place of each name among all of them, sorted.

    Example:
        >>> alphabetical(Names(["b", "a", "c"])).tolist()
        [1, 0, 2]
    """
    places = np.empty(len(names), dtype=np.int64)
    places[sorted(range(len(names)), key=names.texts.__getitem__)] = np.arange(len(names))
    return places
