"""Time and recall of an index before it is built: from measured ones of other sizes, as ranges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vfsearch.index.costs import Size, panel_bytes
from vfsearch.index.rates import Anchor, Floors, RatePoint, anchors

LEAST_MISSED = 1e-5
"""Recall is interpolated by the logarithm of the share that is missed; less than this is taken for none."""
SPREAD = 1.35
"""Factor between an estimate and either end of its range, at a size that was measured."""
SPREAD_OF_ROWS, SPREAD_OF_DIMENSION = 0.12, 0.25
"""What a range widens by, as a power of the ratio to the nearest measured size."""
RECALL_SPREAD, RECALL_OF_ROWS = 0.1, 0.08
"""The same of recall, in logarithms to base 10 of the share missed, and for each factor e of rows."""
FULL = 0.9999
"""Recall of what compares every row."""


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How time grows with the gallery, as powers of its rows, where nothing was measured; and which floor bounds it.

    Args:
        build, batch, single: powers of rows.
        fixed: dimensions that handling a row costs beside comparing it.
        build_floor, batch_floor, single_floor: names of floors.
        built_alone: one thread builds it, however many there are.
    """

    build: float
    batch: float
    single: float
    fixed: float
    build_floor: str
    batch_floor: str
    single_floor: str
    built_alone: bool = False


EXACT, WHOLE_ROWS = "exact", 4
_EXACT = Growth(build=1.0, batch=1.0, single=1.0, fixed=4, build_floor="pairs", batch_floor="batch",
                single_floor="single")  # fmt: skip
_WHOLE = Growth(build=1.0, batch=1.0, single=1.0, fixed=4, build_floor="pairs", batch_floor="product",
                single_floor="pairs")  # fmt: skip
_LISTS = Growth(build=1.35, batch=0.6, single=0.5, fixed=32, build_floor="product", batch_floor="pairs",
                single_floor="pairs")  # fmt: skip
_GRAPH = Growth(build=1.15, batch=0.25, single=0.2, fixed=48, build_floor="pairs", batch_floor="pairs",
                single_floor="pairs")  # fmt: skip
_CLUSTERED = Growth(build=1.35, batch=0.6, single=0.5, fixed=16, build_floor="batch", batch_floor="batch",
                    single_floor="pairs")  # fmt: skip
_GROWTH = {
    EXACT: _EXACT,
    "clustered": _CLUSTERED,
    "flat": _WHOLE,
    "sq8": _WHOLE,
    "hnsw": replace(_GRAPH, built_alone=True),
    "hnsw-sq8": replace(_GRAPH, built_alone=True),
}


def growth_of(preset: str) -> Growth:
    """How the time of a kind of index grows."""
    return _GROWTH.get(preset, _LISTS if "ivf" in preset else _GRAPH)


@dataclass(frozen=True, kw_only=True)
class Range:
    """Between what a figure is expected.

    Args:
        low, high: its ends.
    """

    low: float
    high: float

    @property
    def middle(self) -> float:
        """Between the two, by their ratio."""
        return float(np.sqrt(self.low * self.high))

    def to_json(self) -> list[float]:
        """Both ends."""
        return [self.low, self.high]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is expected of a kind of index.

    Args:
        build_seconds: of building.
        recall: R@10, from hard probes to easy ones.
        probes_per_second: of many probes at once.
        single_seconds: of one that comes alone.
    """

    build_seconds: Range
    recall: Range
    probes_per_second: Range
    single_seconds: Range


def estimate(
    preset: str, rows: int, dimension: int, here: Floors, least_recall: float | None = None
) -> Estimate | None:
    """What is expected of a kind of index.

    Args:
        preset: which kind.
        rows, dimension: of the gallery.
        here: floors of this machine.
        least_recall: with the quickest setting that finds so much; None: with the setting that it has from the start.
    Returns:
        None where nothing like it was measured, or where no setting finds so much.
    """
    known = [each for each in anchors(preset) if least_recall is None or _finds(each, least_recall)]
    return _Estimated(preset, known, rows, dimension, here, least_recall).all() if known else None


def _finds(anchor: Anchor, recall: float) -> bool:
    return any(max(point.hard, np.nan_to_num(point.easy)) >= recall for point in anchor.points)


@dataclass(frozen=True)
class _Estimated:
    """Figures of several sizes, brought to another size and machine."""

    preset: str
    known: Sequence[Anchor]
    rows: int
    dimension: int
    here: Floors
    least: float | None

    def all(self) -> Estimate:
        growth = growth_of(self.preset)
        return Estimate(
            build_seconds=self._range(
                lambda each, _: each.build_seconds, growth.build, growth.build_floor, alone=growth.built_alone
            ),
            recall=self._recall(),
            probes_per_second=self._rates(growth),
            single_seconds=self._singles(growth),
        )

    def _singles(self, growth: Growth) -> Range:
        exact = self.preset == EXACT
        found = self._range(
            lambda each, hard: _at(each, self.least, hard, "single_seconds"), growth.single, growth.single_floor,
            alone=not exact,
        )  # fmt: skip
        if exact and not panel_bytes(Size(rows=self.rows, dimension=self.dimension)):
            # Rows that are not kept ready are read as they are, at four bytes a number.
            return Range(low=found.low, high=found.high * WHOLE_ROWS)
        return found

    def _rates(self, growth: Growth) -> Range:
        seconds = self._range(
            lambda each, hard: 1.0 / _at(each, self.least, hard, "probes_per_second"), growth.batch, growth.batch_floor
        )
        return Range(low=1.0 / seconds.high, high=1.0 / seconds.low)

    def _range(self, seconds: Callable[[Anchor, bool], float], power: float, floor: str, alone: bool = False) -> Range:
        """Seconds with easy probes and with hard ones, with the spread of the estimate on either side."""
        ends = [self._brought(lambda each, hard=hard: seconds(each, hard), power, floor, alone)
                for hard in (False, True)]  # fmt: skip
        return Range(low=min(ends) / self._spread, high=max(ends) * self._spread)

    def _brought(self, seconds: Callable[[Anchor], float], power: float, floor: str, alone: bool) -> float:
        """Seconds at other sizes, brought to this machine and dimension, then to this number of rows."""
        fixed = growth_of(self.preset).fixed
        values = []
        for each in self.known:
            faster = getattr(self.here, floor) / getattr(each.floors, floor)
            if alone:
                # One probe keeps one thread busy.
                faster *= each.floors.threads / self.here.threads
            values.append(np.log(seconds(each) / faster * (self.dimension + fixed) / (each.dimension + fixed)))
        return float(np.exp(_line(*_there(self._sizes, values), np.log(self.rows), power)))

    @property
    def _sizes(self) -> np.ndarray:
        return np.log([each.rows for each in self.known])

    @property
    def _outside(self) -> float:
        """Logarithm of the ratio to the nearest measured number of rows; 0 between two of them."""
        size = np.log(self.rows)
        return float(max(0.0, self._sizes[0] - size, size - self._sizes[-1]))

    @property
    def _spread(self) -> float:
        nearest = min(abs(np.log(self.dimension / each.dimension)) for each in self.known)
        return float(SPREAD * np.exp(SPREAD_OF_ROWS * self._outside + SPREAD_OF_DIMENSION * nearest))

    def _recall(self) -> Range:
        if all(point.hard >= FULL for each in self.known for point in each.points):
            return Range(low=1.0, high=1.0)
        room = RECALL_SPREAD + RECALL_OF_ROWS * self._outside
        low, high = (self._missed(hard) for hard in (True, False))
        ends = Range(low=max(0.0, 1 - 10 ** (min(low, high) * -1 + room)), high=1 - 10 ** (-max(low, high) - room))
        return ends if self.least is None else Range(low=max(ends.low, self.least), high=max(ends.high, self.least))

    def _missed(self, hard: bool) -> float:
        """-log10 of the share that is missed."""
        name = "hard" if hard else "easy"
        found = [_place(self.least or getattr(each.default, name)) for each in self.known]
        sizes, values = _there(self._sizes, found)
        slope = (values[-1] - values[-2]) / (sizes[-1] - sizes[-2]) if len(values) > 1 else 0.0
        # Half as steep: a trend that was measured seldom goes on.
        return float(max(0.0, _line(sizes, values, np.log(self.rows), slope / 2)))


def _there(sizes: np.ndarray, values: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """The sizes where a figure was measured, and these figures."""
    known = np.isfinite(values)
    return sizes[known], np.asarray(values)[known]


def _line(sizes: np.ndarray, values: Sequence[float], size: float, power: float) -> float:
    """Between measured sizes along straight lines, beyond them along a slope, below them along half of it.

    In small galleries most of the time is that which a search takes in any.
    """
    beyond = min(0.0, size - sizes[0]) / 2 + max(0.0, size - sizes[-1])
    return float(np.interp(size, sizes, values)) + power * beyond


def _at(anchor: Anchor, least: float | None, hard: bool, name: str) -> float:
    """A figure of the default setting, or of the quickest one that finds so much."""
    if least is None:
        return getattr(anchor.default, name)
    recalls, figures = _quickest(anchor.points, "hard" if hard else "easy", name)
    if not recalls:
        return float("nan")
    if recalls[-1] < least:
        # Hard probes do not get there with what was measured; as much more time as the last step took for each share.
        return float(np.exp(figures[-1] + (_place(least) - _place(recalls[-1]))
                            * (1 if name == "single_seconds" else -1)))  # fmt: skip
    return float(np.exp(np.interp(_place(least), [_place(each) for each in recalls], figures)))


def _quickest(points: Sequence[RatePoint], recall: str, name: str) -> tuple[list[float], list[float]]:
    """Recall, rising, with the logarithm of the best figure of all settings that find at least as much."""
    slower = 1 if name == "single_seconds" else -1
    known = [point for point in points if np.isfinite([getattr(point, recall), getattr(point, name)]).all()]
    ascending = sorted(known, key=lambda point: -getattr(point, recall))
    recalls: list[float] = []
    figures: list[float] = []
    for point in ascending:
        figure = slower * np.log(getattr(point, name))
        if not figures or figure < figures[-1]:
            recalls.append(getattr(point, recall))
            figures.append(float(figure))
    return recalls[::-1], [slower * figure for figure in figures[::-1]]


def _place(recall: float) -> float:
    return float(-np.log10(max(1.0 - recall, LEAST_MISSED)))
