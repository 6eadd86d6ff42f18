"""Open-set searches: what a gallery, in which not everybody is enrolled, returned for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vfsearch.errors import SettingsError

NOBODY = -1
"""Stands where a list of candidates has ended."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Searches:
    """Searches of a gallery that holds one template of each of N identities.

    The best L candidates are kept of each search, which measures need no more of than the first score; resampling
    the gallery goes down the list to the first candidate that is drawn.

    Args:
        scores: (s, L) similarities, best first; -inf where there is no further candidate.
        candidates: (s, L) int64 numbers of the candidates' identities, `NOBODY` where there is none.
        probes: (s,) int64 numbers of the identities that are searched for.
        mated: (s,) bool: the identity is in the gallery.
        mate_scores: (s,) similarity of the mate; NaN for a non-mated or missing search.
        above: (s,) how many others of the whole gallery score above the mate; 0 where there is none.
        tied: (s,) how many others have the mate's score; 0 where there is none.
        missing: (s,) bool: the probe could not be embedded. Such a search returns nothing: a miss if it is mated, and
            no false positive if it is not.
        gallery: N.
        identities: their names, by number.
        weights: (s,) how often each search counts; None: once.
    """

    scores: np.ndarray
    candidates: np.ndarray
    probes: np.ndarray
    mated: np.ndarray
    mate_scores: np.ndarray
    above: np.ndarray
    tied: np.ndarray
    missing: np.ndarray
    gallery: int
    identities: Sequence[str]
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.scores.ndim != 2 or self.scores.shape != self.candidates.shape:
            raise SettingsError(
                f"scores {self.scores.shape} and candidates {self.candidates.shape}: wanted (s, L), both alike"
            )
        names = ("probes", "mated", "mate_scores", "above", "tied", "missing")
        wrong = {name: len(getattr(self, name)) for name in names if len(getattr(self, name)) != len(self.scores)}
        if wrong:
            raise SettingsError(f"{len(self.scores)} searches, but {wrong}: each must have one entry a search")
        if (np.isnan(self.mate_scores) != (~self.mated | self.missing)).any():
            raise SettingsError("a mate's score is wanted of each mated search that is not missing, and of no other")

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def best(self) -> np.ndarray:
        """(s,) the best score that each search returned; -inf where it returned nothing."""
        return self.scores[:, 0] if self.scores.shape[1] else np.full(len(self), -np.inf)

    @property
    def counts(self) -> np.ndarray:
        """(s,) float64: how often each search counts."""
        return np.ones(len(self)) if self.weights is None else self.weights

    @cached_property
    def others_best_first(self) -> tuple[np.ndarray, np.ndarray]:
        """The best score of each non-mated search that counts, in falling order, and how often it counts."""
        others = ~self.mated & (self.counts > 0)
        order = np.argsort(-self.best[others])
        return self.best[others][order], self.counts[others][order]
