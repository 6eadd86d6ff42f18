"""Drawing identities anew, again and again: the same draws for the same people, whatever the trials.

Source: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007 (identities of both sides of a pair are
drawn, not trials); Owen & Eckles, "Bootstrapping data arrays of arbitrary order", Annals of Applied Statistics 2012
(pairs weighted by double or nothing).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError

MOST_UNITS = 256
"""More identities than this are drawn in groups, so that tables by unit (and by pair of units) stay small."""
_DRAWS, _GROUPS, _PAIRS = 2, 3, 4


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How often each identity is drawn, in each of many resamples.

    Everything depends on the set of names and the seed alone, not on the order of the names: two runs on the same
    people get the same draws, so that their figures can be compared resample by resample.

    Args:
        seed: of the draws.
        resamples: how many.
    Example:
        >>> drawn = Resampling(seed=1, resamples=3).weights(["b", "a"])
        >>> drawn.shape, drawn.sum(axis=1)
        ((3, 2), array([2., 2., 2.]))
    """

    seed: int
    resamples: int = 1000

    def __post_init__(self) -> None:
        if self.resamples < 1 or self.seed < 0:
            raise SettingsError(f"resampling wants resamples >= 1 and seed >= 0, got {self}")

    def units(self, identities: Sequence[str]) -> np.ndarray:
        """(I,) int64: the unit that each identity is drawn with: its own, or one of 256 groups where there are more."""
        place_of = {name: place for place, name in enumerate(sorted(set(identities)))}
        places = np.array([place_of[name] for name in identities], dtype=np.int64)
        if len(place_of) <= MOST_UNITS:
            return places
        groups = np.random.default_rng([self.seed, _GROUPS]).permutation(len(place_of)) % MOST_UNITS
        return groups[places].astype(np.int64)

    def draws(self, units: int) -> np.ndarray:
        """(R, units) float64: how often each of so many units is drawn, with replacement, as many as there are."""
        if not units:
            return np.zeros((self.resamples, 0))
        random = np.random.default_rng([self.seed, _DRAWS])
        return random.multinomial(units, np.full(units, 1.0 / units), size=self.resamples).astype(float)

    def weights(self, identities: Sequence[str]) -> np.ndarray:
        """(R, I) float64: how often each identity is drawn in each resample."""
        units = self.units(identities)
        return self.draws(int(units.max(initial=-1)) + 1)[:, units]

    def pair_weights(self, units: int, resamples: int = 200) -> Iterator[np.ndarray]:
        """For each of some resamples, (units, units) float64: a weight of each pair of units, 0 or 2, by itself.

        Symmetric: a pair is the same whichever side its identities are on. The diagonal is 1: a mated pair is no
        pair of identities, and stays as it is.
        """
        random = np.random.default_rng([self.seed, _PAIRS])
        for _ in range(resamples):
            bits = np.unpackbits(random.integers(0, 256, (units, (units + 7) // 8), dtype=np.uint8), axis=1)
            upper = np.triu(2.0 * bits[:, :units], 1)
            yield upper + upper.T + np.eye(units)
