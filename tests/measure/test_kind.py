import pytest

from vfsearch.errors import SettingsError, UnknownNameError
from vfsearch.measure.catalog import KINDS, USUAL, chosen, of_family, parse_measure
from vfsearch.measure.kind import FAMILIES, Kind

NUMBERS = {"count": 7, "rate": 0.001, "score": -0.25}


def named(kind: Kind) -> str:
    return kind.template.format(NUMBERS.get(kind.parameter, ""))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.template)
def test_every_name_prints_and_parses_back(kind):
    measure = parse_measure(named(kind), kind.family)
    assert measure.kind is kind
    assert parse_measure(str(measure), kind.family) == measure
    assert parse_measure(measure.name.lower(), kind.family) == measure
    assert len({measure, parse_measure(named(kind), kind.family)}) == 1
    assert kind.title and kind.formula and kind.source
    assert callable(measure.figure())


def test_no_name_means_two_things():
    names = [named(kind) for kind in KINDS]
    assert len(names) == len({name.lower() for name in names})
    for name in names:
        assert sum(kind.parse(name) is not None for kind in KINDS) == 1, name


@pytest.mark.parametrize("family", FAMILIES)
def test_usual_measures_are_of_their_family(family):
    assert [measure.kind.family for measure in chosen((), family)] == [family] * len(USUAL[family])
    assert of_family(family)


def test_what_is_asked_for_is_divided_among_the_families():
    names = ("EER", "R@5", "AUC")
    assert [str(each) for each in chosen(names, "verification")] == ["EER", "AUC"]
    assert [str(each) for each in chosen(names, "ranking")] == ["R@5"]
    assert [str(each) for each in chosen(names, "matching")] == list(USUAL["matching"])


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("nothing", UnknownNameError, "no measure is named 'nothing'; known: accuracy"),
        ("R@0", SettingsError, "'R@0': wanted 'R@a whole number from 1'"),
        ("R@1.5", SettingsError, "wanted 'R@a whole number from 1'"),
        ("R@", SettingsError, "wanted 'R@a whole number from 1'"),
        ("TAR@FAR=1.5", SettingsError, "a fraction between 0 and 1"),
        ("FMR@T=inf", SettingsError, "wanted 'FMR@T=a number'"),
        ("AUC7", UnknownNameError, "no measure is named 'AUC7'"),
    ],
)
def test_names_that_mean_nothing(text, error, said):
    with pytest.raises(error, match=said):
        parse_measure(text)


def test_a_measure_of_another_family_is_none_of_this():
    with pytest.raises(UnknownNameError, match="no ranking measure is named 'AUC'; known: mAP"):
        parse_measure("AUC", "ranking")


def test_a_kind_without_a_family():
    with pytest.raises(SettingsError, match=r"'X@\{\}' has no family"):
        Kind(template="X@{}", family="other", title="", formula="", source="", target="", parameter="count")
