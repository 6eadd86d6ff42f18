import io
import warnings

import numpy as np
import pytest
from PIL import Image
from recorded import COLUMNS, NAN, RUNS, recorded

from vfsearch.errors import SettingsError
from vfsearch.report import curves
from vfsearch.report.curves import curves_figure

TWO = recorded(240, 0) + recorded(1000, 1, 100)
LOSSES = ["total", "implicit", "explicit"]


def lines(axes) -> dict[str, np.ndarray]:
    """Label -> the values of the line, of the lines in a legend."""
    return {line.get_label(): line.get_ydata() for line in axes.lines if not line.get_label().startswith("_")}


def without(rows, *columns):
    return [tuple(NAN if name in columns else value for name, value in zip(COLUMNS, row, strict=True)) for row in rows]


@pytest.fixture
def figure(drawn):
    return lambda rows, columns=COLUMNS, names=RUNS: drawn(curves, curves_figure, columns, rows, names)


def test_two_runs_stand_side_by_side(figure):
    axes = np.array(figure(TWO).axes).reshape(3, 2)
    assert [each.get_title(loc="left") for each in axes[0]] == ["weights: 240 steps", "retrain: 1,000 steps"]
    assert [each.get_ylabel() for each in axes[:, 0]] == ["loss", "validation accuracy", "learning\nrate"]
    assert list(lines(axes[0, 0])) == list(lines(axes[0, 1])) == LOSSES
    assert list(lines(axes[1, 1])) == ["voice to face", "face to voice", "chance"]
    for line in axes:
        assert line[0].get_ylim() == line[1].get_ylim()
    assert [each.get_yscale() for each in axes[2]] == ["log", "log"]


def test_the_axes_begin_and_end_with_the_run(figure):
    for each, steps in zip(figure(TWO).axes[:2], (240, 1000), strict=True):
        low, high = each.get_xlim()
        assert -0.03 * steps < low < 0 and steps - 1 < high < 1.03 * steps


def test_a_run_that_was_not_validated_says_so(figure):
    axes = np.array(figure(TWO).axes).reshape(3, 2)
    assert [text.get_text() for text in axes[1, 0].texts] == ["not validated"]
    assert not axes[1, 1].texts


def test_means_are_drawn_over_every_step(figure):
    rows = [(0, step, 5.0 + (-1) ** step, 5.0, NAN, 0.1, NAN, NAN) for step in range(500)]
    drawn = figure(rows).axes[0]
    assert list(lines(drawn)) == ["total", "implicit"]
    assert np.abs(lines(drawn)["total"] - 5).max() <= 0.2
    light = next(line for line in drawn.lines if line.get_label().startswith("_"))
    assert set(light.get_ydata()) == {4.0, 6.0}


def test_the_best_validation_is_the_one_with_the_best_mean_and_the_first_of_equals(figure):
    accuracies = {3: (0.9, 0.4), 5: (0.75, 0.65), 7: (0.65, 0.75), 8: (0.99, NAN)}
    rows = [(1, step, 1.0, 1.0, 1.0, 0.1, *accuracies.get(step, (NAN, NAN))) for step in range(10)]
    axes = figure(rows).axes[1]
    assert axes.get_title(loc="left") == "best after 6 steps:\n75.0 % and 65.0 %"
    rings = [line for line in axes.lines if line.get_markersize() > 10]
    assert [(ring.get_xdata().tolist(), ring.get_ydata().tolist()) for ring in rings] == [([5, 5], [0.75, 0.65])]
    assert lines(axes)["chance"] == [0.5, 0.5]


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.1, 0.001), (0.1, 0.0)])
def test_the_rate_is_drawn_to_scale(figure, rates):
    rows = [(0, step, 1.0, 1.0, 1.0, rate, NAN, NAN) for step, rate in enumerate(rates)]
    axes = figure(rows).axes[1]
    low, high = axes.get_ylim()
    positive = [rate for rate in rates if rate > 0]
    assert 0 < low < min(positive) and high > max(positive) and high / low > 3
    assert axes.lines[0].get_drawstyle() == "steps-post"


def test_chance_is_always_in_sight(figure):
    for accuracy in (0.1, 0.5, 0.99):
        low, high = figure([(0, 0, 1.0, 1.0, 1.0, 0.1, accuracy, accuracy)]).axes[1].get_ylim()
        assert low < min(0.5, accuracy) and high > max(0.5, accuracy)


@pytest.mark.parametrize(
    "left_out, labels",
    [
        (("voice_to_face", "face_to_voice"), ["loss", "learning\nrate"]),
        (("learning_rate",), ["loss", "validation accuracy"]),
        (("loss", "implicit", "explicit"), ["validation accuracy", "learning\nrate"]),
        (("loss", "implicit", "explicit", "learning_rate"), ["validation accuracy"]),
    ],
)
def test_what_was_not_recorded_has_no_panel(figure, left_out, labels):
    rows = without(recorded(30, 0, 10), *left_out)
    assert [each.get_ylabel() for each in figure(rows).axes] == labels
    kept = [name for name in COLUMNS if name not in left_out]
    fewer = [tuple(row[COLUMNS.index(name)] for name in kept) for row in recorded(30, 0, 10)]
    assert [each.get_ylabel() for each in figure(fewer, kept).axes] == labels


def test_the_run_is_named_where_accuracy_stands_alone(figure):
    rows = without(recorded(10, 0, 5), "loss", "implicit", "explicit", "learning_rate")
    assert figure(rows).axes[0].get_title(loc="left") == "weights: 10 steps\nbest after 10 steps:\n77.0 % and 68.0 %"


@pytest.mark.parametrize("rows", [[], without(recorded(3), *COLUMNS[2:])], ids=["no rows", "NaN alone"])
def test_nothing_to_draw_is_said(figure, rows):
    found = figure(rows)
    assert not found.axes
    assert [text.get_text() for text in found.texts] == ["no values were recorded"]


EDGES = {
    "two runs": TWO,
    "one run": recorded(60, 1, 20),
    "three steps": recorded(3),
    "one step": recorded(1, 0, 1),
    "one direction": without(recorded(60, 1, 20), "face_to_voice"),
    "no value": without(recorded(4), *COLUMNS[2:]),
    "infinite loss": [(0, 0, float("inf"), 1.0, 1.0, 0.1, NAN, NAN), (0, 1, 2.0, 1.0, 1.0, 0.1, NAN, NAN)],
    "all zero": [(0, step, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) for step in range(5)],
    "rate falls to zero": [(0, step, 1.0, 1.0, 0.0, 0.1 * (4 - step), NAN, NAN) for step in range(5)],
    "negative loss": [(0, step, -1.0 - step, 1.0, 0.0, 0.1, NAN, NAN) for step in range(5)],
}


@pytest.mark.parametrize("rows", EDGES.values(), ids=EDGES)
def test_equal_records_give_equal_bytes_and_no_warning(rows):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = curves_figure(COLUMNS, rows, RUNS)
    assert data == curves_figure(list(COLUMNS), np.array(rows).tolist(), list(RUNS))
    assert Image.open(io.BytesIO(data)).width == 1152


def test_many_steps_make_no_heavy_file(figure):
    rows = recorded(2400, 0) + recorded(10_000, 1, 500)
    assert len(curves_figure(COLUMNS, rows, RUNS)) < 300_000
    longest = max(len(line.get_xdata()) for axes in figure(rows).axes for line in axes.lines)
    assert longest <= 2 * curves.BUCKETS


def test_a_short_run_is_wide_enough_to_be_read(figure):
    found = figure(recorded(10, 0) + recorded(1000, 1))
    assert found.axes[0].get_gridspec().get_width_ratios() == pytest.approx([1 / 3, 1])


def test_a_record_that_does_not_go_together_is_refused():
    with pytest.raises(SettingsError, match="row 0 of the record has 2 values for 8 columns"):
        curves_figure(COLUMNS, [(0, 0)], RUNS)
    with pytest.raises(SettingsError, match="row 0 of the record has the run 1; want 0 to 0, for 1 run names"):
        curves_figure(COLUMNS, recorded(2, 1), ("weights",))
