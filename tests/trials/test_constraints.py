import pytest

from vfsearch.data.manifest import Item
from vfsearch.errors import ManifestError, SettingsError
from vfsearch.trials.constraints import (
    age_span,
    ambiguous_identities,
    group_labels,
    parse_group,
    require_columns,
    source_labels,
)


def item(identity: str = "p", modality: str = "voice", **columns: str) -> Item:
    return Item(id=f"{identity}{columns}", path="x", modality=modality, identity=identity, columns=columns)


def says(**columns: str) -> dict[str, str]:
    return columns


@pytest.mark.parametrize(
    ("text", "name", "columns"),
    [
        ("U", "U", ()),
        ("G", "G", ("gender",)),
        ("N", "N", ("nationality",)),
        ("A", "A", ("age",)),
        ("GNA", "GNA", ("gender", "nationality", "age")),
        ("AG", "GA", ("gender", "age")),
        ("gender", "G", ("gender",)),
        ("age+gender", "GA", ("gender", "age")),
        ("accent", "accent", ("accent",)),
        ("G+accent", "gender+accent", ("gender", "accent")),
        (" zone + accent+gender ", "gender+accent+zone", ("gender", "accent", "zone")),
        ("Gender", "Gender", ("Gender",)),
        ("GX", "GX", ("GX",)),
    ],
)
def test_groups(text, name, columns):
    group = parse_group(text)
    assert (group.name, group.columns) == (name, columns)


@pytest.mark.parametrize("text", ["", "+", "G+", "GG", "gender+gender", "G+gender", "U+G", "UU+U"])
def test_no_groups(text):
    with pytest.raises(SettingsError, match=r"no constraint group is .*: wanted U \(none\), letters of G"):
        parse_group(text)


def test_labels_of_both_sides():
    probes = [says(gender="f"), says(gender="m"), says(gender=" "), says()]
    labels = group_labels(parse_group("G"), probes, [says(gender="m "), says(gender="f"), says(gender="x")])
    assert labels.probes.tolist() == [0, 1, -1, -1] and labels.gallery.tolist() == [1, 0, 2]
    assert [labels.name(number) for number in (0, 1, 2)] == ["f", "m", "x"]
    assert group_labels(parse_group("U"), probes, probes) is None


def test_one_empty_column_leaves_an_item_without_a_label():
    items = [says(gender="f", age="31"), says(gender="f", age=""), says(gender="f", age="39.5")]
    labels = group_labels(parse_group("GA"), items, items)
    assert labels.gallery.tolist() == [0, -1, 0] and labels.names == ["f, 30-39"]


def test_values_with_commas_do_not_run_together():
    items = [says(a="x, y", b="z"), says(a="x", b="y, z"), says(a="x,", b="z"), says(a="x", b=",z")]
    assert group_labels(parse_group("a+b"), items, []).probes.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "years", "span"),
    [("20", 10, "20-29"), ("29.9", 10, "20-29"), ("0", 10, "0-9"), ("-1", 10, "-10--1"), ("7", 5, "5-9"),
     ("20s", 10, "20s"), ("nan", 10, "nan"), ("inf", 10, "inf"), ("31", 1, "31-31"), ("", 10, "")],
)  # fmt: skip
def test_spans_of_ages(text, years, span):
    assert age_span(text, years) == span


def test_ages_as_they_are():
    items = [says(age="20"), says(age="21")]
    assert group_labels(parse_group("A"), items, [], age_years=0).names == ["20", "21"]
    assert group_labels(parse_group("A"), items, []).names == ["20-29"]


def test_only_the_column_age_is_taken_in_spans():
    assert group_labels(parse_group("years"), [says(years="20")], []).names == ["20"]


def test_identities_that_say_different_things():
    items = [
        item("a", gender="f"),
        item("a", gender="m"),
        item("a", age="20"),
        item("a", age="30"),
        item("b", gender="f"),
        item("b", gender=""),
        item("c", gender="m", age="20"),
        item("c", gender="f", age="29"),
    ]
    assert ambiguous_identities(parse_group("G"), items) == {"gender": ["a", "c"]}
    assert ambiguous_identities(parse_group("GA"), items) == {"age": ["a"], "gender": ["a", "c"]}
    assert ambiguous_identities(parse_group("U"), items) == {}


def test_sources():
    labels = source_labels("source", [says(source="v1"), says()], [says(source="v2"), says(source="v1")])
    assert labels.probes.tolist() == [0, -1] and labels.gallery.tolist() == [1, 0]


def test_a_missing_column_is_named_beside_those_there_are():
    wanted = "list.csv has no column accent, which the group G needs; besides path, modality and identity its columns"
    with pytest.raises(ManifestError, match=f"{wanted} are: gender"):
        require_columns(("gender", "accent"), "the group G", [says(gender="f")], "list.csv")
    with pytest.raises(ManifestError, match="its columns are: none"):
        require_columns(("gender",), "the group G", [says()], "list.csv")
