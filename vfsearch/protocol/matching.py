"""The 1:N matching protocol."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement
from vfsearch.data.trials import MatchingTrials
from vfsearch.kernels.exact import pair_scores
from vfsearch.measure.matching import matching_accuracy, tied_at_top
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.result import Result, averaged
from vfsearch.trials.make import GALLERIES_PER_PROBE, matching_trials


@dataclass(frozen=True, kw_only=True)
class Matching:
    """For each probe three galleries of one mate and N - 1 items of other identities: is the mate the best?

    Args:
        candidates: N.
        seed: of the galleries.
    Source: Wen et al., CVPR 2021, supplement, section 3.
    """

    candidates: int
    seed: int

    @property
    def name(self) -> str:
        """For the run's files, for example "matching-2"."""
        return f"matching-{self.candidates}"

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure.

        Raises:
            SettingsError: the gallery is too small for N.
        """
        trials = matching_trials(comparison.sides, self.candidates, self.seed)
        scores, seconds = timed(lambda: _scores(comparison, trials))
        values = np.concatenate([matching_accuracy(scores), np.zeros(len(comparison.missing) * GALLERIES_PER_PROBE)])
        identities = np.concatenate(
            [comparison.sides.probes[trials.probes], np.repeat(comparison.missing, GALLERIES_PER_PROBE)]
        )
        chance = len(trials) / max(1, len(values)) / self.candidates
        latency = single_latency(lambda number: _scores(comparison, trials, slice(number, number + 1)), len(trials))
        measurement = Measurement(
            protocol="matching",
            direction=comparison.direction,
            candidates=self.candidates,
            trials=len(values),
            missing=len(values) - len(trials),
            tied=float(tied_at_top(scores).sum() / max(1, len(values))),
            values={"accuracy": averaged(values, identities, chance, self.seed)},
            trials_per_second=len(trials) / seconds,
            probes_per_second=len(np.unique(trials.probes)) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
        )
        raw = {"probes": trials.probes, "candidates": trials.candidates, "scores": scores}
        return Result(measurement=measurement, raw=raw)


def _scores(comparison: Comparison, trials: MatchingTrials, part: slice = slice(None)) -> np.ndarray:
    candidates = trials.candidates[part]
    probes = np.repeat(trials.probes[part], candidates.shape[1])
    scores = pair_scores(
        comparison.probes.vectors, comparison.gallery.vectors, probes, candidates.ravel(), comparison.device
    )
    return scores.reshape(candidates.shape)
