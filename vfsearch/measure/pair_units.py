"""What each verification trial counts when the identities of both sides are drawn anew."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.measure.interval import widening
from vfsearch.measure.resampling import Resampling


@dataclass(frozen=True, kw_only=True, eq=False)
class PairUnits:
    """Identities by the unit that they are drawn with, and the weight of each pair of units.

    A trial counts as often as its identities are drawn: the product of both, or once where both are one identity, as
    in a mated trial. Its weight stands in a table of units * units products, then units single draws.

    Make it with `pair_units`.

    Args:
        units: (I,) int64 unit of each identity number; 0 for those that take no part.
        count: how many units.
        sides: (2, count) how many trials each unit has on either side.
        resampling: the draws.
    """

    units: np.ndarray
    count: int
    sides: np.ndarray
    resampling: Resampling

    def codes(self, probes: np.ndarray, items: np.ndarray, mated: np.ndarray) -> np.ndarray:
        """(t,) int64 places in the table of the trials' weights."""
        single = mated | (probes == items)
        pairs = self.units[probes] * self.count + self.units[items]
        return np.where(single, self.count**2 + self.units[probes], pairs)

    def joint(self) -> Iterator[np.ndarray]:
        """For each resample, the table of weights: products of draws, then the draws; good until the next is taken."""
        table = np.empty(self.count**2 + self.count)
        products, single = table[: self.count**2].reshape(self.count, self.count), table[self.count**2 :]
        for drawn in self.resampling.draws(self.count):
            np.multiply(drawn[:, None], drawn, out=products)
            single[:] = drawn
            yield table

    def by_pair(self) -> Iterator[np.ndarray]:
        """The same with each pair of units weighted by itself: what shows how much `joint` overcounts."""
        table = np.ones(self.count**2 + self.count)
        for weights in self.resampling.pair_weights(self.count):
            table[: self.count**2] = weights.ravel()
            yield table

    def widening(self) -> float:
        """By how much few or unequal units make an interval wider."""
        return widening(*self.sides)


def pair_units(identities: Sequence[str], sides: np.ndarray, resampling: Resampling) -> PairUnits:
    """The units of the identities that take part in some trials.

    Args:
        identities: names by number.
        sides: (2, I) how many trials each has on either side; the draws depend on the names of those that have some.
        resampling: of them.
    """
    present = np.flatnonzero(sides.any(axis=0))
    of_present = resampling.units([identities[number] for number in present.tolist()])
    units, count = np.zeros(len(identities), dtype=np.int64), int(of_present.max(initial=-1)) + 1
    units[present] = of_present
    by_unit = np.stack([np.bincount(of_present, side[present], minlength=count) for side in sides])
    return PairUnits(units=units, count=count, sides=by_unit, resampling=resampling)
