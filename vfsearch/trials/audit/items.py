"""Items that a list should not name: unknown, missing, seen in training, or spelled in two ways."""

import unicodedata
from collections.abc import Iterator

import numpy as np

from vfsearch.data.findings import ERROR, WARNING, Finding, FindingKind
from vfsearch.data.trial_list import UNKNOWN
from vfsearch.trials.audit.check import Check, Seen, TrialCheck
from vfsearch.trials.audit.knowledge import ByName, Subject

MISSING_ITEMS = FindingKind(
    name="missing-items",
    severity=ERROR,
    unit="items",
    meaning="There is no such item, so its trials cannot be scored and count as misses.",
    definition="Distinct names that are neither an id nor a path in the manifest; of all distinct names.",
)
UNKNOWN_IDENTITIES = FindingKind(
    name="unknown-identities",
    severity=WARNING,
    unit="items",
    meaning="Nobody knows whose these items are: labels cannot be checked, and intervals cannot count them right.",
    definition="Distinct names without an identity in the tables or the list itself; of all distinct names.",
)
TRAINING_IDENTITIES = FindingKind(
    name="training-identities",
    severity=WARNING,
    unit="items",
    meaning="Their people were seen in training, so the list does not test people never met before.",
    definition="Distinct names whose identity (or person's folder) is one that was trained on; of all distinct names.",
)
TRAINING_ITEMS = FindingKind(
    name="training-items",
    severity=WARNING,
    unit="items",
    meaning="These very clips or photos were seen in training.",
    definition="Distinct names that are names of training items; of all distinct names.",
)
SPELLINGS = FindingKind(
    name="spellings",
    severity=WARNING,
    unit="items",
    meaning="Two names seem to mean one item: repeated trials hide behind them, and one of the two may not be found.",
    definition="Distinct names beyond the first of those that differ only by upper and lower case, doubled slashes, "
    "./, backslashes for slashes, or the encoding of accents; of all distinct names.",
)


class ItemCheck(TrialCheck):
    """A check of each name by itself; the trials that hold one are its rows."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._wrong = ByName(subject.trials.names, lambda name: name if self.wrong(name) else None)

    def wrong(self, name: str) -> bool:
        """Whether a name is one to be found."""
        raise NotImplementedError

    def flags(self) -> np.ndarray:
        """(n,) bool: the names found."""
        return self._wrong.known()

    def detail(self) -> str:
        """Figures beside the count."""
        return f"in {len(self.rows):,} trials"

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Trials that hold such a name."""
        flags = self.flags()
        bad = flags[seen.block.probes] | flags[seen.block.items].any(axis=1)
        return bad, bad

    def findings(self) -> Iterator[Finding]:
        """One finding, if there is such a name."""
        flags = self.flags()
        if flags.any():
            numbers = np.flatnonzero(flags)
            yield Finding(
                kind=self.kind, count=len(numbers), of=len(flags), detail=self.detail(), rows=self.rows,
                examples=self.subject.examples(numbers),
            )  # fmt: skip


class MissingItems(ItemCheck):
    """Items that are not there."""

    kind = MISSING_ITEMS

    def wrong(self, name: str) -> bool:
        """Not in the manifest."""
        present = self.subject.knowledge.present
        return present is not None and name not in present

    def unchecked(self) -> dict[str, str]:
        """Without a manifest nothing is known to be there."""
        missing = self.subject.knowledge.present is None
        return {self.kind.name: "no manifest was named: --manifest FILE"} if missing else {}


class UnknownIdentities(ItemCheck):
    """Items of nobody."""

    kind = UNKNOWN_IDENTITIES

    def flags(self) -> np.ndarray:
        """(n,) bool: names without identity."""
        return ~self.subject.identity.known()

    def findings(self) -> Iterator[Finding]:
        """As for other items, if any identity is known at all."""
        return super().findings() if self.subject.identity.known().any() else iter(())

    def unchecked(self) -> dict[str, str]:
        """Without identities, labels cannot be checked either."""
        if not self.subject.trials.names or self.subject.identity.known().any():
            return {}
        why = "nobody's identity is known: name tables with --identities"
        return dict.fromkeys((self.kind.name, "false-mated", "false-non-mated"), why)


class TrainingIdentities(ItemCheck):
    """Items of people who were trained on."""

    kind = TRAINING_IDENTITIES

    def wrong(self, name: str) -> bool:
        """Of such a person, by identity or by the folder's name."""
        training = self.subject.knowledge.training
        if training is None:
            return False
        return self.subject.identity_of(name) in training.identities or name.partition("/")[0] in training.identities

    def detail(self) -> str:
        """How many people these are."""
        people = np.unique(self.subject.identity.numbers()[self.flags()])
        return f"of {np.count_nonzero(people != UNKNOWN)} identities, {super().detail()}"

    def unchecked(self) -> dict[str, str]:
        """Without a training there is nothing to overlap with."""
        if self.subject.knowledge.training is not None:
            return {}
        return {self.kind.name: "no training was named: --train-identities FILE or --model FOLDER"}


class TrainingItems(ItemCheck):
    """Items that were trained on themselves."""

    kind = TRAINING_ITEMS

    def wrong(self, name: str) -> bool:
        """Such an item."""
        training = self.subject.knowledge.training
        return training is not None and name in training.items


def folded(name: str) -> str:
    """What names that mean one item share.

    Example:
        >>> folded("./A//b.WAV") == folded("a/b.wav")
        True
    """
    parts = unicodedata.normalize("NFC", name).casefold().replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in ("", "."))


class Spellings(Check):
    """Names that mean one item."""

    def see(self, seen: Seen) -> None:
        """Names alone matter."""

    def findings(self) -> Iterator[Finding]:
        """Names that are like an earlier one."""
        names, first = self.subject.trials.names, {}
        like = [first.setdefault(folded(name), number) for number, name in enumerate(names.texts)]
        numbers = np.flatnonzero(np.array(like, dtype=np.int64) != np.arange(len(like)))
        if len(numbers):
            yield Finding(
                kind=SPELLINGS, count=len(numbers), of=len(like), examples=self.subject.examples(numbers),
                detail=f"for example like {names.texts[like[numbers[0]]]}",
            )  # fmt: skip
