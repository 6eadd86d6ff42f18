"""Accuracy against how much of each person is pooled, as one figure."""

import math

from vfsearch.data.pooling_curve import PoolingCurve, PoolingLine, PoolingPoint
from vfsearch.report.drawing import BLACK, BLUE, GREY, png

PANEL_INCHES, ROW_INCHES, MARGIN_INCHES = 2.6, 2.7, 0.8
MOST_PANELS = 5
"""Measures that stand side by side; further ones go below."""
_AXIS = {"items": "{probe} items of a person", "seconds": "seconds of speech of a person"}


def pooling_figure(curve: PoolingCurve, percent: frozenset[str]) -> bytes:
    """PNG bytes: a panel a measure, a row of panels a quantity; intervals are over people.

    Args:
        curve: what was measured.
        percent: names of the measures that are shares.
    """
    names = curve.measures
    wide = min(len(names), MOST_PANELS)
    rows = len(curve.lines) * math.ceil(len(names) / wide)
    return png(
        lambda figure: _draw(figure, curve, percent, rows, wide),
        max(6.4, wide * PANEL_INCHES), rows * ROW_INCHES + MARGIN_INCHES,
    )  # fmt: skip


def _draw(figure, curve: PoolingCurve, percent: frozenset[str], rows: int, wide: int) -> None:
    panels = figure.subplots(rows, wide, squeeze=False)
    each_line = rows // len(curve.lines)
    for number, line in enumerate(curve.lines):
        own = panels[number * each_line : (number + 1) * each_line].ravel()
        for axes, name in zip(own, curve.measures, strict=False):
            _panel(axes, line, name, name in percent)
            axes.set_xlabel(_AXIS[line.of].format(probe=curve.direction.split()[0]))
        for axes in own[len(curve.measures) :]:
            axes.set_visible(False)
    figure.suptitle(_title(curve), x=0.01, ha="left", fontsize=10.5)
    figure.supxlabel(
        "Bars: 95 % intervals, resampling people. Dotted: scores without information. Ringed: all that there is.",
        fontsize=8.5, color=GREY,
    )  # fmt: skip


def _title(curve: PoolingCurve) -> str:
    people = f"{curve.lines[0].people:,} people"
    pooled = "templates" if curve.settings["pool_gallery"] else "items"
    return f"{curve.direction}, split {curve.split}: {people} against {curve.gallery:,} gallery {pooled}"


def _panel(axes, line: PoolingLine, name: str, percent: bool) -> None:
    scale = 100.0 if percent else 1.0
    points = [point for point in line.points if math.isfinite(point.values[name].value)]
    places = [_place(line, point) for point in points]
    found = [point.values[name] for point in points]
    axes.set_title(f"{name}{' (%)' if percent else ''}", loc="left")
    if not points:
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center", color=GREY)
        return
    values = [scale * each.value for each in found]
    lows = [_reach(each.value, each.low, scale) for each in found]
    highs = [_reach(each.high, each.value, scale) for each in found]
    axes.errorbar(places, values, yerr=[lows, highs], color=BLUE, marker="o", markersize=5, linewidth=1.5, capsize=3)
    if points[-1].limit is None:
        axes.plot(places[-1], values[-1], marker="o", markersize=10, markerfacecolor="none", markeredgecolor=BLACK)
    _chance(axes, [scale * each.chance for each in found], places)
    _ticks(axes, places)


def _place(line: PoolingLine, point: PoolingPoint) -> float:
    """How much of a person was pooled, as it was, which is more than the limit where whole clips are taken."""
    return point.items if line.of == "items" else point.seconds


def _reach(upper: float, lower: float, scale: float) -> float:
    reach = scale * (upper - lower)
    return max(0.0, reach) if math.isfinite(reach) else 0.0


def _chance(axes, chances: list[float], places: list[float]) -> None:
    """Chance, where it is not so far off that the curve would be flat beside it."""
    low, high = axes.get_ylim()
    if all(math.isfinite(each) and low - (high - low) <= each <= high + (high - low) for each in chances):
        axes.plot(places, chances, color=GREY, linestyle=":", linewidth=1.4)


def _ticks(axes, places: list[float]) -> None:
    """Each point by its own number, those too close to the one before without one."""
    axes.set_xscale("log", base=2)
    shown: list[float] = []
    for place in places:
        if not shown or place >= 1.25 * shown[-1]:
            shown.append(place)
    axes.set_xticks(shown, [f"{place:.3g}" for place in shown])
    axes.set_xticks([], minor=True)
