"""Verification figures with what resampling the identities of both sides makes of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.scored import ScoredPairs
from vfsearch.measure.binned_pairs import BinnedPairs
from vfsearch.measure.detection_cost import bayes_threshold
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.kind import Measure
from vfsearch.measure.long_curve import LongCurve, Needs, blocks_of
from vfsearch.measure.long_replicates import LongReplicates
from vfsearch.measure.operating_points import OperatingPoints, ScoredTrials, require_scores
from vfsearch.measure.pair_sorter import PairSorter
from vfsearch.measure.pair_spill import PairSpill, rows_of
from vfsearch.measure.pair_units import pair_units
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.score_bins import BinRule

IN_MEMORY = 2**21
"""More trials than this are sorted on the disk."""


def verification_values(
    pairs: ScoredPairs | PairSpill,
    measures: Sequence[Measure],
    resampling: Resampling,
    in_memory: int = IN_MEMORY,
    folder: Path | None = None,
) -> dict[str, Estimate]:
    """Verification figures, each with its replicates.

    A figure is exact however many trials there are. Its replicates are worked out on bins of scores where there are
    more than 8,192 trials. A trial counts as often as its identities are drawn: the product of both, or once where
    both are one identity.

    Args:
        pairs: the trials; anything with a length, `identities` and `chunks()`.
        measures: of the family "verification".
        resampling: of the identities.
        in_memory: with more trials than this, memory no longer grows with their number.
        folder: for temporary files then; None for the system's.
    Returns:
        Estimates by the measure's name.
    Raises:
        InputError: a score is NaN.
        VfsearchError: the disk is full, ...
    """
    if len(pairs) <= in_memory:
        summary = _short(pairs, measures, resampling)
    else:
        summary = _long(pairs, measures, resampling, in_memory, folder)
    return {str(measure): summary.estimate(place, measure) for place, measure in enumerate(measures)}


def chance(measure: Measure, mated: float, other: float) -> float:
    """What a measure gives when all scores are equal; NaN for rates at a score, where it depends on the score.

    Args:
        measure: of the family "verification".
        mated, other: how many trials of each kind there are.
    """
    if measure.kind.parameter == "score":
        return float("nan")
    equal = OperatingPoints(
        thresholds=np.array([np.inf, 0.0]), mated=np.array([0.0, mated]), other=np.array([0.0, other])
    )
    return measure.figure()(equal)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Summary:
    """Operating points, the figures (r, measures) in every resample of both kinds, and by how much to widen."""

    points: OperatingPoints
    joint: np.ndarray
    by_pair: np.ndarray
    widening: float

    def estimate(self, place: int, measure: Measure) -> Estimate:
        return Estimate(
            value=measure.figure()(self.points),
            replicates=self.joint[:, place],
            chance=chance(measure, self.points.mated[-1], self.points.other[-1]),
            by_pair=self.by_pair[:, place],
            widening=self.widening,
            fraction=measure.kind.percent,
            limits=measure.kind.limits,
        )


def _short(pairs: ScoredPairs | PairSpill, measures: Sequence[Measure], resampling: Resampling) -> _Summary:
    whole = _in_one(pairs)
    trials = ScoredTrials(whole.scores, whole.mated)
    sides = _trials_of_each(whole)
    units = pair_units(whole.identities, sides, resampling)
    points = trials.operating_points()
    binned = BinnedPairs(trials, units.codes(whole.probes, whole.items, whole.mated), points, _edges(measures))
    return _Summary(
        points=points,
        joint=_figures(measures, map(binned.replicate, units.joint())),
        by_pair=_figures(measures, map(binned.replicate, units.by_pair())),
        widening=units.widening(),
    )


def _long(
    pairs: ScoredPairs | PairSpill,
    measures: Sequence[Measure],
    resampling: Resampling,
    in_memory: int,
    folder: Path | None,
) -> _Summary:
    rates = np.array([each.parameter for each in measures if each.kind.parameter == "rate"], dtype=float)
    edges = _edges(measures)
    with PairSorter(len(pairs), max(in_memory // 4, 1), folder) as sorter:
        mated, sides = _sort(pairs, sorter)
        other = len(pairs) - mated
        curve = LongCurve(Needs(mated=mated, other=other, rates=rates, scores=edges))
        units = pair_units(pairs.identities, sides, resampling)
        replicates = LongReplicates(BinRule(mated=mated, other=other, edges=edges), units)
        for rows in sorter.pieces():
            blocks = blocks_of(rows["score"], rows["mated"])
            curve.add(blocks)
            replicates.add(blocks, rows)
    return _Summary(
        points=curve.finish(),
        joint=_figures(measures, replicates.joint()),
        by_pair=_figures(measures, replicates.by_pair()),
        widening=units.widening(),
    )


def _sort(pairs: ScoredPairs | PairSpill, sorter: PairSorter) -> tuple[int, np.ndarray]:
    """Give all trials to a sorter; how many are mated, and (2, I) how many each identity has on either side."""
    mated, sides = 0, np.zeros((2, 0), dtype=np.int64)
    for chunk in pairs.chunks():
        require_scores(chunk.scores)
        mated += int(chunk.mated.sum())
        found = _trials_of_each(chunk)
        # Identities may join as the list is read.
        found[:, : sides.shape[1]] += sides
        sides = found
        sorter.add(rows_of(chunk))
    return mated, sides


def _in_one(pairs: ScoredPairs | PairSpill) -> ScoredPairs:
    chunks = list(pairs.chunks())
    if len(chunks) == 1:
        return chunks[0]
    names = {"scores": float, "mated": bool, "probes": np.int64, "items": np.int64}
    columns = {
        name: np.concatenate([np.zeros(0, dtype), *(getattr(chunk, name) for chunk in chunks)])
        for name, dtype in names.items()
    }
    return ScoredPairs(**columns, identities=pairs.identities)


def _trials_of_each(pairs: ScoredPairs) -> np.ndarray:
    """(2, I) how many trials each identity has on either side."""
    return np.stack([np.bincount(side, minlength=len(pairs.identities)) for side in (pairs.probes, pairs.items)])


def _edges(measures: Sequence[Measure]) -> np.ndarray:
    """Ascending scores that figures are asked at: given ones, and the Bayes thresholds of given priors."""
    scores = [each.parameter for each in measures if each.kind.parameter == "score"]
    priors = [each.parameter for each in measures if each.kind.parameter == "rate"]
    return np.unique(np.array([*scores, *map(bayes_threshold, priors)], dtype=float))


def _figures(measures: Sequence[Measure], replicates: Iterable[OperatingPoints]) -> np.ndarray:
    """(r, measures) figures of some operating points; NaN where there is none, or none that is finite."""
    functions = [measure.figure() for measure in measures]
    figures = np.array([[function(points) for function in functions] for points in replicates], dtype=float)
    return np.where(np.isfinite(figures), figures, np.nan).reshape(-1, len(measures))
