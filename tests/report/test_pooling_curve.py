import dataclasses
import math

from vfsearch.data.outcome import Value
from vfsearch.data.pooling_curve import PoolingCurve, PoolingLine, PoolingPoint
from vfsearch.report import pooling_curve
from vfsearch.report.pooling_curve import pooling_figure


def value(each: float) -> Value:
    return Value(value=each, low=each - 0.1, high=each + 0.1, chance=0.5)


def point(limit, items, each, seconds=math.nan) -> PoolingPoint:
    values = {"EER": value(each), "MedR": value(each)}
    return PoolingPoint(limit=limit, items=items, seconds=seconds, draws=2, values=values, gains={})


ITEMS = PoolingLine(
    of="items", people=9, left_out=1, points=(point(1, 1, 0.4), point(2, 2, 0.3), point(None, 2.5, 0.2))
)
SECONDS = PoolingLine(of="seconds", people=9, left_out=1, points=(point(2, 1, 0.4, 2.5), point(None, 3, 0.2, 7.5)))
CURVE = PoolingCurve(
    settings={"pool_gallery": None}, made_from={}, direction="voice to face", split="test", gallery=20,
    gallery_identities=10, seen_people=None, lines=(ITEMS, SECONDS), machine={},
)  # fmt: skip
PERCENT = frozenset({"EER"})


def test_png_bytes_depend_on_nothing_but_what_is_drawn():
    first, second = (pooling_figure(CURVE, PERCENT) for _ in range(2))
    assert first == second and first.startswith(b"\x89PNG")


def test_a_panel_a_measure_and_quantity(drawn):
    figure = drawn(pooling_curve, pooling_figure, CURVE, PERCENT)
    panels = figure.axes
    assert [axes.get_title(loc="left") for axes in panels] == ["EER (%)", "MedR", "EER (%)", "MedR"]
    assert panels[0].get_xlabel() == "voice items of a person"
    assert panels[2].get_xlabel() == "seconds of speech of a person"
    assert panels[0].lines[0].get_ydata().tolist() == [40.0, 30.0, 20.0]
    assert panels[2].lines[0].get_xdata().tolist() == [2.5, 7.5]
    assert [label.get_text() for label in panels[0].get_xticklabels()] == ["1", "2", "2.5"]
    assert "9 people against 20 gallery items" in figure._suptitle.get_text()


def test_figures_that_do_not_exist(drawn):
    nothing = dataclasses.replace(ITEMS, points=(point(1, 1, math.nan),))
    figure = drawn(pooling_curve, pooling_figure, dataclasses.replace(CURVE, lines=(nothing,)), PERCENT)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no values"]


def test_figures_without_interval(drawn):
    bounded = dataclasses.replace(value(0.3), low=math.nan, high=math.nan)
    only = dataclasses.replace(ITEMS.points[0], values={"EER": bounded})
    curve = dataclasses.replace(CURVE, lines=(dataclasses.replace(ITEMS, points=(only,)),))
    (axes,) = drawn(pooling_curve, pooling_figure, curve, PERCENT).axes
    assert axes.lines[0].get_ydata().tolist() == [30.0]
