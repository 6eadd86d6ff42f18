import numpy as np
import pytest
from builders import make_embeddings, make_space, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.embeddings import Embeddings, bad_rows, numbered, require_unit_rows
from vfsearch.data.space import require_same_space
from vfsearch.errors import SpaceMismatchError, VectorError


def changed(row, value):
    vectors = unit_rows(6)
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"vectors": changed(2, np.nan)}, "1 of 6 rows are not unit rows: 'voice-2' is not finite"),
        ({"vectors": changed(0, np.inf)}, "'voice-0' is not finite"),
        ({"vectors": changed(5, 0)}, "'voice-5' is of length 0; every row must be finite and of length 1"),
        ({"vectors": unit_rows(6) * 2}, "6 of 6 rows are not unit rows: 'voice-0' is of length 2"),
        ({"vectors": unit_rows(6) * 1.001}, "is of length 1.001"),
        ({"vectors": unit_rows(5)}, r"voice vectors have the shape (5, 8), 6 ids in toy:"),
        ({"vectors": unit_rows(6).ravel()}, "voice vectors have the shape (48,)"),
        ({"identities": ["p"] * 5}, "6 ids, but {'identities': 5}: each must have one entry a row"),
        ({"columns": {"split": []}}, "6 ids, but {'split': 0}"),
        ({"modality": "sound"}, "the modality is 'sound', it must be voice or face"),
    ],
)
def test_what_does_not_fit(change, wanted):
    good = make_embeddings()
    parts = {name: getattr(good, name) for name in ("ids", "identities", "vectors", "modality", "space", "columns")}
    with pytest.raises(VectorError) as error:
        Embeddings(**{**parts, **change})
    assert wanted in str(error.value) and error.value.exit_code == 3


def test_take_and_split():
    rows = make_embeddings(4, split=["a", "b", "a", ""], note=list("wxyz"))
    assert rows.rows_of_split("a").tolist() == [0, 2] and rows.rows_of_split("").tolist() == [3]
    assert rows.rows_of_split(None).tolist() == [0, 1, 2, 3] and rows.rows_of_split("c").tolist() == []
    taken = rows.take([3, 0])
    assert taken.ids == ["voice-3", "voice-0"] and taken.identities == ["p1", "p0"]
    assert taken.columns == {"split": ["", "a"], "note": ["z", "w"]}
    np.testing.assert_array_equal(taken.vectors, rows.vectors[[3, 0]])
    assert len(rows.take([])) == 0 and rows.take([]).vectors.shape == (0, 8)
    assert make_embeddings(2).rows_of_split("").tolist() == [0, 1]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from("abcde")), st.lists(st.sampled_from("defgh")))
def test_numbers_stand_for_names_in_every_list(left, right):
    first, second = numbered(left, right)
    for names, numbers in ((left, first), (right, second)):
        assert numbers.dtype == np.int64 and len(numbers) == len(names)
    pairs = {*zip(left, first.tolist(), strict=True), *zip(right, second.tolist(), strict=True)}
    assert len(pairs) == len({name for name, _ in pairs}) == len({number for _, number in pairs})


def test_bad_rows_of_float16_and_of_none():
    assert bad_rows(unit_rows(50).astype(np.float16), 2e-3) == {}
    assert bad_rows(np.zeros((0, 8), np.float32)) == {}
    require_unit_rows(unit_rows(3), "abc")


def test_spaces_are_named_on_both_sides():
    first, second = make_space("first"), make_space("second")
    assert str(first) == f"first:{first.fingerprint[:12]} (8-d)"
    with pytest.raises(SpaceMismatchError, match=r"a is in the space first:.*, b in second:.*vfsearch index build"):
        require_same_space(first, "a", second, "b")
