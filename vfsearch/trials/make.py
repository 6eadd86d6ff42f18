"""Drawing trials from a seed: the same on every machine.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, supplement, section 3.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.data.trials import MatchingTrials, VerificationTrials
from vfsearch.errors import SettingsError
from vfsearch.trials.draw import Draw
from vfsearch.trials.pool import Labels, Pool, Sides

__all__ = [
    "GALLERIES_PER_PROBE", "Labels", "MatchingDraw", "Pool", "Sides", "matching_trials", "verification_blocks",
    "verification_trials",
]  # fmt: skip
GALLERIES_PER_PROBE = 3
_ITEMS_PER_BLOCK, _TRIALS_PER_BLOCK = 2**20, 2**16
_VERIFICATION_STREAM = 1
"""No N is 1."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingDraw:
    """1:N queries that can be drawn again and again, in blocks, so that they need not fit in memory.

    Args:
        pool: who may stand beside whom.
        candidates: N, at least 2.
        seed: of the draw; each N has its own stream.
        galleries: for each probe that has a mate.
        stream: further numbers that name the stream.
        small_groups: what becomes of probes with fewer than N - 1 items of other identities: "refuse" the whole list,
            or "leave-out" those probes.
    Raises:
        SettingsError: N < 2, no galleries, or a probe has fewer than N - 1 gallery items of other identities.
    """

    pool: Pool
    candidates: int
    seed: int
    galleries: int = GALLERIES_PER_PROBE
    stream: Sequence[int] = ()
    small_groups: str = "refuse"

    def __post_init__(self) -> None:
        if self.candidates < 2:
            raise SettingsError(f"1:N matching wants N >= 2, got {self.candidates}")
        if self.galleries < 1:
            raise SettingsError(f"wanted at least 1 gallery per probe, got {self.galleries}")
        if self.small_groups not in ("refuse", "leave-out"):
            raise SettingsError(f"small groups can be refused or left out, got {self.small_groups!r}")
        if self.small_groups == "refuse":
            self.pool.require(self.candidates - 1)

    @property
    def probes(self) -> np.ndarray:
        """(a,) the probe rows that are asked, `galleries` times each."""
        return np.flatnonzero((self.pool.mates > 0) & (self.pool.others >= self.candidates - 1))

    def __len__(self) -> int:
        return len(self.probes) * self.galleries

    def blocks(self) -> Iterator[MatchingTrials]:
        """The trials from the first, by probe; the mate is in column 0."""
        random = Draw(self.seed, *self.stream, self.candidates)
        probes = self.probes
        step = min(_TRIALS_PER_BLOCK, max(1, _ITEMS_PER_BLOCK // self.candidates))
        for start in range(0, len(self), step):
            numbers = np.arange(start, min(start + step, len(self)))
            yield self._drawn(probes[numbers // self.galleries], random)

    def _drawn(self, probes: np.ndarray, random: Draw) -> MatchingTrials:
        mates = self.pool.mate_rows(probes, random.below(self.pool.mates[probes]))
        others = self.pool.other_rows(probes, random.distinct(self.pool.others[probes], self.candidates - 1))
        return MatchingTrials(probes=probes, candidates=np.concatenate([mates[:, None], others], axis=1))


def matching_trials(
    sides: Sides,
    candidates: int,
    seed: int,
    galleries: int = GALLERIES_PER_PROBE,
    *,
    groups: Labels | None = None,
    sources: Labels | None = None,
    stream: Sequence[int] = (),
    small_groups: str = "refuse",
) -> MatchingTrials:
    """1:N queries: for each probe some galleries of one random mate and N - 1 random items of other identities.

    A probe without a mate in the gallery gives no trial. The items of one gallery differ from each other; the people
    of the N - 1 others need not.

    Args:
        sides: who is there.
        candidates: N, at least 2.
        seed: of the draw; each N has its own stream.
        galleries: per probe.
        groups: all candidates are of the probe's group; None: of any.
        sources: the mate is of another source than the probe; None: of any.
        stream: further numbers that name the stream.
        small_groups: "refuse", or "leave-out" the probes with fewer than N - 1 items of other identities.
    Returns:
        MatchingTrials, the mate in column 0.
    Raises:
        SettingsError: N < 2, or a probe has fewer than N - 1 gallery items of other identities.
    """
    drawn = MatchingDraw(
        pool=Pool(sides, groups, sources), candidates=candidates, seed=seed, galleries=galleries, stream=stream,
        small_groups=small_groups,
    )  # fmt: skip
    blocks = list(drawn.blocks())
    empty = MatchingTrials(probes=np.zeros(0, np.int64), candidates=np.zeros((0, candidates), np.int64))
    return MatchingTrials(
        probes=np.concatenate([block.probes for block in [empty, *blocks]]),
        candidates=np.concatenate([block.candidates for block in [empty, *blocks]]),
    )


def verification_trials(pairs: MatchingTrials, seed: int, *, stream: Sequence[int] = ()) -> VerificationTrials:
    """One trial from each 1:2 query: its probe and one of its two candidates, drawn at random.

    Args:
        pairs: 1:2 queries.
        seed: of the draw.
        stream: further numbers that name the stream.
    Raises:
        SettingsError: the queries are not 1:2.
    """
    return next(verification_blocks([pairs], seed, stream=stream))


def verification_blocks(
    pairs: Iterable[MatchingTrials], seed: int, *, stream: Sequence[int] = ()
) -> Iterator[VerificationTrials]:
    """What `verification_trials` gives, block by block of the 1:2 queries.

    Raises:
        SettingsError: the queries are not 1:2.
    """
    random = Draw(seed, *stream, _VERIFICATION_STREAM)
    for block in pairs:
        if block.candidates.shape[1] != 2:
            raise SettingsError(f"verification trials come from 1:2 queries, got 1:{block.candidates.shape[1]}")
        column = random.below(np.full(len(block), 2))
        items = block.candidates[np.arange(len(block)), column]
        yield VerificationTrials(probes=block.probes, items=items, mated=column == 0)
