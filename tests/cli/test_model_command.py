"""`vfsearch model` from the outside: what is printed, as text and as JSON, and how it ends."""

import csv
import importlib.util
import json
import logging

import pytest
import safetensors.torch
import torch
from hashed import HASHED
from released import FACE, VOICE, small_network, small_networks, wen2021_file

NO_ONNX = any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript"))


@pytest.fixture
def released(tmp_path, monkeypatch):
    """The current folder has a checkpoint in the authors' layout, and nothing else."""
    monkeypatch.chdir(tmp_path)
    tensors = {**wen2021_file(small_networks()), "normalize.conv.bias": torch.zeros(3)}
    torch.save({"state_dict": {f"module.{name}": each for name, each in tensors.items()}}, "released.pth")
    return tmp_path


def words(text: str) -> str:
    return " ".join(text.split())


def test_import_says_what_it_took(released, vf):
    code, out, err = vf("model", "import", "released.pth")
    assert code == 0, err
    tensors = len(wen2021_file(small_networks()))
    assert "released.pth, entry 'state_dict': layout wen2021" in out
    assert "face: ir50 (depths 2-1, widths 4-6, pixels 16, dimension 10" in out
    assert f"tensors: {tensors} used; 0 missing; 1 left over (module.normalize.conv.bias)" in out
    assert "model: written; 4 identities; space joint:" in out
    assert "imported before, kept" in vf("model", "import", "released.pth")[1]


def test_import_as_json_names_every_tensor(released, document):
    found = document("model", "import", "released.pth", "--aligned")
    assert (found["kind"], found["layout"], found["imported_now"]) == ("model", "wen2021", True)
    assert found["tensors"]["left_over"] == ["module.normalize.conv.bias"]
    assert "module.F.cls.weight" in found["tensors"]["used"] and found["tensors"]["missing"] == []
    about = json.loads((released / "model/MANIFEST.json").read_text())["about"]
    assert about["encoders"]["face"]["settings"]["aligned"] and about["space"] == found["space"]


def test_verbose_names_every_tensor(released, vf, caplog):
    with caplog.at_level(logging.INFO, "vfsearch"):
        vf("model", "import", "released.pth", "-v")
    assert (
        "used: module.V.fc.2.weight" in caplog.messages and "left over: module.normalize.conv.bias" in caplog.messages
    )


def test_what_no_layout_knows_is_warned_of(released, vf):
    tensors = {**wen2021_file(small_networks()), "extra.weight": torch.zeros(2),
               "V.model.torchfb.spectrogram.window": torch.zeros(400)}  # fmt: skip
    torch.save(tensors, "other.pth")
    code, _, err = vf("model", "import", "other.pth")
    assert code == 0 and "left over: extra.weight" in words(err)
    assert "V.model.torchfb.spectrogram.window: computed here as the paper has it, to other values" in words(err)


def test_import_of_one_network_says_how_to_train_from_it(released, vf):
    torch.save(small_network("thin-resnet34", VOICE).state_dict(), "speaker.model")
    code, out, err = vf("model", "import", "speaker.model")
    assert code == 0, err
    wanted = "vfsearch train --end-to-end --voice-encoder thin-resnet34 --voice-setting weights=networks/thin-resnet34"
    assert wanted in out and (released / "networks/thin-resnet34/weights.safetensors").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["import", "nowhere.pth"], 3, "cannot read the checkpoint nowhere.pth"),
        (["import", "text.pth"], 3, "cannot import text.pth: neither a file of torch.save nor of safetensors"),
        (["import", "face.pth", "--aligned"], 2, "one network, ir50, without head"),
        (["import", "broken.pth"], 3, "cannot import broken.pth: 1 of the"),
        (["import", "released.pth", "--identities", "text.pth"], 3, "has 1 lines, the checkpoint 4 identities"),
        (["import"], 2, "Missing argument 'FILE'"),
        (["info"], 3, "no model at model"),
        (["info", "--count", "-1"], 2, "--count"),
        (["export", "--format", "pickle"], 2, "wanted any of safetensors, onnx"),
        (["export", "--format", "safetensors"], 3, "no model at model"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_said_plainly(released, vf, arguments, code, said):
    (released / "text.pth").write_text("some text\n")
    torch.save(small_network("ir50", FACE).state_dict(), "face.pth")
    broken = wen2021_file(small_networks())
    del broken["F.fc.0.bias"]
    torch.save(broken, "broken.pth")
    found, out, err = vf("model", *arguments)
    assert (found, out) == (code, "")
    assert said in words(err)
    assert not (released / "model").exists() and not (released / "networks").exists()


def test_another_file_is_refused(released, vf):
    assert vf("model", "import", "released.pth")[0] == 0
    torch.save(wen2021_file(small_networks(seed=2)), "other.pth")
    code, _, err = vf("model", "import", "other.pth")
    assert code == 6 and "imported from released.pth, with other content or choices; give --overwrite" in words(err)
    assert vf("model", "import", "other.pth", "--overwrite")[0] == 0


def test_info_of_an_import(released, vf, document):
    vf("model", "import", "released.pth")
    code, out, _ = vf("model", "info")
    assert code == 0
    for said in ("import of released.pth (layout wen2021", "thin-resnet34; widths 8-16", "4, of these 2 left out"):
        assert said in words(out)
    assert document("model", "info")["imported"]["layout"] == "wen2021"


def test_info_lists_the_hardest_identities_and_those_left_out(released, vf, document):
    (released / "names.txt").write_text("ann\nbob\ncleo\ndan\n")
    vf("model", "import", "released.pth", "--identities", "names.txt")
    code, out, _ = vf("model", "info", "--identities", "--count", "3")
    assert code == 0 and "left out (weight 0), hardest first: bob, dan" in out
    found = document("model", "info", "--identities", "--count", "3")
    assert [each["identity"] for each in found["hardest"]] == ["bob", "dan", "ann"]
    assert found["left_out_identities"] == ["bob", "dan"]


def test_info_of_a_trained_model(measured, vf, document):
    code, out, _ = vf("model", "info", "--identities")
    assert code == 0
    for said in ("training of heads on frozen features", "id-hash-voice; features id-hash-voice:", "final losses"):
        assert said in words(out)
    found = document("model", "info", "--identities")
    with (measured / "model/identities.csv").open(newline="") as file:
        table = {row["identity"]: float(row["weight"]) for row in csv.DictReader(file)}
    assert found["identities"] == len(table) and len(found["hardest"]) == min(10, len(table))
    assert sorted(found["left_out_identities"]) == sorted(name for name, weight in table.items() if weight == 0)


@pytest.mark.skipif(NO_ONNX, reason="the extra onnx is not installed")
def test_export(measured, vf, document):
    found = document("model", "export")
    assert [each["path"] for each in found["files"]] == [
        "export/voice.safetensors", "export/voice.onnx", "export/face.safetensors", "export/face.onnx",
    ]  # fmt: skip
    assert found["files"][1]["metadata"]["space_fingerprint"] == found["space"]["fingerprint"]
    code, _, err = vf("model", "export", "--format", "safetensors")
    assert code == 6 and "there already; give --overwrite" in words(err)


def test_export_in_one_format(measured, vf):
    code, out, err = vf("model", "export", "--format", "safetensors", "--out", "elsewhere")
    assert code == 0, err
    assert "elsewhere/voice.safetensors features exact" in words(out)
    assert "head.0.weight" in safetensors.torch.load_file("elsewhere/voice.safetensors")


def test_a_retrained_model_replaces_an_import_when_asked(released, vf):
    (released / "manifest.csv").write_text("path,modality,identity\n" + "".join(
        f"{modality}/{person},{modality},{person}\n" for modality in ("voice", "face") for person in "abcdef"
    ))  # fmt: skip
    vf("model", "import", "released.pth")
    code, _, err = vf("train", *HASHED, "--steps", "2")
    assert code == 6 and "--overwrite" in err
    assert vf("train", *HASHED, "--steps", "2", "--overwrite")[0] == 0
    assert "training of heads" in vf("model", "info")[1]
