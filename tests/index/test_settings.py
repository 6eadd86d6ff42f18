import pytest

from vfsearch.errors import SettingsError
from vfsearch.index.settings import BuildSettings, Knob, Parameter, checked_search

KNOWN = (
    Parameter(name="degree", default=32, low=2, help="edges"),
    Parameter(name="alpha", default=0.9, low=0.5, kind=float, help="slack"),
    Parameter(name="kind", default="none", kind=str, choices=("none", "half"), help="of codes"),
    Parameter(name="lists", default=None, low=1, help="by size"),
)
EF = Knob(name="ef", default=16, low=8, high=100, ladder=(8, 16, 100), help="candidates")


def test_settings_are_completed():
    done = BuildSettings(backend="toy", parameters={"degree": 4, "alpha": 1}, seed=3).completed(KNOWN)
    assert done.parameters == {"degree": 4, "alpha": 1, "kind": "none", "lists": None} and done.seed == 3
    assert BuildSettings.from_json(done.to_json()) == done


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"dgree": 4}, "no build setting 'dgree'; it has: degree, alpha, kind, lists"),
        ({"degree": 1}, "degree is 1, it must be at least 2"),
        ({"degree": 4.5}, "degree is 4.5, it must be a whole number"),
        ({"degree": True}, "degree is True, it must be a whole number"),
        ({"alpha": "much"}, "alpha is 'much', it must be a number"),
        ({"alpha": float("nan")}, "alpha is nan, it must be at least 0.5"),
        ({"kind": "whole"}, "kind is 'whole', it must be one of none, half"),
        ({"lists": 0}, "lists is 0, it must be at least 1"),
    ],
)
def test_bad_build_settings(parameters, said):
    with pytest.raises(SettingsError, match=f"the back end toy.*{said}"):
        BuildSettings(backend="toy", parameters=parameters).completed(KNOWN)


def test_a_bad_seed():
    with pytest.raises(SettingsError, match="seed is -1"):
        BuildSettings(backend="toy", seed=-1)


def test_search_settings_are_those_wanted_else_the_defaults():
    assert checked_search([EF], {}, "it") == {"ef": 16} and checked_search([EF], {"ef": 100}, "it") == {"ef": 100}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [({"efs": 4}, "the index x has no search setting 'efs'; it has: ef"), ({"ef": 7}, "ef is 7, it must be 8 to 100"),
     ({"ef": 101}, "ef is 101"), ({"ef": 9.5}, "ef is 9.5"), ({"ef": True}, "ef is True")],
)  # fmt: skip
def test_bad_search_settings(wanted, said):
    with pytest.raises(SettingsError, match=said):
        checked_search([EF], wanted, "the index x")


def test_an_exact_index_has_nothing_to_set():
    with pytest.raises(SettingsError, match="it has: none, it is exact"):
        checked_search([], {"ef": 1}, "the index x")
