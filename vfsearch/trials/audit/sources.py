"""Mated pairs whose two sides were taken from one recording."""

import numpy as np

from vfsearch.data.findings import WARNING, FindingKind
from vfsearch.data.trial_list import UNKNOWN
from vfsearch.trials.audit.check import MATED, Seen, TrialCheck

SAME_SOURCE = FindingKind(
    name="same-source",
    severity=WARNING,
    unit="mated trials",
    meaning="Channel and scene alone can tell such a pair from others, so it is no test of whether voice and face fit.",
    definition="Trials whose mated pair has one source on both sides (a column `source`, else the video id in the "
    "path); of the trials with a mated pair.",
    source="audit of the Learnable PINs lists (Nagrani et al., ECCV 2018): 100 % of the seen-heard positives",
)


class SameSource(TrialCheck):
    """One recording on both sides of a mated pair."""

    kind = SAME_SOURCE

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Trials with such a pair, of those with a mated one."""
        sources, mated = self.subject.source.numbers(), seen.labels == MATED
        probes, items = sources[seen.block.probes][:, None], sources[seen.block.items]
        return (mated & (probes == items) & (probes != UNKNOWN)).any(axis=1), mated.any(axis=1)

    def unchecked(self) -> dict[str, str]:
        """Without sources nothing was looked at."""
        if not self.subject.trials.names or self.subject.source.known().any():
            return {}
        return {self.kind.name: "no item's source is known: name a manifest with the column `source`"}
