"""What everything that measures lists or files of scores is told."""

from dataclasses import dataclass

from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.resampling import Resampling


@dataclass(frozen=True, kw_only=True)
class MeasuringSettings:
    """How to measure.

    Args:
        measures: names; those of other kinds of trials than a list's are passed over; none: the usual ones.
        format: of the files; None: recognised from each.
        seed: of the intervals.
        resamples: of the intervals.
    Raises:
        UnknownNameError: a measure has a name that is of none.
        SettingsError: the seed or the number of resamples is out of range.
    """

    measures: tuple[str, ...] = ()
    format: str | None = None
    seed: int = 1
    resamples: int = 1000

    def __post_init__(self) -> None:
        for name in self.measures:
            parse_measure(name)
        _ = self.resampling

    @property
    def resampling(self) -> Resampling:
        """The draws of identities; making it checks seed and number."""
        return Resampling(seed=self.seed, resamples=self.resamples)
