"""One drawing of all people, for figures over some of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from vfsearch.errors import SettingsError
from vfsearch.measure.resampling import Resampling


@dataclass(frozen=True, kw_only=True)
class SharedDraws(Resampling):
    """Draws of a set of people, of which any part can be asked for: all parts get the same draws.

    A `Resampling` draws each set of people anew, so that figures over two parts of them would not belong together:
    a negative's identity may be of either part. Here a part gets what the whole set drew.

    Args:
        everyone: names of all people, in any order.
    Example:
        >>> draws = SharedDraws(seed=1, resamples=3, everyone=("a", "b", "c"))
        >>> bool((draws.weights(["c", "a"]) == draws.weights(["a", "b", "c"])[:, [2, 0]]).all())
        True
    """

    everyone: tuple[str, ...]
    _units: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._units.update(zip(self.everyone, super().units(self.everyone).tolist(), strict=True))

    def units(self, identities: Sequence[str]) -> np.ndarray:
        """(I,) int64 unit of each identity among those of everyone.

        Raises:
            SettingsError: one is not of everyone.
        """
        unknown = [name for name in identities if name not in self._units]
        if unknown:
            raise SettingsError(f"{unknown[0]!r} is none of the {len(self.everyone)} people that draws are shared by")
        return np.array([self._units[name] for name in identities], dtype=np.int64)

    def draws(self, units: int) -> np.ndarray:
        """(R, units) float64: how often each of the first units is drawn when all are."""
        return super().draws(self._count())[:, :units]

    def pair_weights(self, units: int, resamples: int = 200) -> Iterator[np.ndarray]:
        """As of a `Resampling` of everyone, for pairs of the first units."""
        for table in super().pair_weights(self._count(), resamples):
            yield table[:units, :units]

    def _count(self) -> int:
        return max(self._units.values(), default=-1) + 1
