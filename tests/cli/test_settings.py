"""Where an option comes from: flag, environment, settings file, default, in this order."""

import json
from pathlib import Path

import pytest
from hashed import HASHED


def steps(vf, *arguments):
    code, out, err = vf("train", *HASHED, "--stages", "retrain", "--overwrite", "--json", *arguments)
    assert code == 0, err
    manifest = Path(json.loads(out)["model"]) / "MANIFEST.json"
    return json.loads(manifest.read_text())["about"]["settings"]["steps"]


def test_the_order(workspace, vf, monkeypatch):
    (workspace / "vfsearch.toml").write_text("seed = 3\n[train]\nsteps = 7\nbatch-size = 8\n[query]\nn = [2, 4]\n")
    assert steps(vf) == 7
    monkeypatch.setenv("VFSEARCH_STEPS", "6")
    assert steps(vf) == 6
    monkeypatch.setenv("VFSEARCH_TRAIN_STEPS", "5")
    assert steps(vf) == 5
    assert steps(vf, "--steps", "4") == 4


def test_a_list_in_the_file_and_in_the_environment(measured, document, monkeypatch):
    (measured / "vfsearch.toml").write_text('[query]\nn = [2, 4]\nprotocol = ["matching"]\n')
    assert [each["candidates"] for each in document("query")["measurements"]] == [2, 4, 10]
    monkeypatch.setenv("VFSEARCH_PROTOCOL", "retrieval,verification")
    protocols = [each["protocol"] for each in document("query")["measurements"]]
    assert protocols == ["verification", "retrieval", "search"]


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[train]\nstep = 7\n", 2, "[train] has no setting step"),
        ("sede = 3\n[qeury]\n", 2, "no command has the setting sede, [qeury]"),
        ("train = 7\n", 2, "train must be a table"),
        ("steps = \n", 3, "cannot read the settings"),
        ('[train]\nsteps = "many"\n', 2, "many"),
    ],
)
def test_bad_settings_files(workspace, vf, text, code, said):
    (workspace / "vfsearch.toml").write_text(text)
    found, _, err = vf("train", *HASHED)
    assert found == code and said in " ".join(err.split())


def test_the_workspace_from_the_environment(workspace, vf, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.setenv("VFSEARCH_WORKSPACE", str(workspace))
    assert steps(vf, "--steps", "3") == 3
    assert (workspace / "model").exists()
