"""A list of trials as it travels: names once, trials in blocks, so that memory grows with the items alone."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from vfsearch.errors import SettingsError

VERIFICATION, MATCHING, RETRIEVAL, RANKING, RELEVANCE = (
    "verification", "matching", "retrieval", "ranking", "relevance",
)  # fmt: skip
KINDS = (VERIFICATION, MATCHING, RETRIEVAL, RANKING, RELEVANCE)
"""What a list asks: pairs; 1:N; every probe against a gallery; pairs that are one ranked list a probe (a run); which
items are relevant to which probe (qrels)."""
UNKNOWN = -1


class Names:
    """Names and their numbers, in the order of first appearance.

    Example:
        >>> names = Names()
        >>> names.numbers(["b", "a", "b"]).tolist(), names.texts, names.find("c")
        ([0, 1, 0], ['b', 'a'], -1)
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._numbers: dict[str, int] = {}
        self._texts: list[str] = []
        self.numbers(texts)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def texts(self) -> list[str]:
        """The names by number."""
        if len(self._texts) < len(self._numbers):
            self._texts.extend(itertools.islice(self._numbers, len(self._texts), None))
        return self._texts

    def numbers(self, texts: Iterable[str]) -> np.ndarray:
        """(n,) int64 numbers of names; new ones get the next."""
        known = self._numbers
        return np.array([known.setdefault(text, len(known)) for text in texts], dtype=np.int64)

    def find(self, text: str) -> int:
        """The number of a name, -1 for one that never appeared."""
        return self._numbers.get(text, UNKNOWN)


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialBlock:
    """Some trials, in the order of their list.

    Args:
        probes: (t,) int64 numbers of names.
        items: (t, c) int64 numbers of names: c = 1 but for 1:N matching, where column 0 is the mate.
        mated: (t,) int64: 1 where probe and item (matching: and column 0) are of one identity, 0 where not, -1 where
            the list does not say; the grade in a list of relevance.
        scores: (t, c) float64 similarities, NaN where there is none; None: the list has no scores.
        lines: (t,) int64 line numbers from 1, for messages.
        extra: further columns of the file by name, t texts each.
    """

    probes: np.ndarray
    items: np.ndarray
    mated: np.ndarray
    lines: np.ndarray
    scores: np.ndarray | None = None
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.probes)
        if self.items.ndim != 2 or not len(self.items) == len(self.mated) == len(self.lines) == count:
            raise SettingsError(
                f"{count} probes want (t, c) items and t labels and lines, got {self.items.shape}, {len(self.mated)}, "
                f"{len(self.lines)}"
            )
        if self.scores is not None and self.scores.shape != self.items.shape:
            raise SettingsError(f"scores {self.scores.shape} and items {self.items.shape} must have one shape")

    def __len__(self) -> int:
        return len(self.probes)


@dataclass(frozen=True, kw_only=True, eq=False)
class RetrievalSides:
    """Every probe is compared with every gallery item.

    Args:
        probes: (q,) int64 numbers of names.
        gallery: (g,) int64 numbers of names.
    """

    probes: np.ndarray
    gallery: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class TrialList:
    """A list of trials: what it is, and its blocks, read anew each time.

    Args:
        kind: one of `KINDS`.
        format: name of the file format that it came from, "" for one made here.
        where: what to call it in messages: its path.
        names: of every item; blocks that are read add to it.
        blocks: gives the trials from the beginning; nothing for retrieval.
        sides: of retrieval, else None.
        candidates: N of 1:N matching, else None.
        labelled: the list itself says what is mated (matching: always).
        scored: the list has scores.
        identities: name -> identity, where the list itself tells (by a column, by how the format spells names); the
            function gives None for a name of which it tells nothing. None: it tells of none.
        about: what else the file says of itself (seed, group, ...); JSON.
    """

    kind: str
    format: str
    where: str
    names: Names
    blocks: Callable[[], Iterator[TrialBlock]]
    sides: Callable[[], RetrievalSides] | None = None
    candidates: int | None = None
    labelled: bool = True
    scored: bool = False
    identities: Callable[[str], str | None] | None = None
    about: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingsError(f"the kind of {self.where} is {self.kind!r}, it must be one of {', '.join(KINDS)}")
        if (self.sides is not None) != (self.kind == RETRIEVAL):
            raise SettingsError(f"{self.where}: a retrieval list, and no other, has two sides")
