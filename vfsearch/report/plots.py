"""Diagrams for print and screen: told apart by colour, dashes and marks."""

import numpy as np

from vfsearch.data.plot import Line, Plot
from vfsearch.report.drawing import BLACK, BLUE, FORMATS, GREEN, GREY, ORANGE, PURPLE, SKY, plain, rendered
from vfsearch.report.scales import MOST_TICKS, PROBIT_LIMITS, PROBIT_TICKS, probit

WIDTH_INCHES, HEIGHT_INCHES = 5.6, 4.3
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, BLACK, SKY)
DASHES = ("-", (0, (6, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
MARKS = "osD^v<>Ph*pX"
LONGEST_NAME = 40


def plot_files(plot: Plot, formats: tuple[str, ...] = FORMATS) -> dict[str, bytes]:
    """A diagram in several formats.

    Args:
        plot: what it shows; names are drawn as they are, also where they look like formulas.
        formats: "png", "svg", "pdf".
    Returns:
        Format -> bytes.
    """
    return rendered(lambda figure: _draw(figure, plot), WIDTH_INCHES, HEIGHT_INCHES, formats)


def _draw(figure, plot: Plot) -> None:
    axes = figure.subplots()
    axes.set_title(plain(plot.title), loc="left")
    axes.set_xlabel(plain(plot.x))
    axes.set_ylabel(plain(plot.y))
    if plot.chance is not None:
        places = (_on_axis(plot.chance.x, plot.x_scale), _on_axis(plot.chance.y, plot.y_scale))
        axes.plot(*places, color=GREY, linestyle=":", linewidth=1.4, label="chance")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(line.run or line.name for line in plot.lines))}
    for line in plot.lines:
        _draw_line(axes, plot, line, numbers[line.run or line.name])
    for axis, scale in ((axes.xaxis, plot.x_scale), (axes.yaxis, plot.y_scale)):
        _ticks(axis, scale, plot)
    axes.legend(loc="best")


def _draw_line(axes, plot: Plot, line: Line, number: int) -> None:
    style = {
        "color": COLOURS[number % len(COLOURS)],
        # Dashes too, so that a line that lies on another can be seen.
        "linestyle": DASHES[(int(line.dashed) if plot.steps else number) % len(DASHES)] if plot.joined else "",
        "linewidth": 1.6,
        "label": plain(_short(line.name)),
    }
    x, y = _on_axis(line.x, plot.x_scale), _on_axis(line.y, plot.y_scale)
    mark = MARKS[number % len(MARKS)] if plot.mark or len(x) == 1 else ""
    if plot.steps:
        axes.step(x, y, where="post", **style)
    elif line.low is not None and line.high is not None:
        reach = np.nan_to_num(np.stack([line.y - line.low, line.high - line.y])).clip(0.0)
        axes.errorbar(x, y, yerr=reach, marker=mark, markersize=5, capsize=3, **style)
    else:
        axes.plot(x, y, marker=mark, **style)


def _on_axis(values: np.ndarray, scale: str) -> np.ndarray:
    """What matplotlib is given: it has scales of its own for logarithms."""
    return probit(values) if scale == "probit" else values


def _ticks(axis, scale: str, plot: Plot) -> None:
    if scale == "probit":
        axis.set_ticks(probit(np.array(PROBIT_TICKS)), [f"{100 * rate:g}" for rate in PROBIT_TICKS])
        axis.set_label_text(f"{axis.get_label_text()} (%)")
        (axis.axes.set_xlim if axis is axis.axes.xaxis else axis.axes.set_ylim)(*PROBIT_LIMITS)
        if axis is axis.axes.xaxis:
            axis.set_tick_params(rotation=45)
    elif scale.startswith("log"):
        axis.axes.set_xscale("log", base=2 if scale == "log2" else 10)
        places = np.unique(np.concatenate([line.x for line in plot.lines]))
        if len(places) <= MOST_TICKS:
            axis.set_ticks(places, [f"{place:g}" for place in places])
            axis.set_ticks([], minor=True)
        else:
            axis.set_major_formatter(lambda value, _: f"{value:g}")


def _short(name: str) -> str:
    """A name that does not push the diagram aside; its end, which tells runs apart, stays."""
    half = LONGEST_NAME // 2
    return name if len(name) <= LONGEST_NAME else f"{name[: half - 1]}...{name[-half:]}"
