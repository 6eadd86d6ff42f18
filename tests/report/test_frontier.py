import numpy as np
import pytest

from vfsearch.errors import SettingsError
from vfsearch.report import frontier
from vfsearch.report.frontier import FrontierLine, apart, frontier_figure, place


def line(name="hnsw", recall=(0.8, 0.9, 0.99), rates=(900.0, 500.0, 100.0), best=(True, False, False), default=None):
    default = default or [False] * len(recall)
    return FrontierLine(name=name, recall=recall, probes_per_second=rates, best=best, default=default)


EXACT = line("exact", (1.0,), (300.0,), (True,))


def test_png_bytes_depend_on_nothing_but_what_is_drawn():
    first, second = (frontier_figure([EXACT, line()], 10, "faces") for _ in range(2))
    assert first == second and first.startswith(b"\x89PNG")
    assert frontier_figure([EXACT], 10, "faces") != first


def test_axes_and_names(drawn):
    figure = drawn(frontier, frontier_figure, [EXACT, line()], 10, "20 faces")
    (axes,) = figure.axes
    assert axes.get_yscale() == "log" and "R@10" in axes.get_xlabel() and axes.get_title(loc="left") == "20 faces"
    assert {text.get_text() for text in axes.texts} == {"exact", "hnsw"}
    assert "1" in [label.get_text() for label in axes.get_xticklabels()]


def test_the_exact_engine_and_the_best_are_marked(drawn):
    axes = drawn(frontier, frontier_figure, [EXACT, line()], 10, "").axes[0]
    stars = [each for each in axes.lines if each.get_marker() == "*" and len(each.get_xdata())]
    rings = [each for each in axes.lines if each.get_markersize() == 10.5]
    assert stars and stars[0].get_ydata().tolist() == [300.0]
    assert sorted(y for ring in rings for y in ring.get_ydata()) == [300.0, 900.0]


def test_a_line_goes_through_its_own_best_settings(drawn):
    kind = line(recall=(0.8, 0.85, 0.9), rates=(900.0, 400.0, 500.0), best=(True, False, False))
    axes = drawn(frontier, frontier_figure, [EXACT, kind], 10, "").axes[0]
    joined = [
        each.get_ydata().tolist() for each in axes.lines if each.get_linestyle() == "-" and each.get_zorder() == 3
    ]
    assert [900.0, 500.0] in joined


def test_the_caption_says_what_every_mark_means(drawn):
    figure = drawn(frontier, frontier_figure, [EXACT, line()], 10, "")
    for word in ("Grey stair: ", "Ringed: ", "Filled: ", "Faded: another setting of the same kind finds as much"):
        assert word in figure.get_supxlabel(), word


def test_nothing_to_draw(drawn):
    for lines in ([], [line(rates=(np.nan, np.nan, 0.0))]):
        figure = drawn(frontier, frontier_figure, lines, 10, "")
        assert [text.get_text() for text in figure.texts] == ["nothing was measured"]


def test_a_single_point(drawn):
    axes = drawn(frontier, frontier_figure, [EXACT], 1, "").axes[0]
    assert axes.get_xlim()[0] < place(1.0) < axes.get_xlim()[1]


def test_columns_of_one_length():
    with pytest.raises(SettingsError, match=r"the line hnsw has columns of \[2, 3\] values"):
        line(best=(True, False))


def test_places():
    assert place(np.array([0.9, 0.99, 0.9999, 1.0])) == pytest.approx([1, 2, 4, 4])


@pytest.mark.parametrize(
    "heights", [[0.5] * 8, [0.0] * 5, [1.0] * 5, list(np.linspace(0, 1, 12)), [0.3, 0.31, 0.9], []]
)
def test_names_stand_apart(heights):
    moved = apart(heights, 0.05)
    assert len(moved) == len(heights)
    assert all(b - a > 0.05 - 1e-9 for a, b in zip(sorted(moved), sorted(moved)[1:], strict=False))
    assert all(-1e-9 <= each <= 1 for each in moved)
    assert np.argsort(moved, kind="stable").tolist() == np.argsort(heights, kind="stable").tolist()


def test_names_that_are_apart_stay():
    assert apart([0.1, 0.5, 0.9], 0.05) == pytest.approx([0.1, 0.5, 0.9])
