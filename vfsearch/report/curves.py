"""The learning curves of a training as one figure."""

from collections.abc import Sequence

import numpy as np

from vfsearch.report.drawing import BLACK, BLUE, GREY, ORANGE, png
from vfsearch.report.record import Record
from vfsearch.report.smoothing import extremes, local_means, spread

WIDTH_INCHES = 9.6
# Places along a run beyond which more are not seen at that width.
BUCKETS = 400
# A run with at most so many steps gets a mark at each.
FEW = 40
WINDOWS_PER_RUN = 50
CHANCE = 0.5
# Share of a panel's height that is kept free for its legend.
LEGEND_SHARE = 0.15
LOSSES = {
    "loss": {"label": "total", "color": BLACK, "linestyle": "-"},
    "implicit": {"label": "implicit", "color": BLUE, "linestyle": "--"},
    "explicit": {"label": "explicit", "color": ORANGE, "linestyle": "-."},
}
ACCURACIES = {
    "voice_to_face": {"label": "voice to face", "color": BLUE, "marker": "o", "linestyle": "-"},
    "face_to_voice": {"label": "face to voice", "color": ORANGE, "marker": "s", "linestyle": "--"},
}
RATES = {"learning_rate": {"color": BLACK}}


def curves_figure(columns: Sequence[str], rows: Sequence[Sequence[float]], run_names: Sequence[str]) -> bytes:
    """PNG bytes of losses, validation accuracy and learning rate by step, the runs side by side.

    Losses: each step light, the mean over a fiftieth of the run's steps in front. Accuracy: 1:2 matching, with chance
    and, in each run, the validation whose mean over the directions is best (the first of equals). What has no finite
    value is left out.

    Args:
        columns, rows, run_names: see `Record`; drawn are the columns loss, implicit, explicit, learning_rate,
            voice_to_face and face_to_voice, as far as they are there.
    Raises:
        SettingsError: columns, rows and names do not go together.
    """
    record = Record(columns=columns, rows=rows, run_names=run_names)
    panels = [panel for panel in (_Losses, _Accuracies, _Rates) if any(map(record.has, panel.series))]
    height = 1.0 + sum(panel.height_inches for panel in panels)
    return png(lambda figure: _draw(figure, record, panels), WIDTH_INCHES, height)


def _draw(figure, record: Record, panels: list[type["_Panel"]]) -> None:
    if not panels:
        figure.text(0.5, 0.5, "no values were recorded", ha="center", va="center")
        return
    widths = _widths(record)
    axes = figure.subplots(
        len(panels), len(widths), sharex="col", sharey="row", squeeze=False,
        width_ratios=widths, height_ratios=[panel.height_inches for panel in panels],
    )  # fmt: skip
    for line, panel in zip(axes, panels, strict=True):
        panel(record).draw(line)
    for number, run in enumerate(record.runs):
        _frame(axes[:, number], record, run, widths[number] / sum(widths))
    figure.align_ylabels(axes[:, 0])
    figure.supxlabel(" ".join(panel.note for panel in panels), fontsize=8.5, color=GREY)


def _widths(record: Record) -> list[float]:
    """Widths of the runs: as their steps, but no run narrower than a third of the widest."""
    steps = np.array([record.values(run, "step")[-1] + 1 for run in record.runs])
    return np.maximum(steps / steps.max(), 1 / 3).tolist()


def _frame(axes, record: Record, run: int, share: float) -> None:
    """Title, steps and limits of a run whose panels take a share of the figure's width."""
    steps = record.values(run, "step")
    title = f"{record.run_names[run]}: {len(steps):,} step{'s' * (len(steps) != 1)}"
    axes[0].set_title("\n".join(filter(None, [title, axes[0].get_title(loc="left")])), loc="left")
    axes[-1].set_xlabel("step")
    axes[-1].locator_params(axis="x", integer=True, nbins=max(3, int(9 * share)), min_n_ticks=1)
    axes[-1].xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    margin = 0.02 * (steps[-1] - steps[0]) or 0.5
    axes[-1].set_xlim(steps[0] - margin, steps[-1] + margin)


class _Panel:
    """One quantity over the steps of every run."""

    series: dict[str, dict]
    label: str
    note: str
    nothing = "no values"
    height_inches: float

    def __init__(self, record: Record) -> None:
        self.record = record
        self.shown = [name for name in self.series if record.has(name)]

    def draw(self, axes) -> None:
        """Draw it on the axes of one line, a run each."""
        for run, each in zip(self.record.runs, axes, strict=True):
            self.draw_run(each, run)
            if not any(np.isfinite(self.record.values(run, name)).any() for name in self.shown):
                each.text(0.5, 0.5, self.nothing, transform=each.transAxes, ha="center", va="center", color=GREY)
        axes[0].set_ylabel(self.label)

    def draw_run(self, axes, run: int) -> None:
        raise NotImplementedError

    def points(self, run: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values to draw of one series."""
        values = self.record.values(run, name)
        chosen = extremes(values, BUCKETS)
        return self.record.values(run, "step")[chosen], values[chosen]

    def legend(self, axes, **where: object) -> None:
        """Put the legend where there is most room: on the widest run."""
        widest = axes[int(np.argmax(_widths(self.record)))]
        widest.legend(**where, ncols=len(self.shown) + 1).set_in_layout(False)

    def mark(self, run: int) -> str:
        """The mark of a step: without one, steps that stand alone would not be seen."""
        return "." if len(self.record.values(run, "step")) <= FEW else ""


class _Losses(_Panel):
    series = LOSSES
    label = "loss"
    note = "Losses: every step light, means over 2 % of a run bold."
    height_inches = 2.9

    def draw(self, axes) -> None:
        super().draw(axes)
        low, high = axes[0].get_ylim()
        low = min(low, 0.0)
        axes[0].set_ylim(low, low + (high - low) / (1 - LEGEND_SHARE))
        self.legend(axes, loc="upper right")

    def draw_run(self, axes, run: int) -> None:
        steps = self.record.values(run, "step")
        places = spread(len(steps), BUCKETS)
        for name in self.shown:
            style = self.series[name]
            axes.plot(*self.points(run, name), color=style["color"], linewidth=0.6, alpha=0.3)
            means = local_means(self.record.values(run, name), places, len(steps) // WINDOWS_PER_RUN)
            axes.plot(steps[places], means, **style, linewidth=1.7, marker=self.mark(run))


class _Accuracies(_Panel):
    series = ACCURACIES
    label = "validation accuracy"
    note = "Accuracy: 1:2 matching; the best validation is ringed."
    nothing = "not validated"
    height_inches = 2.3

    def draw(self, axes) -> None:
        super().draw(axes)
        low, high = axes[0].get_ylim()
        low, high = min(low, CHANCE - 0.01), max(high, CHANCE + 0.04) + 0.01
        axes[0].set_ylim(high - (high - low) / (1 - LEGEND_SHARE), high)
        axes[0].yaxis.set_major_formatter(lambda value, _: f"{round(100 * value, 1):g} %")
        self.legend(axes, loc="lower right", borderaxespad=0.1)

    def draw_run(self, axes, run: int) -> None:
        steps = self.record.values(run, "step")
        for name in self.shown:
            values = self.record.values(run, name)
            there = np.isfinite(values)
            axes.plot(steps[there], values[there], **self.series[name], markersize=4.5, linewidth=1.4)
        axes.axhline(CHANCE, color=GREY, linestyle=":", linewidth=1.4, label="chance")
        values = np.stack([self.record.values(run, name) for name in self.shown])
        there = np.flatnonzero(np.isfinite(values).all(axis=0))
        if len(there):
            best = there[np.argmax(values[:, there].mean(axis=0))]
            self._ring(axes, steps[best], values[:, best])

    def _ring(self, axes, step: float, values: np.ndarray) -> None:
        axes.axvline(step, ymin=LEGEND_SHARE, color=BLACK, linewidth=0.8)
        ring = {"marker": "o", "markersize": 11, "markerfacecolor": "none", "linestyle": "none", "clip_on": False}
        axes.plot(np.full(len(values), step), values, **ring, markeredgecolor=BLACK)
        figures = " and ".join(f"{100 * value:.1f} %" for value in values)
        axes.set_title(f"best after {step + 1:,.0f} steps:\n{figures}", loc="left", fontsize=9.5)


class _Rates(_Panel):
    series = RATES
    label = "learning\nrate"
    note = ""
    height_inches = 1.0

    def draw(self, axes) -> None:
        super().draw(axes)
        rates = np.concatenate([self.record.values(run, "learning_rate") for run in self.record.runs])
        rates = rates[np.isfinite(rates) & (rates > 0)]
        if not len(rates):
            return
        # A rate that hardly changes still gets more than a decade.
        room = 1.5 if rates.max() >= 10 * rates.min() else 4.0
        for each in axes:
            each.set_yscale("log")
            each.yaxis.set_minor_formatter("")
        axes[0].set_ylim(rates.min() / room, rates.max() * room)

    def draw_run(self, axes, run: int) -> None:
        points = self.points(run, "learning_rate")
        axes.plot(*points, **RATES["learning_rate"], drawstyle="steps-post", linewidth=1.7, marker=self.mark(run))
