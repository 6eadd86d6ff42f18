import io

import numpy as np
import pytest
from PIL import Image

from vfsearch.data.plot import Shares
from vfsearch.errors import SettingsError
from vfsearch.report import bars
from vfsearch.report.bars import shares_files


def shares(rows, causes=("right", "wrong $", "lost")):
    return Shares(
        name="s", title="t", causes=causes, runs=[f"run {n}" for n in range(len(rows))], shares=np.array(rows)
    )


def test_parts_lie_side_by_side_with_their_numbers(monkeypatch):
    import matplotlib.figure

    figure = matplotlib.figure.Figure()
    monkeypatch.setattr(bars, "rendered", lambda draw, *_: draw(figure))
    shares_files(shares([[0.5, 0.45, 0.05], [0.0, 1.0, 0.0]]))
    (axes,) = figure.axes
    first = [(round(each.get_x(), 6), round(each.get_width(), 6)) for each in axes.patches if each.get_y() < 0]
    assert first == [(0.0, 0.5), (0.5, 0.45), (0.95, 0.05)]
    assert sorted(text.get_text() for text in axes.texts) == ["100.0", "45.0", "50.0"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["right", "wrong \\$", "lost"]


def test_three_formats_that_depend_on_nothing_else():
    first, second = (shares_files(shares([[0.2, 0.3, 0.5]])) for _ in range(2))
    assert first == second and list(first) == ["png", "svg", "pdf"]
    assert Image.open(io.BytesIO(first["png"])).size[0] > 400


def test_shares_that_are_of_other_runs():
    with pytest.raises(SettingsError, match=r"\(1, 2\) shares for 1 runs and 3 causes"):
        shares([[0.5, 0.5]])
