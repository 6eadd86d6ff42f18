import json

import pytest
from builders import run_cli
from partial_index import BACKEND

from vfsearch.index.layout import read_index_artefact
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
    assert tune(place, NAME, "--target", "R@3>=0.5", "--for", "single", "--dry-run", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["for"] == "single" and not told["saved"] and told["targets"] == ["R@3>=0.5"]
    assert read_index_artefact(place.index_folder(NAME)).about["search"] == {}


def test_several_kinds(place, capsys):
    assert tune(place, "--modality", "face", "--presets", f"exact,{BACKEND}", "--target", "R@3>=0.9") == 0
    shown = capsys.readouterr().out
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
