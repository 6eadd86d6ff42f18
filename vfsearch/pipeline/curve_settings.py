"""What a pooling curve is asked."""

from dataclasses import dataclass

import numpy as np

from vfsearch.data.pooling import Pooling
from vfsearch.errors import SettingsError
from vfsearch.protocol.pooled_figures import USUAL, PooledFigures

ITEMS, SECONDS = "items", "seconds"


@dataclass(frozen=True, kw_only=True)
class CurveSettings:
    """What to measure.

    Args:
        probe, gallery: modalities.
        items: numbers of items to pool, ascending; none, and no seconds either: 1, 2, 4, ... as far as half of the
            people go.
        seconds: of speech to pool, ascending; whole clips are taken until they are reached.
        seconds_column: of the store, that says how long clips are; None: see `item_seconds`.
        draws: of the items of each person, whose figures are averaged.
        weight: column that pooled items count by; None: all count alike.
        pool_gallery: pool the gallery too; None: it is of items.
        n, measures: see `PooledFigures`.
        split: of both sides; None: "test" if the store has it, else all; "all".
        seed: of draws, trials and intervals.
    """

    probe: str
    gallery: str
    items: tuple[int, ...] = ()
    seconds: tuple[float, ...] = ()
    seconds_column: str | None = None
    draws: int = 5
    weight: str | None = None
    pool_gallery: Pooling | None = None
    n: tuple[int, ...] = (2, 10)
    measures: tuple[str, ...] = USUAL
    split: str | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        for name, limits in ((ITEMS, self.items), (SECONDS, self.seconds)):
            if any(not np.isfinite(each) or each <= 0 for each in limits) or list(limits) != sorted(set(limits)):
                raise SettingsError(f"the {name} of a curve are numbers above 0, each greater than the one before, got "
                                    f"{', '.join(f'{each:g}' for each in limits)}")  # fmt: skip
        if self.draws < 1 or self.seed < 0:
            raise SettingsError(f"want draws >= 1 and seed >= 0, got {self.draws} and {self.seed}")
        if self.probe != "voice" and (self.seconds or self.seconds_column):
            raise SettingsError("seconds are of voices, and the probes are photos: ask with --items")
        _ = self.figures

    @property
    def figures(self) -> PooledFigures:
        """What is measured at each point."""
        return PooledFigures(seed=self.seed, n=self.n, measures=self.measures)

    def to_json(self) -> dict:
        """The settings as JSON."""
        pooled = None if self.pool_gallery is None else self.pool_gallery.to_json()
        lists = {name: list(getattr(self, name)) for name in ("items", "seconds", "n", "measures")}
        return {**vars(self), **lists, "pool_gallery": pooled}
