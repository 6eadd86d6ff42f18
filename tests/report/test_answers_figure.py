import io

import numpy as np
import pytest
from PIL import Image

from vfsearch.data.answers import Answer, Hit, ShownItem
from vfsearch.report import answers_figure
from vfsearch.report.answers_figure import answers_files


def item(id_, identity, modality):
    return ShownItem(id=id_, identity=identity, modality=modality)


def answer(place=2.0, hits=3, id_="v$1", probe="a"):
    found = tuple(Hit(item=item(f"f{n}", "a" if n == 1 else "b", "face"), score=-0.001 - n) for n in range(hits))
    return Answer(probe=item(id_, probe, "voice"), hits=found, best_place=place)


def picture(shown):
    return np.full((8, 8, 3), 9, np.uint8) if shown.modality == "face" else np.ones((5, 2)) * [-1, 1]


@pytest.fixture
def figure(monkeypatch):
    import matplotlib.figure

    def call(*arguments, **more):
        kept = matplotlib.figure.Figure()
        monkeypatch.setattr(answers_figure, "rendered", lambda draw, *_: draw(kept))
        answers_files(*arguments, **more)
        return kept

    return call


def texts(axes):
    return [each.get_title(loc) for each in axes for loc in ("left", "center") if each.get_title(loc)]


def test_signs_scores_and_colours(figure):
    drawn = figure([answer()], picture, "title")
    probe, *hits = drawn.axes
    assert probe.get_title(loc="left") == "v\\$1\nbest mate: 2"
    assert [axes.get_title() for axes in hits] == ["✗ 0.00", "✓ -1.00", "✗ -2.00"]
    colours = [axes.spines["left"].get_edgecolor() for axes in hits]
    assert colours[0] == colours[2] != colours[1] and all(len(axes.images) == 1 for axes in hits)
    assert len(probe.collections) == 1


def test_names_can_be_left_out_and_places_are_said(figure):
    drawn = figure([answer(np.inf), answer(np.nan), answer(3.5)], picture, "t", named=False)
    assert [axes.get_title(loc="left") for axes in drawn.axes[::4]] == ["no mate in the gallery", "", "best mate: 3.5"]


def test_an_item_without_a_picture(figure):
    drawn = figure([answer(hits=1)], lambda _: None, "t")
    assert [[text.get_text() for text in axes.texts] for axes in drawn.axes] == [["?"], ["?"]]


def test_probes_with_fewer_hits_and_with_none(figure):
    assert len(figure([answer(hits=3), answer(hits=1)], picture, "t").axes) == 8
    assert len(figure([answer(hits=0)], picture, "t").axes) == 2


def test_three_formats_that_depend_on_nothing_else():
    first, second = (answers_files([answer(id_="x" * 90)], picture, "a $title") for _ in range(2))
    assert first == second and list(first) == ["png", "svg", "pdf"]
    assert Image.open(io.BytesIO(first["png"])).size[0] > 300
