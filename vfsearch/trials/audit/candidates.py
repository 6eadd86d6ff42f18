"""Items that a trial should not hold: the probe itself, or one item twice."""

import numpy as np

from vfsearch.data.findings import ERROR, FindingKind
from vfsearch.trials.audit.check import Seen, TrialCheck, everywhere

ITSELF = FindingKind(
    name="itself",
    severity=ERROR,
    unit="trials",
    meaning="An item is compared with itself, which every method gets right.",
    definition="Trials whose probe is its own item, or among its own candidates, by name; of all trials.",
)
REPEATED_CANDIDATE = FindingKind(
    name="repeated-candidate",
    severity=ERROR,
    unit="trials",
    meaning="A gallery holds one item twice: the trial is easier than its N says, or has a tie that nothing can win.",
    definition="Matching trials in which one name stands among the candidates more than once; of all trials.",
)


class Itself(TrialCheck):
    """The probe on the other side of its own trial."""

    kind = ITSELF

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Trials of an item against itself."""
        return (seen.block.items == seen.block.probes[:, None]).any(axis=1), everywhere(seen.block)


class RepeatedCandidate(TrialCheck):
    """One item twice in a gallery."""

    kind = REPEATED_CANDIDATE

    def bad(self, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
        """Trials with fewer distinct candidates than candidates."""
        ordered = np.sort(seen.block.items, axis=1)
        return (ordered[:, 1:] == ordered[:, :-1]).any(axis=1), everywhere(seen.block)
