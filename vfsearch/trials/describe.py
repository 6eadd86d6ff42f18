"""What a list of trials holds, counted in one pass."""

from dataclasses import asdict, dataclass

import numpy as np

from vfsearch.data.trial_list import RETRIEVAL, UNKNOWN, VERIFICATION, RetrievalSides, TrialBlock, TrialList
from vfsearch.trials.owners import Owners, implied_labels


@dataclass(frozen=True, kw_only=True)
class Description:
    """A list in numbers.

    Args:
        where, kind, format: as its list says.
        trials: how many; for retrieval every probe with every gallery item.
        candidates: N of 1:N matching, else None.
        probes, items: different ones on either side.
        names: different ones in all.
        identities: different ones that are known; None: none are told.
        unknown: names whose identity is not known, where any is told.
        positives, negatives: trials by label, or by identity where the list has no labels.
        unlabelled: trials of which neither tells.
        labels: "list", "identities" or "": where the labels come from.
        scored: it has scores.
        unscored: trials of a scored list in which a score is missing.
        about: what the file says of itself.
    """

    where: str
    kind: str
    format: str
    trials: int
    candidates: int | None
    probes: int
    items: int
    names: int
    identities: int | None
    unknown: int
    positives: int
    negatives: int
    unlabelled: int
    labels: str
    scored: bool
    unscored: int
    about: dict

    @property
    def positive_share(self) -> float | None:
        """Positives among the labelled trials; None if there are none."""
        labelled = self.positives + self.negatives
        return self.positives / labelled if labelled else None

    def to_json(self) -> dict:
        """The description as JSON."""
        return {**asdict(self), "positive_share": self.positive_share}


def describe(trials: TrialList) -> Description:
    """Read a list through and count.

    Raises:
        TrialListError: a line is bad; the message names it.
    """
    owners = Owners(trials.names, trials.identities) if trials.identities else None
    counts = _Counts(owners if trials.kind == VERIFICATION and not trials.labelled else None)
    if trials.kind == RETRIEVAL:
        counts.add_sides(trials.sides(), owners)
    for block in trials.blocks():
        counts.add(block)
    of_names = owners.numbers(np.arange(len(trials.names))) if owners else np.empty(0, dtype=np.int64)
    return Description(
        where=trials.where,
        kind=trials.kind,
        format=trials.format,
        candidates=trials.candidates,
        names=len(trials.names),
        identities=len(owners.identities) if owners else None,
        unknown=int((of_names == UNKNOWN).sum()),
        labels=_labels_from(trials),
        scored=trials.scored,
        about=dict(trials.about),
        **counts.found(),
    )


def _labels_from(trials: TrialList) -> str:
    if trials.labelled and trials.kind != RETRIEVAL:
        return "list"
    return "identities" if trials.identities and trials.kind in (VERIFICATION, RETRIEVAL) else ""


class _Counts:
    """Counts that grow block by block.

    Args:
        owners: to take labels from, for a list without; None: what the list says.
    """

    def __init__(self, owners: Owners | None) -> None:
        self._owners = owners
        self._trials = self._positives = self._negatives = self._unscored = 0
        self._probes, self._items = _Seen(), _Seen()

    def add(self, block: TrialBlock) -> None:
        """The trials of a block."""
        mated = block.mated if self._owners is None else implied_labels(block, self._owners)
        self._trials += len(block)
        self._positives += int((mated > 0).sum())
        self._negatives += int((mated == 0).sum())
        self._probes.add(block.probes)
        self._items.add(block.items)
        if block.scores is not None:
            self._unscored += int((np.isnan(block.scores) | (block.scores == -np.inf)).any(axis=1).sum())

    def add_sides(self, sides: RetrievalSides, owners: Owners | None) -> None:
        """Every probe with every gallery item."""
        self._trials = len(sides.probes) * len(sides.gallery)
        self._probes.add(sides.probes)
        self._items.add(sides.gallery)
        if owners:
            probes, gallery = (_known(owners.numbers(items)) for items in (sides.probes, sides.gallery))
            each = [np.bincount(numbers, minlength=len(owners.identities)) for numbers in (probes, gallery)]
            self._positives = int(each[0] @ each[1])
            self._negatives = len(probes) * len(gallery) - self._positives

    def found(self) -> dict[str, int]:
        """The counts by name."""
        return {
            "trials": self._trials,
            "probes": self._probes.count,
            "items": self._items.count,
            "positives": self._positives,
            "negatives": self._negatives,
            "unlabelled": self._trials - self._positives - self._negatives,
            "unscored": self._unscored,
        }


def _known(numbers: np.ndarray) -> np.ndarray:
    return numbers[numbers != UNKNOWN]


class _Seen:
    """Which numbers were there."""

    def __init__(self) -> None:
        self._flags = np.zeros(0, dtype=bool)

    def add(self, numbers: np.ndarray) -> None:
        if numbers.size:
            missing = max(0, int(numbers.max()) + 1 - len(self._flags))
            self._flags = np.concatenate([self._flags, np.zeros(2 * missing, dtype=bool)])
            self._flags[numbers] = True

    @property
    def count(self) -> int:
        return int(self._flags.sum())
