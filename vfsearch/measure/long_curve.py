"""The operating points of trials that come by descending score, of which only those are kept that figures need."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vfsearch.measure.convex_hull import hull_places
from vfsearch.measure.equal_error import last_block_of_kaldi
from vfsearch.measure.operating_points import OperatingPoints


@dataclass(frozen=True, kw_only=True, eq=False)
class Needs:
    """What figures look for on a curve.

    Args:
        mated, other: how many trials of each kind there are.
        rates: false match rates, each in [0, 1].
        scores: thresholds.
    """

    mated: int
    other: int
    rates: np.ndarray
    scores: np.ndarray

    def places(self, points: OperatingPoints) -> np.ndarray:
        """Ascending places of the points, so far, that a figure can still depend on.

        Those are the corners of the convex hull; the points on either side of FMR = FNMR, among all and among corners;
        where Kaldi's equal error rate is; the last with at most a given FMR or at least a given score; both ends.
        """
        last = len(points.thresholds) - 1
        found = [np.array([0, last]), hull_places(points.mated, points.other), self._around_equal(points)]
        rates = points.other / max(self.other, 1)
        found.append(np.searchsorted(rates, self.rates, side="right") - 1)
        found.append(last - np.searchsorted(points.thresholds[::-1], self.scores))
        return np.unique(np.concatenate(found))

    def _around_equal(self, points: OperatingPoints) -> np.ndarray:
        gaps = points.other * float(self.mated) - (self.mated - points.mated) * float(self.other)
        corners = points.corner_places()
        among_all, among_corners = np.searchsorted(gaps, 0.0), np.searchsorted(gaps[corners], 0.0)
        found = [among_all - 1, among_all, *corners[_within([among_corners - 1, among_corners], len(corners))]]
        reached = np.ceil(points.other[1:] * float(self.mated) / max(self.other, 1))
        kaldi = last_block_of_kaldi(points.mated, reached, float(self.mated))
        return _within([*found, *([kaldi, kaldi + 1] if kaldi >= 0 else [])], len(gaps))


def _within(places: list[int], count: int) -> np.ndarray:
    return np.array([place for place in places if 0 <= place < count], dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Blocks:
    """Trials of equal scores, by descending score.

    Args:
        scores: (b,).
        mated, other: (b,) int64 how many of each kind.
    """

    scores: np.ndarray
    mated: np.ndarray
    other: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def part(self, part: slice) -> "Blocks":
        """Some of them."""
        return Blocks(scores=self.scores[part], mated=self.mated[part], other=self.other[part])

    def after(self, last: "Blocks") -> "Blocks":
        """These with some from before in front, the first going into the last of those where they share a score."""
        mated, other, blocks = last.mated.copy(), last.other.copy(), self
        if last.scores[-1] == self.scores[0]:
            mated[-1] += self.mated[0]
            other[-1] += self.other[0]
            blocks = self.part(slice(1, None))
        return Blocks(
            scores=np.concatenate([last.scores, blocks.scores]),
            mated=np.concatenate([mated, blocks.mated]),
            other=np.concatenate([other, blocks.other]),
        )


def blocks_of(scores: np.ndarray, mated: np.ndarray) -> Blocks:
    """The blocks of trials that are sorted by descending score."""
    starts = np.flatnonzero(np.concatenate([[True], scores[1:] != scores[:-1]]))
    own = np.add.reduceat(mated.astype(np.int64), starts)
    return Blocks(scores=scores[starts], mated=own, other=np.diff(np.append(starts, len(scores))) - own)


class Keeps(Protocol):
    """Which points of a curve are kept."""

    def places(self, points: OperatingPoints) -> np.ndarray:
        """Ascending places of the points, so far, to keep; both ends among them."""


class LongCurve:
    """Operating points as trials come in, thinned to what figures need: exact, and of bounded size.

    Args:
        needs: what that is; `Needs`, or a `BinRule` for points at fine steps.
    """

    def __init__(self, needs: Keeps) -> None:
        self._needs = needs
        self._points = OperatingPoints(
            thresholds=np.array([np.inf]), mated=np.zeros(1), other=np.zeros(1), levels=np.zeros(0),
            costs=np.zeros((2, 0)), corners=np.array([True]),
        )  # fmt: skip
        # The last block may go on in what comes next, and so whether the one before ends in a corner is not known yet.
        self._last: Blocks | None = None

    def add(self, blocks: Blocks) -> None:
        """Add the next blocks; the first may go on with the score of the last one added."""
        blocks = blocks if self._last is None else blocks.after(self._last)
        self._last = blocks.part(slice(-2, None))
        self._extend(blocks.part(slice(0, -2)), (int(self._last.mated[0]), int(self._last.other[0])))

    def finish(self) -> OperatingPoints:
        """The operating points, when all blocks are in."""
        if self._last is not None:
            self._extend(self._last, None)
            self._last = None
        return self._points

    def _extend(self, blocks: Blocks, after: tuple[int, int] | None) -> None:
        """Add blocks, the next block having `after` mated and other trials (None: there is none)."""
        if not len(blocks):
            return
        old = self._points
        new = OperatingPoints(
            thresholds=np.concatenate([old.thresholds[-1:], blocks.scores]),
            mated=old.mated[-1] + np.concatenate([[0.0], np.cumsum(blocks.mated)]),
            other=old.other[-1] + np.concatenate([[0.0], np.cumsum(blocks.other)]),
        )
        self._points = OperatingPoints(
            thresholds=np.concatenate([old.thresholds, new.thresholds[1:]]),
            mated=np.concatenate([old.mated, new.mated[1:]]),
            other=np.concatenate([old.other, new.other[1:]]),
            levels=np.concatenate([old.levels, new.block_levels()]),
            costs=np.concatenate([old.costs, new.block_costs()], axis=1),
            corners=np.concatenate([old.corners, self._corners(blocks, after)]),
        )
        self._points = self._points.kept(self._needs.places(self._points))

    def _corners(self, blocks: Blocks, after: tuple[int, int] | None) -> np.ndarray:
        """Whether the end of each block is a corner: its trials and those of the next block differ."""
        pairs = np.stack([blocks.mated, blocks.other], axis=1)
        following = np.concatenate([pairs[1:], [(-1, -1) if after is None else after]])
        corners = (pairs != following).any(axis=1)
        corners[0] |= len(self._points.thresholds) == 1
        return corners
