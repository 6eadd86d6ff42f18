"""The verification protocol."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.outcome import Measurement
from vfsearch.data.scored import ScoredPairs
from vfsearch.data.trials import VerificationTrials
from vfsearch.kernels.pairs import pair_scores
from vfsearch.measure import kind
from vfsearch.measure.catalog import chosen
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.sorted_pairs import tied_share
from vfsearch.measure.verification_values import verification_values
from vfsearch.protocol.clock import single_latency, timed
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.drawing import UNRESTRICTED, drawn, stream_of, suffix
from vfsearch.protocol.names import identity_names
from vfsearch.protocol.result import Result
from vfsearch.trials.constraints import Group
from vfsearch.trials.make import GALLERIES_PER_PROBE, verification_trials


@dataclass(frozen=True, kw_only=True)
class Verification:
    """From each 1:2 query, its probe and one of the two candidates: are they of one identity?

    Args:
        seed: of the trials and of the intervals.
        group: what both candidates of the 1:2 query have in common with their probe.
        measures: names; those of other protocols are passed over; none of its own: AUC and EER.
    Source: Wen et al., CVPR 2021, supplement, section 3.
    """

    seed: int
    group: Group = UNRESTRICTED
    measures: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For the run's files, for example "verification", "verification-G"."""
        return f"verification{suffix(self.group)}"

    def run(self, comparison: Comparison) -> Result:
        """Ask and measure.

        A missing probe's trials are there too, half of them mated: nothing is like a probe that is not there.

        Raises:
            SettingsError: the gallery, or a group, is too small; or nothing is known of a group's columns.
            UnknownNameError: a measure's name is that of none.
        """
        trials = self._trials(comparison)

        def score(part: slice) -> np.ndarray:
            return _scores(comparison, trials, part)

        scores, seconds = timed(lambda: score(slice(None)))
        latency = single_latency(lambda number: score(slice(number, number + 1)), len(trials))
        pairs = _with_missing(comparison, trials, scores)
        measures = chosen(self.measures, kind.VERIFICATION)
        estimates = verification_values(pairs, measures, Resampling(seed=self.seed))
        measurement = Measurement(
            protocol="verification",
            direction=comparison.direction,
            candidates=None,
            trials=len(pairs),
            missing=len(pairs) - len(trials),
            tied=tied_share(pairs),
            values={name: estimate.to_value() for name, estimate in estimates.items()},
            trials_per_second=len(trials) / seconds,
            probes_per_second=len(np.unique(trials.probes)) / seconds,
            latency_median_seconds=latency[0],
            latency_p95_seconds=latency[1],
            latency_p99_seconds=latency[2],
            group=self.group.name,
        )
        raw = {"probes": trials.probes, "items": trials.items, "mated": trials.mated, "scores": scores}
        return Result(measurement=measurement, raw=raw, scored=pairs)

    def scored(self, comparison: Comparison) -> ScoredPairs:
        """The trials of `run` with their scores, untimed."""
        trials = self._trials(comparison)
        return _with_missing(comparison, trials, _scores(comparison, trials))

    def _trials(self, comparison: Comparison) -> VerificationTrials:
        stream = stream_of(comparison, self.group)
        return verification_trials(drawn(comparison, 2, self.seed, self.group), self.seed, stream=stream)


def _scores(comparison: Comparison, trials: VerificationTrials, part: slice = slice(None)) -> np.ndarray:
    return pair_scores(
        comparison.probes.vectors, comparison.gallery.vectors, trials.probes[part], trials.items[part],
        comparison.device,
    )  # fmt: skip


def _with_missing(comparison: Comparison, trials: VerificationTrials, scores: np.ndarray) -> ScoredPairs:
    """The trials, then those that the missing probes would have had, half of them mated."""
    sides = comparison.sides
    absent = np.repeat(comparison.missing, GALLERIES_PER_PROBE)
    absent_mated = np.arange(len(absent)) % 2 == 0
    # Whom a missing probe is compared with is nobody in particular: only its own identity is resampled.
    return ScoredPairs(
        scores=np.concatenate([scores, np.full(len(absent), -np.inf)]),
        mated=np.concatenate([trials.mated, absent_mated]),
        probes=np.concatenate([sides.probes[trials.probes], absent]),
        items=np.concatenate([sides.gallery[trials.items], absent]),
        identities=identity_names(comparison),
    )
