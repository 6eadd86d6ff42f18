import io

import numpy as np
import pytest
from PIL import Image

from vfsearch.data.plot import Line, Plot
from vfsearch.errors import SettingsError
from vfsearch.report import plots
from vfsearch.report.plots import plot_files

X = np.array([0.0, 0.01, 0.5, 1.0])


def plot(*lines, **more):
    lines = lines or (Line(name="a", x=X, y=1 - X),)
    return Plot(**{"name": "p", "title": "Title", "x": "across", "y": "up", "lines": lines, **more})


def axes_of(monkeypatch, shown):
    kept = {}

    def keep(draw, width, height, formats):
        import matplotlib.figure

        kept["figure"] = matplotlib.figure.Figure(figsize=(width, height))
        draw(kept["figure"])
        return {}

    monkeypatch.setattr(plots, "rendered", keep)
    plot_files(shown)
    return kept["figure"].axes[0]


def test_three_formats_that_depend_on_nothing_else():
    first, second = plot_files(plot()), plot_files(plot())
    assert first == second and list(first) == ["png", "svg", "pdf"]
    assert Image.open(io.BytesIO(first["png"])).size[0] > 600
    assert first["svg"].startswith(b"<?xml") and first["pdf"].startswith(b"%PDF")


def test_probit_axes_leave_out_rates_without_a_place(monkeypatch):
    axes = axes_of(monkeypatch, plot(x_scale="probit", y_scale="probit"))
    (line,) = axes.get_lines()
    assert np.isfinite(line.get_xdata()).tolist() == [False, True, True, False]
    assert line.get_xdata()[2] == pytest.approx(0.0, abs=1e-9)
    assert "5" in [tick.get_text() for tick in axes.get_xticklabels()] and axes.get_xlabel() == "across (%)"


def test_lines_of_a_run_share_a_colour_and_runs_differ_in_more_than_colour(monkeypatch):
    lines = [Line(name=f"{run}, {kind}", x=X, y=X, run=run, dashed=kind == "other") for run in "ab"
             for kind in ("main", "other")]  # fmt: skip
    drawn = axes_of(monkeypatch, plot(*lines, steps=True)).get_lines()
    assert drawn[0].get_color() == drawn[1].get_color() != drawn[2].get_color()
    assert drawn[0].get_linestyle() != drawn[1].get_linestyle()
    a, b = axes_of(monkeypatch, plot(Line(name="a", x=X, y=X), Line(name="b", x=X, y=X))).get_lines()
    assert a.get_color() != b.get_color() and a.get_linestyle() != b.get_linestyle()


def test_names_are_no_formulas_and_long_ones_keep_both_ends(monkeypatch):
    long = "start" + "x" * 90 + "end"
    shown = plot(Line(name="$\\frac{$ <b>", x=X, y=X), Line(name=long, x=X, y=X), title="50 $ and $x")
    legend = [text.get_text() for text in axes_of(monkeypatch, shown).get_legend().get_texts()]
    assert legend[0] == "\\$\\frac{\\$ <b>" and legend[1].startswith("start") and legend[1].endswith("end")
    assert len(legend[1]) <= 42 and plot_files(shown) is not None


def test_intervals_chance_and_whole_places(monkeypatch):
    few = np.array([2.0, 5.0])
    line = Line(name="a", x=few, y=few / 10, low=few / 20, high=np.array([0.3, np.nan]))
    axes = axes_of(monkeypatch, plot(line, x_scale="log2", chance=Line(name="chance", x=few, y=1 / few), mark=True))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["2", "5"] and len(axes.containers) == 1
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["chance", "a"]


def test_what_is_no_diagram():
    with pytest.raises(SettingsError, match="the diagram p has no lines"):
        Plot(name="p", title="", x="", y="", lines=())
    with pytest.raises(SettingsError, match="the scale of p is 'cubic', wanted one of linear"):
        plot(x_scale="cubic")
    with pytest.raises(SettingsError, match="the line a has columns of"):
        Line(name="a", x=X, y=X[:2])
