"""Recall against speed of several kinds of index as one figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vfsearch.errors import SettingsError
from vfsearch.report.drawing import BLACK, BLUE, GREEN, GREY, LIGHT, ORANGE, PURPLE, SKY, png

WIDTH_INCHES, HEIGHT_INCHES = 9.6, 6.2
EXACT = "exact"
TICKS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
LEAST_MISSED = 1e-4
"""Recall is drawn by the share that is missed, on a scale of its logarithm; of less than this at the right edge."""
MARGINS = 0.03, 0.2
"""Left and right of the lines, as shares of what they take; their names stand to the right."""
LABEL_HEIGHT = 0.036
"""Of the figure's panel."""
_MARKS = "osD^v<>Ph*pX"
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, GREY)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))


@dataclass(frozen=True, kw_only=True, eq=False)
class FrontierLine:
    """One kind of index.

    Args:
        name: what it is called.
        recall: of each setting, 0 to 1.
        probes_per_second: of each.
        best: whether no setting of any kind beats it in both.
        default: whether it is the one that an index has from the start.
    Raises:
        SettingsError: they are not as many.
    """

    name: str
    recall: Sequence[float]
    probes_per_second: Sequence[float]
    best: Sequence[bool]
    default: Sequence[bool]

    def __post_init__(self) -> None:
        lengths = {len(self.recall), len(self.probes_per_second), len(self.best), len(self.default)}
        if len(lengths) != 1:
            raise SettingsError(f"the line {self.name} has columns of {sorted(lengths)} values")


def frontier_figure(lines: Sequence[FrontierLine], k: int, title: str) -> bytes:
    """PNG bytes: recall to the right, probes a second upwards, a line a kind, the best settings of all ringed.

    Args:
        lines: kinds of index, the exact one called "exact"; what has no rate above 0 is left out.
        k: neighbours that recall is of.
        title: what was measured.
    """
    return png(lambda figure: _draw(figure, lines, k, title), WIDTH_INCHES, HEIGHT_INCHES)


def _draw(figure, lines: Sequence[FrontierLine], k: int, title: str) -> None:
    shown = [_Points(line) for line in lines]
    shown = [line for line in shown if len(line.rates)]
    if not shown:
        figure.text(0.5, 0.5, "nothing was measured", ha="center", va="center")
        return
    axes = figure.subplots()
    axes.set_title(title, loc="left")
    axes.set_yscale("log")
    _stair(axes, shown)
    for number, line in enumerate(shown):
        _line(axes, line, _style(number, line.name))
    _frame(axes, shown, k)
    _labels(axes, shown)
    figure.supxlabel(
        "Grey stair: what lies below it is beaten in both. Ringed: the settings on it. Filled: as an index is searched "
        "that was not tuned.\nFaded: another setting of the same kind finds as much and is as fast.",
        fontsize=8.5, color=GREY,
    )  # fmt: skip


class _Points:
    """The settings of a line that can be drawn, least recall first.

    Args:
        line: as it was given.
    """

    def __init__(self, line: FrontierLine) -> None:
        recall, rates = np.asarray(line.recall, float), np.asarray(line.probes_per_second, float)
        there = np.flatnonzero(np.isfinite(recall) & np.isfinite(rates) & (rates > 0))
        order = there[np.argsort(recall[there], kind="stable")]
        self.name, self.places, self.rates = line.name, place(recall[order]), rates[order]
        # Of its own settings, those to the right of which none is as fast.
        self.unbeaten = self.rates > np.append(np.maximum.accumulate(self.rates[::-1])[::-1][1:], 0.0)
        self.best, self.default = (np.asarray(each, bool)[order] for each in (line.best, line.default))


def place(recall: np.ndarray) -> np.ndarray:
    """Where recall stands on the axis: -log10 of the share that is missed, at most 4.

    Example:
        >>> place(np.array([0.0, 0.9, 0.99, 1.0])).round(6).tolist()
        [0.0, 1.0, 2.0, 4.0]
    """
    return -np.log10(np.clip(1.0 - np.asarray(recall, float), LEAST_MISSED, 1.0)) + 0.0


def _style(number: int, name: str) -> dict:
    if name == EXACT:
        return {"color": BLACK, "marker": "*", "markersize": 13, "linestyle": "none"}
    colour = _COLOURS[number % len(_COLOURS)]
    dashes = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return {"color": colour, "marker": _MARKS[number % len(_MARKS)], "markersize": 5, "linestyle": dashes}


def _line(axes, line: _Points, style: dict) -> None:
    own, beaten = line.unbeaten, ~line.unbeaten & ~line.default
    alone = {**style, "linestyle": "none"}
    axes.plot(line.places[beaten], line.rates[beaten], **alone, markerfacecolor="white", alpha=0.35, zorder=2.5)
    axes.plot(line.places[own], line.rates[own], **style, linewidth=1.5, markerfacecolor="white", zorder=3)
    axes.plot(line.places[line.default], line.rates[line.default], **alone, zorder=4)
    ring = {"marker": "o", "markersize": 10.5, "markerfacecolor": "none", "markeredgecolor": BLACK, "zorder": 5}
    axes.plot(line.places[line.best], line.rates[line.best], linestyle="none", **ring)


def _stair(axes, shown: Sequence[_Points]) -> None:
    """The frontier of all lines: at each recall the greatest rate of what finds as much."""
    places = np.concatenate([line.places[line.best] for line in shown])
    rates = np.concatenate([line.rates[line.best] for line in shown])
    order = np.argsort(places, kind="stable")
    if len(order) > 1:
        axes.plot(places[order], rates[order], color=LIGHT, linewidth=7, drawstyle="steps-pre", zorder=1.5,
                  solid_joinstyle="round", solid_capstyle="round")  # fmt: skip


def _frame(axes, shown: Sequence[_Points], k: int) -> None:
    places = np.concatenate([line.places for line in shown])
    low, high = places.min(), max(places.max(), places.min() + 0.3)
    left, right = MARGINS
    axes.set_xlim(low - left * (high - low), high + right * (high - low))
    ticks = [each for each in TICKS if low - 0.05 <= place(each) <= high and place(each) < high - 0.1]
    full = place(1.0) if high >= place(1.0) - 0.02 else None
    axes.set_xticks([*(float(place(each)) for each in ticks), *([full] if full else [])],
                    [*(f"{each:g}" for each in ticks), *(["1"] if full else [])])  # fmt: skip
    axes.set_xlabel(f"R@{k}: share of the {k} exact neighbours that is found")
    axes.set_ylabel("probes a second")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")


def _labels(axes, shown: Sequence[_Points]) -> None:
    """Names beside the right ends of the lines, moved apart where they would lie on one another."""
    low, high = np.log(axes.get_ylim())
    heights = [(np.log(line.rates[-1]) - low) / (high - low) for line in shown]
    left, right = MARGINS
    # As a share of the panel; between the lines and their names there is room for what joins them.
    start = (1 + left + 0.3 * right) / (1 + left + right)
    for number, (line, height) in enumerate(zip(shown, apart(heights, LABEL_HEIGHT), strict=True)):
        colour = _style(number, line.name)["color"]
        axes.annotate(
            line.name, xy=(line.places[-1], line.rates[-1]), xytext=(start, height), textcoords="axes fraction",
            va="center", fontsize=9.5, color=BLACK, zorder=6,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 5,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def apart(heights: Sequence[float], least: float) -> list[float]:
    """Heights moved as little as is needed for all to be so far apart, within 0 and 1 where there is room.

    Example:
        >>> [round(each, 3) for each in apart([0.5, 0.5, 0.9], 0.1)]
        [0.45, 0.55, 0.9]
    """
    order = np.argsort(heights, kind="stable")
    groups: list[tuple[float, int]] = []
    for height in np.asarray(heights, float)[order]:
        # A group is its middle and how many there are: they stand side by side around it.
        groups.append(_within(height, 1, least))
        while len(groups) > 1 and groups[-1][0] - groups[-2][0] < least * (groups[-1][1] + groups[-2][1]) / 2:
            (before, others), (middle, count) = groups[-2:]
            groups[-2:] = [_within((before * others + middle * count) / (others + count), others + count, least)]
    moved = [0.0] * len(order)
    spread = [middle + least * (step - (count - 1) / 2) for middle, count in groups for step in range(count)]
    for number, height in zip(order.tolist(), spread, strict=True):
        moved[number] = height
    return moved


def _within(middle: float, count: int, least: float) -> tuple[float, int]:
    """A group moved so that none of it is below 0 or above 1."""
    room = count * least / 2
    return max(room, min(1.0 - room, float(middle))), count
