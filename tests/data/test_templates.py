import dataclasses

import numpy as np
import pytest
from builders import make_embeddings, make_failure
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.pooling import Pooling, pooling_by
from vfsearch.data.templates import failed_groups, pool
from vfsearch.errors import SettingsError, VectorError

PEOPLE = ["b", "a", "b", "a", "b", "c"]
QUALITY = ["1", "2", "0.5", "0", "3", "1"]


def plain(rows, ids, weights) -> np.ndarray:
    """The unit mean, as one would write it down."""
    total = [0.0] * rows.shape[1]
    for place in sorted(range(len(ids)), key=lambda place: ids[place]):
        for column in range(rows.shape[1]):
            total[column] += weights[place] * float(rows[place, column])
    length = sum(value * value for value in total) ** 0.5
    return np.array([value / length for value in total])


@pytest.mark.parametrize("weight", [None, "quality"])
def test_a_template_is_the_unit_mean_of_its_items(weight):
    rows = make_embeddings(identities=PEOPLE, quality=QUALITY)
    found = pool(rows, Pooling(weight=weight))
    assert found.rows.ids == found.rows.identities == ["a", "b", "c"]
    assert found.members.tolist() == [1, 0, 1, 0, 1, 2]
    for place, person in enumerate("abc"):
        own = [row for row in range(6) if PEOPLE[row] == person]
        weights = [float(QUALITY[row]) if weight else 1.0 for row in own]
        expected = plain(rows.vectors[own], [rows.ids[row] for row in own], weights)
        np.testing.assert_allclose(found.rows.vectors[place], expected, atol=1e-7)


def test_a_template_of_one_item_is_its_row():
    rows = make_embeddings(identities=list("fedcba"))
    found = pool(rows, Pooling())
    assert found.rows.ids == list("abcdef")
    assert np.array_equal(found.rows.vectors, rows.vectors[::-1])
    one = pool(make_embeddings(identities=PEOPLE), Pooling(items=1))
    taken = np.flatnonzero(one.members >= 0)
    assert len(taken) == 3
    assert np.array_equal(one.rows.vectors[one.members[taken]], make_embeddings(identities=PEOPLE).vectors[taken])


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)), st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, "quality"]))
def test_the_order_of_the_rows_changes_no_bit(order, items, weight):
    rows = make_embeddings(n=12, identities=[f"p{row % 3}" for row in range(12)],
                           quality=[f"{1 + row / 7}" for row in range(12)])  # fmt: skip
    pooling = Pooling(items=items, weight=weight)
    first, second = pool(rows, pooling), pool(rows.take(np.array(order)), pooling)
    assert first.rows.vectors.tobytes() == second.rows.vectors.tobytes()
    assert (first.rows.ids, first.rows.columns) == (second.rows.ids, second.rows.columns)
    assert np.array_equal(first.members[list(order)], second.members)


def test_who_is_drawn_depends_on_nobody_else():
    people = [f"p{row // 5}" for row in range(20)]
    rows = make_embeddings(n=20, identities=people)
    all_of_them = pool(rows, Pooling(items=2))
    alone = pool(rows.take(np.arange(5, 10)), Pooling(items=2))
    assert np.array_equal(alone.rows.vectors[0], all_of_them.rows.vectors[1])
    drawn = [set(np.flatnonzero(pool(rows, Pooling(items=count, seed=3)).members >= 0)) for count in (1, 2, 4)]
    assert drawn[0] < drawn[1] < drawn[2] and [len(each) for each in drawn] == [4, 8, 16]
    assert drawn[1] != set(np.flatnonzero(pool(rows, Pooling(items=2, seed=4)).members >= 0))


def test_groups_finer_than_people():
    rows = make_embeddings(identities=PEOPLE, source=["x", "x", "y", "x", "x", "z"])
    found = pool(rows, pooling_by("identity+source"))
    assert found.rows.ids == ["a@x", "b@x", "b@y", "c@z"]
    assert found.rows.identities == ["a", "b", "b", "c"]
    assert found.rows.columns["items"] == ["2", "2", "1", "1"]


def test_columns_keep_what_all_items_share():
    rows = make_embeddings(
        identities=PEOPLE, gender=list("mfmfmf"), path=[f"{row}.wav" for row in range(6)],
        seconds=["1.5", "2", "0.25", "1", "2", "?"],
    )  # fmt: skip
    columns = pool(rows, Pooling()).rows.columns
    assert columns["gender"] == ["f", "m", "f"] and columns["path"] == ["", "", "5.wav"]
    assert columns["items"] == ["2", "3", "1"] and columns["seconds"] == ["3", "3.75", ""]


def test_items_that_sum_to_nothing():
    rows = make_embeddings(n=2, identities=["a", "a"])
    opposite = dataclasses.replace(rows, vectors=np.stack([rows.vectors[0], -rows.vectors[0]]))
    with pytest.raises(VectorError, match="the 2 voice items of 'a' point in opposite directions and sum to nothing"):
        pool(opposite, Pooling())


@pytest.mark.parametrize("bad", ["", "good", "nan", "inf", "-1"])
def test_a_weight_that_is_none(bad):
    rows = make_embeddings(identities=PEOPLE, quality=[*QUALITY[:4], bad, "1"])
    with pytest.raises(VectorError, match=f"1 of 6 voice items have no weight: 'voice-4' has quality='{bad}', wanted"):
        pool(rows, Pooling(weight="quality"))


def test_weights_that_are_all_nothing():
    rows = make_embeddings(identities=PEOPLE, quality=["1", "0", "1", "0", "1", "1"])
    with pytest.raises(VectorError, match="all items of 1 templates have quality=0, such as those of 'a'"):
        pool(rows, Pooling(weight="quality"))


def test_huge_and_tiny_weights_are_weights():
    for scale in (1e300, 1e-300):
        rows = make_embeddings(identities=["a"] * 6, quality=[str(scale * (row + 1)) for row in range(6)])
        plainly = make_embeddings(identities=["a"] * 6, quality=[str(row + 1) for row in range(6)])
        found, expected = (pool(each, Pooling(weight="quality")).rows.vectors for each in (rows, plainly))
        np.testing.assert_allclose(found, expected, atol=1e-7)


def test_columns_that_are_not_there():
    rows = make_embeddings(identities=PEOPLE, gender=["f"] * 6, source=["x", "", "x", "x", "x", "x"])
    with pytest.raises(SettingsError, match="no column 'session' to pool by: wanted identity or one of gender, source"):
        pool(rows, pooling_by("identity+session"))
    with pytest.raises(SettingsError, match="no column 'quality'"):
        pool(rows, Pooling(weight="quality"))
    with pytest.raises(VectorError, match="1 of 6 voice items have no source, such as 'voice-1'"):
        pool(rows, pooling_by("identity+source"))


def test_a_template_mixes_no_splits():
    rows = make_embeddings(identities=PEOPLE, split=["train", "test", "test", "test", "train", "test"])
    with pytest.raises(SettingsError, match=r"of 'b' are of the splits 'test' and 'train'.*identity\+split"):
        pool(rows, Pooling())
    assert pool(rows, pooling_by("identity+split")).rows.ids == ["a@test", "b@test", "b@train", "c@test"]


def test_names_that_two_people_would_share():
    rows = make_embeddings(n=2, identities=["a@b", "a"], source=["c", "b@c"])
    with pytest.raises(VectorError, match="'a' and 'a@b' would both have the template 'a@b@c': rename one"):
        pool(rows, pooling_by("identity+source"))


@pytest.mark.parametrize("text", ["source", "", "identity+", "identity+identity"])
def test_what_is_no_grouping(text):
    with pytest.raises(SettingsError, match="wanted identity, or identity and further columns"):
        pooling_by(text)


def test_numbers_out_of_range():
    with pytest.raises(SettingsError, match="a template of 0 items: wanted at least 1"):
        Pooling(items=0)
    with pytest.raises(SettingsError, match="the seed of the items that are pooled is -1"):
        Pooling(seed=-1)


def test_settings_travel_as_json():
    for pooling in (Pooling(), pooling_by("identity+source", "quality", 3, 7)):
        assert Pooling.from_json(pooling.to_json()) == pooling
    assert str(pooling_by("identity+source", "quality", 3, 7)) == (
        "identity+source, weighted by quality, at most 3 items each (seed 7)"
    )


def test_only_groups_without_any_item_failed():
    rows = pool(make_embeddings(identities=PEOPLE), Pooling()).rows
    failures = [make_failure("x", identity="a"), make_failure("y", identity="d"), make_failure("z", identity="d")]
    assert [failure.id for failure in failed_groups(failures, rows, Pooling())] == ["y"]


def test_no_rows_give_no_templates():
    none = pool(make_embeddings(n=2).take(np.array([], dtype=int)), Pooling())
    assert len(none.rows) == 0 and len(none.members) == 0
