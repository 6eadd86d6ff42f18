"""The verification protocol."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement, Value
from vfsearch.kernels.exact import pair_scores
from vfsearch.measure.interval import trial_interval
from vfsearch.measure.verification import ScoredTrials, auc, equal_error_rate
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.result import Result
from vfsearch.trials.make import GALLERIES_PER_PROBE, matching_trials, verification_trials

FIGURES = {"AUC": auc, "EER": equal_error_rate}


@dataclass(frozen=True, kw_only=True)
class Verification:
    """From each 1:2 query, its probe and one of the two candidates: are they of one identity?

    Args:
        seed: of the trials.
    Source: Wen et al., CVPR 2021, supplement, section 3.
    """

    seed: int
    name = "verification"

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure.

        A missing probe's trials are there too, half of them mated: nothing is like a probe that is not there.
        """
        sides = comparison.sides
        trials = verification_trials(matching_trials(sides, 2, self.seed), self.seed)

        def score(part: slice) -> np.ndarray:
            return pair_scores(
                comparison.probes.vectors, comparison.gallery.vectors, trials.probes[part], trials.items[part],
                comparison.device,
            )  # fmt: skip

        scores, seconds = timed(lambda: score(slice(None)))
        latency = single_latency(lambda number: score(slice(number, number + 1)), len(trials))
        absent = np.repeat(comparison.missing, GALLERIES_PER_PROBE)
        absent_mated = np.arange(len(absent)) % 2 == 0
        all_scores = np.concatenate([scores, np.full(len(absent), -np.inf)])
        mated = np.concatenate([trials.mated, absent_mated])
        probes = np.concatenate([sides.probes[trials.probes], absent])
        # Whom a missing probe is compared with is nobody in particular: only its own identity is resampled.
        items = np.concatenate([sides.gallery[trials.items], absent])
        measurement = Measurement(
            protocol="verification",
            direction=comparison.direction,
            candidates=None,
            trials=len(all_scores),
            missing=len(absent),
            tied=_tied(all_scores, mated),
            values=_values(ScoredTrials(all_scores, mated), probes, items, self.seed),
            trials_per_second=len(trials) / seconds,
            probes_per_second=len(np.unique(trials.probes)) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
        )
        raw = {"probes": trials.probes, "items": trials.items, "mated": trials.mated, "scores": scores}
        return Result(measurement=measurement, raw=raw)


def _values(trials: ScoredTrials, probes: np.ndarray, items: np.ndarray, seed: int) -> dict[str, Value]:
    values = {}
    for name, figure in FIGURES.items():
        low, high = trial_interval(
            lambda weights, figure=figure: figure(*trials.operating_points(weights)), probes, items, seed
        )
        values[name] = Value(value=figure(*trials.operating_points()), low=low, high=high, chance=0.5)
    return values


def _tied(scores: np.ndarray, mated: np.ndarray) -> float:
    """The share of trials whose score a trial of the other kind has too."""
    both = np.intersect1d(scores[mated], scores[~mated])
    return float(np.isin(scores, both).mean()) if len(scores) else 0.0
