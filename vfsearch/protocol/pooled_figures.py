"""The figures of templates, averaged over draws of the items that they are made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vfsearch.errors import SettingsError
from vfsearch.measure import kind
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.mean_estimate import mean_estimate
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.verification_values import verification_values
from vfsearch.protocol.comparison import Comparison
from vfsearch.protocol.matching import Matching
from vfsearch.protocol.retrieval import Retrieval
from vfsearch.protocol.verification import Verification

USUAL = ("accuracy", "EER", "mAP", "R@1")


@dataclass(frozen=True, kw_only=True)
class PooledFigures:
    """What is measured of templates.

    Args:
        seed: of trials and intervals: the same for every draw of items, so that draws differ by their items alone.
        n: candidates of 1:N matching, a figure each.
        measures: names, of matching, verification and retrieval.
    Raises:
        SettingsError: a measure is of another protocol, or an N is less than 2.
    """

    seed: int
    n: tuple[int, ...] = (2, 10)
    measures: tuple[str, ...] = USUAL

    def __post_init__(self) -> None:
        if not self.n or min(self.n) < 2:
            raise SettingsError(f"1:N matching wants N of at least 2, got {self.n}")
        known = (kind.MATCHING, kind.VERIFICATION, kind.RANKING)
        others = [name for name in self.measures if parse_measure(name).kind.family not in known]
        if others or not self.measures:
            raise SettingsError(
                f"a curve is of measures of matching, verification and retrieval, got {', '.join(others) or 'none'}"
            )

    def of(self, draws: Sequence[Comparison]) -> dict[str, Estimate]:
        """The figures by name, each the mean over draws.

        Args:
            draws: comparisons of the same people, each with other items of theirs; at least one.
        Raises:
            SettingsError: there are fewer people than N.
        """
        found = [dict(self._of_one(comparison)) for comparison in draws]
        return {name: mean_estimate([each[name] for each in found]) for name in found[0]}

    def _of_one(self, comparison: Comparison) -> Iterator[tuple[str, Estimate]]:
        resampling = Resampling(seed=self.seed)
        if matching := self._family(kind.MATCHING):
            for n in dict.fromkeys(self.n):
                scored = Matching(candidates=n, seed=self.seed).scored(comparison)
                values = matching_values(scored, matching, resampling)
                yield from ((f"1:{n} {name}", estimate) for name, estimate in values.items())
        if verification := self._family(kind.VERIFICATION):
            pairs = Verification(seed=self.seed).scored(comparison)
            yield from verification_values(pairs, verification, resampling).items()
        if ranking := self._family(kind.RANKING):
            ranks = Retrieval(seed=self.seed).scored(comparison)
            yield from ranking_values(ranks, ranking, resampling).items()

    def _family(self, family: str) -> list:
        found = dict.fromkeys(self.measures)
        return [measure for measure in map(parse_measure, found) if measure.kind.family == family]
