import numpy as np
import pytest

from vfsearch.data.plot import Line, Plot
from vfsearch.report.page_plots import GRID, page_plot
from vfsearch.report.scales import PROBIT_LIMITS, placed


def plot(lines, **more):
    return page_plot(Plot(name="p", title="t", x="across", y="up", lines=lines, **more))


def line(x, y, name="a", **more):
    return Line(name=name, x=np.array(x, float), y=np.array(y, float), **more)


def test_values_places_and_ticks():
    found = plot([line([2, 4, 8], [0.5, 0.25, 1.0], low=np.zeros(3), high=np.ones(3))], x_scale="log2", mark=True)
    (only,) = found["lines"]
    assert only["sx"] == [1, 2, 3] and only["x"] == [2, 4, 8] and only["sy"] == only["y"] == [0.5, 0.25, 1.0]
    assert only["slow"] == [0, 0, 0] and only["high"] == [1, 1, 1]
    assert found["x"]["ticks"] == [[1, "2"], [2, "4"], [3, "8"]] and found["x"]["low"] < 1 < 3 < found["x"]["high"]
    assert found["y"]["ticks"][0] == [0, "0"] and found["y"]["ticks"][-1] == [1, "1"] and found["mark"]


def test_rates_of_nought_and_one_have_no_place_on_a_probit_axis():
    found = plot([line([0, 0.5, 1], [1, 0.5, 0])], x_scale="probit", y_scale="probit")
    assert found["lines"][0]["sx"] == [None, 0.0, None] and found["x"]["label"] == "across (%)"
    assert (found["x"]["low"], found["x"]["high"]) == PROBIT_LIMITS and [0.84162, "80"] not in found["x"]["ticks"]
    assert [label for _, label in found["x"]["ticks"]][:3] == ["0.1", "0.5", "1"]


def test_many_points_become_few_that_look_alike():
    x = np.linspace(0, 1, 1_000_001)
    kept = plot([line(x, np.sqrt(x))])["lines"][0]
    assert len(kept["x"]) < 4 * GRID and kept["x"][0] == 0 and kept["x"][-1] == 1
    assert np.abs(np.interp(x, kept["x"], kept["y"]) - np.sqrt(x)).max() < 2 / GRID


def test_lines_of_a_run_share_its_colour():
    lines = [line([0, 1], [0, 1], f"{run} {kind}", run=run, dashed=kind == "other")
             for run in ("a", "b") for kind in ("own", "other")]  # fmt: skip
    found = plot(lines, steps=True)["lines"]
    assert [(each["colour"], each["dash"]) for each in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]


@pytest.mark.parametrize("y", [[3.0], [3.0, 3.0, 3.0], [np.nan, np.nan]])
def test_lines_without_extent_and_without_values(y):
    found = plot([line(np.arange(1, len(y) + 1), y)], x_scale="log")
    assert found["y"]["low"] < found["y"]["high"] and found["x"]["low"] < found["x"]["high"]


def test_a_long_logarithmic_axis_has_powers():
    x = np.geomspace(1, 1e6, 50)
    assert plot([line(x, x)], x_scale="log")["x"]["ticks"][:3] == [[0, "1"], [1, "10"], [2, "100"]]
    for high, labels in ((50, ["1", "2", "5", "10", "20", "50"]), (3, ["1", "2", "3"])):
        x = np.geomspace(1, high, 50)
        assert [label for _, label in plot([line(x, x)], x_scale="log")["x"]["ticks"]] == labels
    assert np.isnan(placed(np.array([0.0, -1.0]), "log")).all()


def test_chance_that_is_far_off_leaves_the_lines_their_room():
    far = line([0, 1], [0.5, 0.5], "chance")
    near = plot([line([0, 1], [0.2, 0.8])], chance=far)
    away = plot([line([0, 1], [0.1, 0.12])], chance=far)
    assert near["y"]["high"] > 0.8 and away["y"]["high"] < 0.13 and away["chance"]["y"] == [0.5, 0.5]
