import json
from types import SimpleNamespace

import pytest
from builders import run_cli
from partial_index import BACKEND
from vfsearch_cli.tuning import tuning_lines

from vfsearch.index.layout import read_index_artefact
from vfsearch.index.share import Share
from vfsearch.index.sweep import Measured, Speed
from vfsearch.index.targets import parse_target
from vfsearch.index.tuning import Goal
from vfsearch.pipeline.index import IndexRequest, build_indices

NAME = "face-partial"


@pytest.fixture
def place(built):
    build_indices(built, ["face"], [IndexRequest(preset=BACKEND, name=NAME)])
    return built


def tune(place, *arguments: str) -> int:
    return run_cli(["index", "tune", "--workspace", place.folder, "--device", "cpu", *arguments])


def test_one_index(place, capsys):
    assert tune(place, NAME, "--target", "R@3>=0.5") == 0
    shown = capsys.readouterr()
    looked = read_index_artefact(place.index_folder(NAME)).about["search"]["looked"]
    assert f"{NAME}: looked={looked}: R@3 0." in shown.out.replace("\n", "")
    for part in ("loss 0.", "tuning with gallery rows as probes would have chosen looked=", "in force from now on"):
        assert part in shown.out
    assert "only 15 probes to check with" in shown.err


def test_one_document(place, capsys):
    dry = [NAME, "--target", "R@3>=0.5", "--for", "single", "--dry-run"]
    assert tune(place, *dry) == 0 and "not saved: --dry-run" in capsys.readouterr().out
    assert tune(place, *dry, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["for"] == "single" and not told["saved"] and told["targets"] == ["R@3>=0.5"]
    assert read_index_artefact(place.index_folder(NAME)).about["search"] == {}


@pytest.mark.parametrize("steps, said", [(0, ""), (1, "raised once: "), (2, "raised 2 times: ")])
def test_counts_are_told_as_one_says_them(steps, said):
    share = Share(value=1.0, error=0.0)
    tuned = SimpleNamespace(
        chosen=Measured(settings={"ef": 4}, shares={"R@10": share}, speed=Speed()), exact=None, steps_up=steps,
        goal=Goal(targets=(parse_target("R@10>=0.9"),)),
    )  # fmt: skip
    found = SimpleNamespace(tuned=tuned, folder="face", counts=(1, 1), loss=None, misled=None, saved=False)
    lines = tuning_lines(found)
    assert "on 1 other probe (95 %" in lines[0] and any(said in line for line in lines[1:])
    assert any("raised" in line for line in lines) == bool(steps)


@pytest.mark.parametrize("text", ["0.000001", "0.000001ms", "1e-9s"])
def test_times_have_units_as_in_planning(place, capsys, text):
    assert tune(place, NAME, "--target", "R@3>=0.5", "--max-latency", text) == 5
    assert "within 1e-06 ms a probe" in capsys.readouterr().err.replace("\n", " ")


def test_several_kinds(place, capsys):
    several = ["--modality", "face", "--preset", f"exact,{BACKEND}", "--target", "R@3>=0.9", "--max-latency", "1s"]
    assert tune(place, *several, "--dry-run") == 0
    assert "not saved: --dry-run" in capsys.readouterr().out
    assert tune(place, *several) == 0
    shown = capsys.readouterr().out
    (own,) = (name for name in (each.name for each in place.indices_folder.iterdir()) if name.endswith("PartialIndex"))
    looked = read_index_artefact(place.indices_folder / own).about["search"]["looked"]
    assert f"{own} (looked={looked})" in shown.split("in force from now on: ")[1]
    assert "times exact" in shown and "vfsearch query --probe voice --gallery face --index " in shown
    assert "no index is faster than the exact engine" in shown or "times as fast as the exact engine" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "wanted one index to tune"),
        ((NAME, "--modality", "face"), 2, "wanted one index to tune"),
        (("--modality", "face"), 2, "wanted one index to tune"),
        ((NAME, "--target", "fast"), 2, "the target is 'fast'; wanted R@K>=X"),
        (("nothing",), 3, "no index is named 'nothing'"),
        ((NAME, "--target", "R@3>=0.5", "--max-latency", "0.000001"), 5, "within 1e-06 ms a probe"),
    ],
)
def test_what_goes_wrong_is_said(place, capsys, arguments, code, message):
    assert tune(place, *arguments) == code
    assert message in capsys.readouterr().err.replace("\n", " ")
