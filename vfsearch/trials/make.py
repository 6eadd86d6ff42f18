"""Drawing trials from a seed: the same on every machine.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, supplement, section 3.
"""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.trials import MatchingTrials, VerificationTrials
from vfsearch.errors import SettingsError

GALLERIES_PER_PROBE = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class Sides:
    """Who is on either side, which is all that drawing trials needs.

    Args:
        probes: (p,) int64 identity of each probe.
        gallery: (g,) int64 identity of each gallery item.
        itself: (p,) the gallery row that is the probe's own item, -1 where there is none.
    """

    probes: np.ndarray
    gallery: np.ndarray
    itself: np.ndarray


class _ByIdentity:
    """The gallery's rows grouped by identity, so that mates and non-mates are drawn with arithmetic alone."""

    def __init__(self, sides: Sides) -> None:
        self.rows = np.argsort(sides.gallery, kind="stable")
        grouped = sides.gallery[self.rows]
        self.start = np.searchsorted(grouped, sides.probes, side="left")
        self.size = np.searchsorted(grouped, sides.probes, side="right") - self.start
        place = np.empty(len(self.rows), dtype=np.int64)
        place[self.rows] = np.arange(len(self.rows))
        listed = sides.itself != NO_ROW
        self.own = np.full(len(sides.probes), NO_ROW, dtype=np.int64)
        self.own[listed] = place[sides.itself[listed]] - self.start[listed]
        self.mates = self.size - listed


def matching_trials(sides: Sides, candidates: int, seed: int, galleries: int = GALLERIES_PER_PROBE) -> MatchingTrials:
    """1:N queries: for each probe some galleries of one random mate and N - 1 random items of other identities.

    A probe without a mate in the gallery gives no trial. The items of one gallery differ from each other.

    Args:
        sides: who is there.
        candidates: N, at least 2.
        seed: of the draw; each N has its own stream.
        galleries: per probe.
    Returns:
        MatchingTrials, the mate in column 0.
    Raises:
        SettingsError: N < 2, or a probe has fewer than N - 1 gallery items of other identities.
    """
    if candidates < 2:
        raise SettingsError(f"1:N matching wants N >= 2, got {candidates}")
    groups = _ByIdentity(sides)
    random = np.random.default_rng([seed, candidates])
    probes = np.repeat(np.flatnonzero(groups.mates > 0), galleries)
    start, size = groups.start[probes], groups.size[probes]
    others = len(sides.gallery) - size
    if len(probes) and others.min() < candidates - 1:
        raise SettingsError(
            f"1:{candidates} matching needs {candidates - 1} gallery items of other identities for each probe, "
            f"one has {others.min()}; ask for a smaller N"
        )
    table = np.empty((len(probes), candidates), dtype=np.int64)
    table[:, 0] = groups.rows[start + _other_than(groups.own[probes], groups.mates[probes], random)]
    places = _distinct(others, candidates - 1, random)
    table[:, 1:] = groups.rows[np.where(places >= start[:, None], places + size[:, None], places)]
    return MatchingTrials(probes=probes, candidates=table)


def _other_than(own: np.ndarray, count: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """One of `count` places drawn evenly, stepping over `own` where that is not -1."""
    drawn = random.integers(0, count)
    return drawn + ((own != NO_ROW) & (drawn >= own))


def _distinct(limits: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """(t, count) numbers below each limit, all different in a row, every such row equally likely."""
    chosen = np.empty((len(limits), count), dtype=np.int64)
    for column in range(count):
        drawn = random.integers(0, limits - column)
        taken = np.sort(chosen[:, :column], axis=1)
        for earlier in range(column):
            drawn += drawn >= taken[:, earlier]
        chosen[:, column] = drawn
    return chosen


def verification_trials(pairs: MatchingTrials, seed: int) -> VerificationTrials:
    """One trial from each 1:2 query: its probe and one of its two candidates, drawn at random.

    Args:
        pairs: 1:2 queries.
        seed: of the draw.
    Raises:
        SettingsError: the queries are not 1:2.
    """
    if pairs.candidates.shape[1] != 2:
        raise SettingsError(f"verification trials come from 1:2 queries, got 1:{pairs.candidates.shape[1]}")
    column = np.random.default_rng([seed, 1]).integers(0, 2, size=len(pairs))
    items = pairs.candidates[np.arange(len(pairs)), column]
    return VerificationTrials(probes=pairs.probes, items=items, mated=column == 0)
