"""What a threshold on the score accepts: the operating points that every verification figure is a function of."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from vfsearch.errors import InputError, SettingsError


@dataclass(frozen=True, kw_only=True, eq=False)
class OperatingPoints:
    """False and true match rate at every threshold, from "accept none" to "accept all".

    Trials of one score are accepted together: m distinct scores give m + 1 points.

    Args:
        thresholds: (m + 1,) descending, +inf first; at each, trials that score at least so much are accepted.
        mated, other: (m + 1,) weight of the accepted mated and non-mated trials, from 0 to that of all.
        levels: (m,) mean of `mated` over the non-mated trials between two points, where points in between were left
            out; None: the middle, as among equal scores.
        costs: (2, m) mean logarithmic cost in bits of the mated and of the non-mated trials between two points, where
            points in between were left out; None: that of the threshold.
        corners: (m + 1,) bool: where the steps to both sides differ; None: to be found from the points, all being here.
    Example:
        >>> points = ScoredTrials(np.array([3.0, 2.0, 2.0]), np.array([True, True, False])).operating_points()
        >>> points.thresholds, points.fmr, points.tmr
        (array([inf,  3.,  2.]), array([0., 0., 1.]), array([0. , 0.5, 1. ]))
    """

    thresholds: np.ndarray
    mated: np.ndarray
    other: np.ndarray
    levels: np.ndarray | None = None
    costs: np.ndarray | None = None
    corners: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not len(self.thresholds) == len(self.mated) == len(self.other) > 0:
            raise SettingsError(
                f"{len(self.thresholds)} thresholds, but {len(self.mated)} mated and {len(self.other)} other weights"
            )

    @property
    def defined(self) -> bool:
        """Whether there are trials of both kinds; without them no figure is."""
        return bool(self.mated[-1] > 0 and self.other[-1] > 0)

    @cached_property
    def fmr(self) -> np.ndarray:
        """(m + 1,) false match rates, rising from 0 to 1; NaN without non-mated trials."""
        return self.other / (self.other[-1] or np.nan)

    @cached_property
    def tmr(self) -> np.ndarray:
        """(m + 1,) true match rates, rising from 0 to 1; NaN without mated trials."""
        return self.mated / (self.mated[-1] or np.nan)

    @cached_property
    def fnmr(self) -> np.ndarray:
        """(m + 1,) false non-match rates, falling from 1 to 0; NaN without mated trials."""
        return (self.mated[-1] - self.mated) / (self.mated[-1] or np.nan)

    @cached_property
    def gaps(self) -> np.ndarray:
        """(m + 1,) FMR - FNMR times both totals: rising, and exact for whole weights."""
        return self.other * self.mated[-1] - (self.mated[-1] - self.mated) * self.other[-1]

    def block_levels(self) -> np.ndarray:
        """(m,) `levels`, worked out where they are not given."""
        return (self.mated[1:] + self.mated[:-1]) / 2 if self.levels is None else self.levels

    def block_costs(self) -> np.ndarray:
        """(2, m) `costs`, worked out where they are not given."""
        scores = self.thresholds[1:]
        return np.logaddexp(0.0, [-scores, scores]) / np.log(2) if self.costs is None else self.costs

    def corner_places(self) -> np.ndarray:
        """Places of the points at which the steps to both sides differ, the first two and the last among them."""
        corners = corners_of(np.diff(self.mated), np.diff(self.other)) if self.corners is None else self.corners
        return np.flatnonzero(corners)

    def at_score(self, threshold: float) -> int:
        """The place of the point at which scores from a threshold on are accepted."""
        return len(self.thresholds) - 1 - int(np.searchsorted(self.thresholds[::-1], threshold))

    def at_fmr(self, rate: float) -> int:
        """The place of the last point whose FMR is at most a rate: no interpolation."""
        return int(np.searchsorted(self.fmr, rate, side="right")) - 1

    def kept(self, places: np.ndarray) -> "OperatingPoints":
        """Some of the points, with what the figures need of those in between.

        Args:
            places: ascending, the first and the last point among them.
        """
        starts = places[:-1]
        mated, other = np.diff(self.mated), np.diff(self.other)
        levels = _means(other, self.block_levels(), starts)
        costs = np.stack(
            [_means(mass, cost, starts) for mass, cost in zip((mated, other), self.block_costs(), strict=True)]
        )
        corners = np.zeros(len(self.thresholds), dtype=bool)
        corners[self.corner_places()] = True
        return replace(
            self, thresholds=self.thresholds[places], mated=self.mated[places], other=self.other[places],
            levels=levels, costs=costs, corners=corners[places],
        )  # fmt: skip


def corners_of(mated: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(m + 1,) bool: points at which the steps (mated, other; (m,) each) to both sides differ, the first two, the last.

    Source: the points that scikit-learn's `roc_curve` keeps unless told to keep all.
    """
    corners = np.ones(len(mated) + 1, dtype=bool)
    corners[2:-1] = ((mated[1:] != mated[:-1]) | (other[1:] != other[:-1]))[1:]
    return corners


def _means(masses: np.ndarray, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The mean of values from each start to the next, weighted by masses; 0 where there is no mass."""
    if not len(starts):
        return np.zeros(0)
    # What has no mass has no share either, an infinite value included.
    products = np.multiply(masses, values, out=np.zeros(len(masses)), where=masses > 0)
    sums, weights = np.add.reduceat(products, starts), np.add.reduceat(masses.astype(float), starts)
    return np.divide(sums, weights, out=np.zeros(len(starts)), where=weights > 0)


class ScoredTrials:
    """Verification trials sorted by score once, so that they can be measured under many weights.

    Args:
        scores: (t,) similarities; -inf for a missing probe.
        mated: (t,) bool.
    Raises:
        InputError: a score is NaN.
    """

    def __init__(self, scores: np.ndarray, mated: np.ndarray) -> None:
        require_scores(scores)
        self.order = np.argsort(-scores, kind="stable")
        ordered = scores[self.order]
        self.mated = mated[self.order]
        self.ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], len(ordered) > 0))
        self.thresholds = np.concatenate([[np.inf], ordered[self.ends]])

    def operating_points(self, weights: np.ndarray | None = None) -> OperatingPoints:
        """What each threshold accepts.

        Args:
            weights: (t,) of the trials; None is 1 each.
        """
        weights = np.ones(len(self.order)) if weights is None else weights[self.order]
        mated, other = (np.cumsum(weights * kind)[self.ends] for kind in (self.mated, ~self.mated))
        return OperatingPoints(
            thresholds=self.thresholds, mated=np.concatenate([[0.0], mated]), other=np.concatenate([[0.0], other])
        )


def require_scores(scores: np.ndarray) -> None:
    """Every score must be one.

    Raises:
        InputError: one is NaN.
    """
    if np.isnan(scores).any():
        place = int(np.isnan(scores).argmax())
        raise InputError(
            f"the score of trial {place + 1} of {len(scores)} is NaN: give every trial a score, -inf where a side is "
            f"missing"
        )
