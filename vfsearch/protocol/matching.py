"""The 1:N matching protocol."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement
from vfsearch.data.scored import ScoredMatching
from vfsearch.data.trials import MatchingTrials
from vfsearch.kernels.pairs import pair_scores
from vfsearch.measure import kind
from vfsearch.measure.catalog import chosen
from vfsearch.measure.matching import tied_at_top
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.resampling import Resampling
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.drawing import UNRESTRICTED, drawn, suffix
from vfsearch.protocol.names import identity_names
from vfsearch.protocol.result import Result
from vfsearch.trials.constraints import Group
from vfsearch.trials.make import GALLERIES_PER_PROBE


@dataclass(frozen=True, kw_only=True)
class Matching:
    """For each probe three galleries of one mate and N - 1 items of other identities: is the mate the best?

    Args:
        candidates: N.
        seed: of the galleries and of the intervals.
        group: what all candidates have in common with their probe.
        measures: names; those of other protocols are passed over; none of its own: accuracy.
    Source: Wen et al., CVPR 2021, supplement, section 3.
    """

    candidates: int
    seed: int
    group: Group = UNRESTRICTED
    measures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For the run's files, for example "matching-2", "matching-2-G"."""
        return f"matching-{self.candidates}{suffix(self.group)}"

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure.

        Raises:
            SettingsError: the gallery, or a group, is too small for N; or nothing is known of a group's columns.
            UnknownNameError: a measure's name is that of none.
        """
        trials = drawn(comparison, self.candidates, self.seed, self.group)
        scores, seconds = timed(lambda: _scores(comparison, trials))
        latency = single_latency(lambda number: _scores(comparison, trials, slice(number, number + 1)), len(trials))
        scored = _with_missing(comparison, trials, scores)
        estimates = matching_values(scored, chosen(self.measures, kind.MATCHING), Resampling(seed=self.seed))
        measurement = Measurement(
            protocol="matching",
            direction=comparison.direction,
            candidates=self.candidates,
            trials=len(scored),
            missing=len(scored) - len(trials),
            tied=float(tied_at_top(scores).sum() / max(1, len(scored))),
            values={name: estimate.to_value() for name, estimate in estimates.items()},
            trials_per_second=len(trials) / seconds,
            probes_per_second=len(np.unique(trials.probes)) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
            latency_p99_seconds=latency[2],
            group=self.group.name,
        )
        raw = {"probes": trials.probes, "candidates": trials.candidates, "scores": scores}
        return Result(measurement=measurement, raw=raw, scored=scored)

    def scored(self, comparison: Comparison) -> ScoredMatching:
        """The trials of `run` with their scores, untimed."""
        trials = drawn(comparison, self.candidates, self.seed, self.group)
        return _with_missing(comparison, trials, _scores(comparison, trials))


def _with_missing(comparison: Comparison, trials: MatchingTrials, scores: np.ndarray) -> ScoredMatching:
    """The trials, then those that the missing probes would have had."""
    absent = np.repeat(comparison.missing, GALLERIES_PER_PROBE)
    # Whom a missing probe is compared with is nobody in particular: only its own identity is resampled.
    nobody = np.repeat(absent[:, None], scores.shape[1], axis=1)
    return ScoredMatching(
        scores=np.concatenate([scores, np.full(nobody.shape, -np.inf)]),
        probes=np.concatenate([comparison.sides.probes[trials.probes], absent]),
        candidates=np.concatenate([comparison.sides.gallery[trials.candidates], nobody]),
        missing=np.arange(len(scores) + len(absent)) >= len(scores),
        identities=identity_names(comparison),
    )


def _scores(comparison: Comparison, trials: MatchingTrials, part: slice = slice(None)) -> np.ndarray:
    candidates = trials.candidates[part]
    probes = np.repeat(trials.probes[part], candidates.shape[1])
    scores = pair_scores(
        comparison.probes.vectors, comparison.gallery.vectors, probes, candidates.ravel(), comparison.device
    )
    return scores.reshape(candidates.shape)
