"""Trials with their scores and the identities of both sides: all that measures and their intervals need."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.ranks import MateRanks
from vfsearch.errors import SettingsError


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredPairs:
    """Verification trials.

    Args:
        scores: (t,) similarities; -inf where one side could not be embedded.
        mated: (t,) bool.
        probes, items: (t,) int64 numbers of the identities of both sides.
        identities: their names, by number.
    """

    scores: np.ndarray
    mated: np.ndarray
    probes: np.ndarray
    items: np.ndarray
    identities: Sequence[str]

    def __post_init__(self) -> None:
        _require_equal(len(self.scores), mated=self.mated, probes=self.probes, items=self.items)

    def __len__(self) -> int:
        return len(self.scores)

    def chunks(self) -> Iterator["ScoredPairs"]:
        """The trials in pieces that fit in memory: this one whole (others may be on a disk)."""
        yield self


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredMatching:
    """1:N matching trials.

    Args:
        scores: (t, N) similarities, the mate's in column 0; -inf for a candidate that could not be embedded.
        probes: (t,) int64 numbers of the probes' identities.
        candidates: (t, N) int64 numbers of the candidates' identities.
        missing: (t,) bool: the probe could not be embedded, which is a miss.
        identities: their names, by number.
    """

    scores: np.ndarray
    probes: np.ndarray
    candidates: np.ndarray
    missing: np.ndarray
    identities: Sequence[str]

    def __post_init__(self) -> None:
        _require_equal(len(self.scores), probes=self.probes, candidates=self.candidates, missing=self.missing)
        if self.scores.shape != self.candidates.shape:
            raise SettingsError(f"scores {self.scores.shape} and candidates {self.candidates.shape} differ in shape")

    def __len__(self) -> int:
        return len(self.scores)

    def chunks(self) -> Iterator["ScoredMatching"]:
        """The trials in pieces that fit in memory: this one whole (others may be on a disk)."""
        yield self


@dataclass(frozen=True, kw_only=True, eq=False)
class Crowd:
    """How the gallery items at the mates of some probes divide among units: identities, or groups of identities.

    A probe's own unit is never counted: it is there whoever else is.

    Args:
        ranks: of these probes, numbered from 0.
        rows: (s,) which probes of the whole ranking they are.
        above: (m, U) gallery items of each unit that score better than the block.
        tied: (m, U) those in the block.
        gallery: (s, U) those that the probe was compared with.
    """

    ranks: MateRanks
    rows: np.ndarray
    above: np.ndarray
    tied: np.ndarray
    gallery: np.ndarray

    def __post_init__(self) -> None:
        _require_equal(len(self.rows), mates=self.ranks.mates, gallery=self.gallery)
        _require_equal(len(self.ranks.probe), above=self.above, tied=self.tied)


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoredRanking:
    """Ranked lists: one a probe.

    Args:
        ranks: where the mates of each probe stand; a probe without mates asks nothing.
        probes: (q,) int64 numbers of the probes' identities.
        missing: (m,) int64 numbers of the identities of probes that could not be embedded and have a mate: misses.
        identities: their names, by number.
        crowds: gives the crowds of some probes, in pieces: it takes their rows (s,) and the unit (I,) of each
            identity. None: not known, so that the gallery cannot be resampled.
    """

    ranks: MateRanks
    probes: np.ndarray
    missing: np.ndarray
    identities: Sequence[str]
    crowds: Callable[[np.ndarray, np.ndarray], Iterator[Crowd]] | None = None

    def __post_init__(self) -> None:
        _require_equal(len(self.ranks.mates), probes=self.probes)


def _require_equal(count: int, **arrays: np.ndarray) -> None:
    wrong = {name: len(values) for name, values in arrays.items() if len(values) != count}
    if wrong:
        raise SettingsError(f"{count} trials, but {wrong}: each must have one entry a trial")
