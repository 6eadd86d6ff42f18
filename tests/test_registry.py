import sys
from collections.abc import Sized

import pytest

from vfsearch import registry
from vfsearch.errors import MissingExtraError, UnknownNameError
from vfsearch.registry import Entry, Registry, load_target


@pytest.fixture
def shapes():
    return Registry("shape", "vfsearch.test.shapes", {
        "list": Entry(target="builtins:list", facts={"sides": 0}),
        "heavy": Entry(target="turtle:Turtle", requires=("json", "no_such_module"), pip_line="pip install shapes"),
        "gone": Entry(target="json:NoSuchClass"),
    })  # fmt: skip


def test_names(shapes):
    assert shapes.load("list") is list and shapes.load("builtins:dict") is dict
    assert set(shapes.entries()) == {"list", "heavy", "gone"} and shapes.entry("list").facts == {"sides": 0}
    shapes.register("set", Entry(target="builtins:set"))
    assert shapes.load("set") is set
    assert "set" not in Registry("shape", "vfsearch.test.shapes", {}).entries()


def test_listing_loads_nothing(shapes):
    sys.modules.pop("turtle", None)
    assert shapes.entries()["heavy"].missing == ("no_such_module",)
    assert "turtle" not in sys.modules


@pytest.mark.parametrize(
    ("name", "error", "wanted"),
    [
        ("ring", UnknownNameError, "no shape is named 'ring'; known: gone, heavy, list, or module:Class"),
        ("heavy", MissingExtraError, "the shape 'heavy' needs no_such_module; install with: pip install shapes"),
        ("gone", UnknownNameError, "the shape 'json:NoSuchClass' cannot be loaded: no NoSuchClass in json"),
        ("nowhere_at_all:Ring", UnknownNameError, "No module named 'nowhere_at_all'; is it installed?"),
        ("json:", UnknownNameError, "the shape 'json:' cannot be loaded: "),
        (":Ring", UnknownNameError, "the shape ':Ring' cannot be loaded: "),
        ("..json:loads", UnknownNameError, "the shape '..json:loads' cannot be loaded: "),
    ],
)
def test_refusals(shapes, name, error, wanted):
    with pytest.raises(error) as raised:
        shapes.load(name)
    assert wanted in str(raised.value)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("os:path", "'os:path' is no shape: wanted a subclass of collections.abc.Sized"),
        ("json:loads", "'json:loads' is no shape"),
        ("builtins:int", "'builtins:int' is no shape"),
        ("collections.abc:Sized", "the shape 'collections.abc:Sized' lacks __len__"),
    ],
)
def test_what_is_not_of_the_kind(name, wanted):
    sized = Registry("shape", "vfsearch.test.shapes", {}, base=Sized)
    assert sized.load("builtins:list") is list
    with pytest.raises(UnknownNameError) as raised:
        sized.load(name)
    assert wanted in str(raised.value) and raised.value.exit_code == 2


def test_a_module_that_lacks_another_says_which(tmp_path, monkeypatch):
    (tmp_path / "lacking_module.py").write_text("import no_such_module_either\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UnknownNameError, match="No module named 'no_such_module_either'"):
        load_target("lacking_module:Ring", "shape")


def test_other_packages_add_names(shapes, monkeypatch):
    class Point:
        name, value = "tuple", "builtins:tuple"

    asked = []
    monkeypatch.setattr(registry, "entry_points", lambda group: asked.append(group) or [Point])
    assert shapes.load("tuple") is tuple and asked[0] == "vfsearch.test.shapes"
    assert set(shapes.entries()) == {"tuple", "list", "heavy", "gone"}
