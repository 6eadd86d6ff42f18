"""Diagrams as a page draws them: places on the axes, ticks and no more points than can be seen."""

import math
from collections.abc import Mapping

import numpy as np

from vfsearch.data.plot import Line, Plot
from vfsearch.report.scales import MOST_TICKS, PROBIT_LIMITS, PROBIT_TICKS, placed

GRID = 600
"""Two points of a line that fall into one of so many steps across and upwards are one."""
COLOURS, DASHES = 6, 4
DIGITS = 6
MOST_STRETCH = 2.5


def page_plot(plot: Plot) -> dict:
    """A diagram as JSON: `sx`, `sy`, `slow`, `shigh` of a line are places on the axes, `x`, `y`, `low`, `high` values.

    Lines of one run have one colour, as in the files (`vfsearch.report.plots`).
    """
    axes = {"x": _axis(plot, "x", plot.x, plot.x_scale), "y": _axis(plot, "y", plot.y, plot.y_scale)}
    runs = list(dict.fromkeys(line.run or line.name for line in plot.lines))
    lines = []
    for line in plot.lines:
        number = runs.index(line.run or line.name)
        dash = int(line.dashed) if plot.steps else number
        lines.append(
            {"name": line.name, "colour": number % COLOURS, "dash": dash % DASHES, **_points(plot, line, axes)}
        )
    return {
        "name": plot.name,
        "title": plot.title,
        **axes,
        "mark": plot.mark,
        "joined": plot.joined,
        "steps": plot.steps,
        "lines": lines,
        "chance": plot.chance and _points(plot, plot.chance, axes),
    }


def _axis(plot: Plot, name: str, label: str, scale: str) -> dict:
    """Label, limits and ticks of an axis."""
    if scale == "probit":
        ticks = [[_rounded(place), f"{100 * rate:g}"] for rate, place in zip(
            PROBIT_TICKS, placed(np.array(PROBIT_TICKS), scale).tolist(), strict=True)]  # fmt: skip
        low, high = PROBIT_LIMITS
        return {"label": f"{label} (%)", "low": low, "high": high, "ticks": ticks}
    values = np.concatenate([each for line in plot.lines for each in _of(line, name)])
    low, high = _extent(placed(values, scale))
    if plot.chance is not None and name == "y":
        # Chance that is far off would leave the lines no room.
        with_chance = _extent(placed(np.concatenate([values, plot.chance.y]), scale))
        if with_chance[1] - with_chance[0] <= MOST_STRETCH * (high - low):
            low, high = with_chance
    margin = 0.03 * (high - low) or 0.5
    ticks = _ticks(np.unique(values), scale, low, high)
    return {"label": label, "low": low - margin, "high": high + margin, "ticks": ticks}


def _extent(places: np.ndarray) -> tuple[float, float]:
    places = places[np.isfinite(places)]
    return (float(places.min()), float(places.max())) if len(places) else (0.0, 1.0)


def _of(line: Line, name: str) -> list[np.ndarray]:
    return [line.x] if name == "x" else [each for each in (line.y, line.low, line.high) if each is not None]


def _ticks(values: np.ndarray, scale: str, low: float, high: float) -> list[list]:
    from matplotlib.ticker import MaxNLocator

    if scale == "linear":
        places = MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high).tolist()
        margin = 1e-9 + 0.03 * (high - low)
        return [[_rounded(place), f"{place:g}"] for place in places if low - margin <= place <= high + margin]
    if len(values) <= MOST_TICKS and scale == "log2":
        places = placed(values, scale).tolist()
        return [[_rounded(place), f"{value:.4g}"] for place, value in zip(places, values.tolist(), strict=True)]
    base = 2 if scale == "log2" else 10
    powers = range(math.floor(low), math.ceil(high) + 1)
    factors = (1,) if base == 2 or high - low > 2 else (1, 2, 5) if high - low > 0.5 else range(1, 10)
    ticks = [(math.log(base**power * factor, base), base**power * factor) for power in powers for factor in factors]
    return [[_rounded(place), f"{value:,g}"] for place, value in ticks if low - 0.03 <= place <= high + 0.03]


def _points(plot: Plot, line: Line, axes: Mapping[str, dict]) -> dict:
    """Places and values of the points that can be told apart."""
    columns = {"sx": placed(line.x, plot.x_scale), "sy": placed(line.y, plot.y_scale), "x": line.x, "y": line.y}
    if line.low is not None and line.high is not None:
        columns |= {"slow": placed(line.low, plot.y_scale), "shigh": placed(line.high, plot.y_scale)}
        columns |= {"low": line.low, "high": line.high}
    steps = [
        np.floor(GRID * (columns[f"s{name}"] - axes[name]["low"]) / (axes[name]["high"] - axes[name]["low"]))
        for name in ("x", "y")
    ]
    kept = distinct(*steps)
    return {name: [_rounded(value) for value in column[kept].tolist()] for name, column in columns.items()}


def distinct(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(m,) rows of a line to keep: the first and last of each stretch that stays in one cell.

    Example:
        >>> distinct(np.array([0, 0, 0, 1, 2]), np.array([5, 5, 5, 5, 5]))
        array([0, 2, 3, 4])
    """
    if not len(first):
        return np.zeros(0, np.int64)
    changed = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    starts, ends = np.append(True, changed), np.append(changed, True)
    return np.flatnonzero(starts | ends)


def _rounded(value: float) -> float | None:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
