import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.data.texts import Texts

NAMES = ["ann", "", "béa", "\udcff", "ann"]
LISTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=6), max_size=12)


def test_texts_are_what_was_kept():
    texts = Texts.of(NAMES)
    assert list(texts) == NAMES and len(texts) == 5 and texts[-1] == "ann" and texts[1:3] == ["", "béa"]
    assert texts == NAMES and texts == tuple(NAMES) and texts == Texts.of(NAMES) and texts != NAMES[:4]
    assert Texts.of(texts) is texts and texts.index("béa") == 2 and "eva" not in texts
    assert repr(texts) == "Texts.of(['ann', '', 'béa']...)"


def test_a_place_that_is_not_there():
    for place in (5, -6):
        with pytest.raises(IndexError):
            Texts.of(NAMES)[place]


@given(LISTS)
def test_kept_and_given_back(names):
    assert list(Texts.of(names)) == names


@given(LISTS, LISTS, LISTS)
def test_joined(first, second, third):
    assert Texts.joined([Texts.of(each) for each in (first, second, third)]) == first + second + third


def test_none_joined():
    assert Texts.joined([]) == []


@given(LISTS.filter(len), st.data())
def test_taken(names, data):
    rows = data.draw(st.lists(st.integers(0, len(names) - 1), max_size=20))
    assert Texts.of(names).take(np.array(rows, np.int64)) == [names[row] for row in rows]


def test_taken_of_none():
    assert Texts.of([]).take(np.array([], np.int64)) == []


def test_more_are_taken_than_at_once(monkeypatch):
    monkeypatch.setattr("vfsearch.data.texts._AT_ONCE", 7)
    names = [f"{'x' * (row % 3)}{row}" if row % 5 else "" for row in range(50)]
    rows = np.random.default_rng(1).integers(0, 50, 40)
    assert Texts.of(names).take(rows) == [names[row] for row in rows]
