import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.data.text_places import first_repeated, places_of
from vfsearch.data.texts import Texts

TEXTS = st.lists(st.text(st.characters(codec=None, categories=["L", "N", "P", "Cc", "Cs"]), max_size=5), max_size=30)


def plainly(wanted, among):
    there = {text: place for place, text in enumerate(among)}
    return [there.get(text, -1) for text in wanted]


@given(wanted=TEXTS, among=TEXTS.map(lambda texts: list(dict.fromkeys(texts))))
def test_as_a_dictionary_says(wanted, among):
    assert places_of(wanted, among).tolist() == plainly(wanted, among)
    assert places_of(Texts.of(wanted), Texts.of(among)).tolist() == plainly(wanted, among)


def test_texts_that_end_in_nothing_are_told_apart():
    assert places_of(["a\0", "a", "a\0\0", "\0a", ""], ["a", "\0a", "a\0", ""]).tolist() == [2, 0, -1, 1, 3]


def test_thousands_in_another_order(monkeypatch):
    monkeypatch.setattr("vfsearch.data.text_places._AT_ONCE", 100)
    names = [f"face/{number}.jpg" for number in range(3000)]
    order = np.random.default_rng(1).permutation(3000)
    assert np.array_equal(places_of([names[row] for row in order], names), order)


@pytest.mark.parametrize(("wanted", "among"), [([], []), ([], ["a"]), (["a"], [])])
def test_nothing_on_a_side(wanted, among):
    assert places_of(wanted, among).tolist() == [-1] * len(wanted)


@given(TEXTS)
def test_what_is_there_twice(texts):
    found = first_repeated(texts)
    assert (found is None) == (len(set(texts)) == len(texts)) and (found is None or texts.count(found) > 1)


def test_texts_of_zeros_are_not_there_twice():
    assert first_repeated(["a", "a\0", "\0", "", "\0\0"]) is None
    assert first_repeated(["a", "b\0", "", "b\0"]) == "b\0" and first_repeated(["", ""]) == ""
