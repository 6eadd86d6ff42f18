"""The four commands in a row, as a user gives them."""

import json
import shutil

import h5py
import pytest
from hashed import HASHED, write_manifest


def test_the_path_from_manifest_to_table(workspace, vf):
    code, out, _ = vf("train", *HASHED, "--steps", "20")
    assert code == 0 and "12 identities, 24 clips, 24 photos (split train)" in out
    code, out, _ = vf("embed")
    assert code == 0 and "96 rows written now" in out
    code, out, _ = vf("index", "build")
    assert code == 0 and out.count("built") == 2
    code, out, err = vf("query", "--probe", "voice", "--gallery", "face")
    assert code == 0 and "warning" not in err
    for word in ("1:2", "1:5", "1:10", "accuracy", "AUC", "EER", "mAP", "R@1", "R@10", "chance", "trials/s", "probes/s",
                 "median ms", "p95 ms", "peak memory", "device cpu", "split test"):  # fmt: skip
        assert word in out, word


def test_a_second_call_does_nothing_again(measured, vf):
    assert "trained before, kept" in vf("train", *HASHED, "--steps", "20")[1]
    assert "nothing was written" in vf("embed")[1]
    assert vf("index", "build")[1].count("kept") == 2
    first = vf("query", "--json")[1]
    code, second, err = vf("query", "--json")
    assert code == 0 and "measured before" in err
    assert {**json.loads(first), "measured_now": False} == json.loads(second)


@pytest.mark.parametrize(
    ("probe", "gallery"), [("voice", "face"), ("face", "voice"), ("voice", "voice"), ("face", "face")]
)
def test_every_direction(measured, document, probe, gallery):
    found = document("query", "--probe", probe, "--gallery", gallery, "--n", "2,3")
    names = [(each["protocol"], each["candidates"]) for each in found["measurements"]]
    assert names == [("matching", 2), ("matching", 3), ("verification", None), ("retrieval", 24), ("search", 10)]
    assert {each["direction"] for each in found["measurements"]} == {f"{probe} to {gallery}"}
    assert found["counts"]["probes"] == found["counts"]["gallery"] == 24


def test_outcome_and_raw_neighbours_are_saved(measured, document):
    found = document("query", "--name", "mine", "--k", "5")
    saved = json.loads((measured / "runs/mine/outcome.json").read_text())
    assert saved["measurements"] == found["measurements"]
    with h5py.File(measured / "runs/mine/neighbors.h5") as file:
        assert file["search/rows"].shape == file["search/scores"].shape == (24, 5)
        assert {"matching-2", "matching-5", "matching-10", "verification", "retrieval"} < set(file)
        assert file["probes/ids"][0] == b"voice/p0/2"


def test_json_lines_manifest_gives_the_same_features(measured, tmp_path_factory, document):
    other = tmp_path_factory.mktemp("lines")
    rows = [line.split(",") for line in (measured / "manifest.csv").read_text().splitlines()]
    lines = [json.dumps(dict(zip(rows[0], row, strict=True))) for row in rows[1:]]
    (other / "manifest.jsonl").write_text("\n".join(lines))
    document("train", "--workspace", other, *HASHED, "--steps", "20")
    ours, theirs = ((folder / "model/weights.safetensors").read_bytes() for folder in (measured, other))
    assert ours == theirs


def test_places_can_be_given_apart(workspace, document, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    document("train", *HASHED, "--steps", "5", "--out", out / "m", "--features", out / "f")
    document("embed", "--model", out / "m", "--features", out / "f", "--out", out / "s", "--dtype", "float16")
    document("index", "build", "--store", out / "s", "--out", out / "i")
    found = document("query", "--store", out / "s", "--index", out / "i", "--out", out / "r", "--name", "x")
    assert found["run"] == str(out / "r/x")
    assert sorted(path.name for path in workspace.iterdir()) == ["manifest.csv"]


def test_store_info_and_verify(measured, vf, document):
    info = document("store", "info")
    assert info["complete"] and sum(part["rows"] for part in info["contents"]) == 96
    assert "embeddings" in vf("store", "info")[1]
    code, out, _ = vf("store", "verify")
    assert code == 0 and "0 damaged" in out
    shard = next((measured / "embeddings").glob("voice-*.h5"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    (measured / "embeddings/stray.h5").write_bytes(b"x")
    code, out, _ = vf("store", "verify")
    assert code == 3 and shard.name in out and "stray.h5" in out


def test_a_list_of_one_modality_can_be_embedded_alone(workspace, vf, document):
    lines = (workspace / "manifest.csv").read_text().splitlines()
    (workspace / "manifest.csv").write_text("\n".join(line for line in lines if not line.startswith("voice/")))
    assert document("embed", "--frozen", *HASHED)["rows"] == {"face": 48}
    assert [each["modality"] for each in document("index", "build")["indices"]] == ["face"]
    assert document("query", "--probe", "face", "--gallery", "face")["counts"]["gallery"] == 24
    code, _, err = vf("query", "--probe", "voice", "--gallery", "face")
    assert code == 3 and "has no voice rows" in err


def test_without_splits_everything_is_used_and_said(tmp_path, monkeypatch, vf):
    monkeypatch.chdir(tmp_path)
    write_manifest(tmp_path)
    text = (tmp_path / "manifest.csv").read_text()
    (tmp_path / "manifest.csv").write_text("\n".join(line.rsplit(",", 1)[0] for line in text.splitlines()))
    assert "(split all)" in vf("train", *HASHED, "--steps", "5")[1]
    vf("embed"), vf("index", "build")
    code, out, err = vf("query")
    assert code == 0 and "48 voice probes" in out and "48 of the probes are items that the model was trained on" in err


def test_retraining_needs_embedding_anew(measured, vf):
    code, _, err = vf("train", *HASHED, "--steps", "21")
    assert code == 6 and "settings.steps: 20 there, 21 now" in err and "--overwrite" in err
    assert vf("train", *HASHED, "--steps", "21", "--overwrite")[0] == 0
    code, _, err = vf("embed")
    assert code == 6 and "--overwrite" in err
    assert vf("embed", "--overwrite")[0] == 0
    code, _, err = vf("query")
    assert code == 6 and "vfsearch index build" in err
    assert vf("index", "build")[0] == 0
    assert vf("query")[0] == 0


def test_a_lost_index_is_built_again(measured, vf):
    shutil.rmtree(measured / "index/face")
    code, _, err = vf("query")
    assert code == 3 and "vfsearch index build" in err
    assert "built" in vf("index", "build")[1]
    assert vf("query")[0] == 0


def test_a_narrow_terminal_gets_two_tables(measured, vf, monkeypatch):
    wide = vf("query")[1]
    monkeypatch.setattr("vfsearch_cli.terminal.WIDTH_OF_A_PIPE", 80)
    narrow = vf("query")[1]
    assert wide.count(" protocol ") == 1 and narrow.count(" protocol ") == 2
    for word in ("accuracy", "EER", "R@10", "probes/s", "p95 ms", "p99 ms"):
        assert word in narrow


def test_a_person_who_is_removed_leaves_no_bytes(measured, vf):
    def mentions():
        return [path for path in measured.rglob("*") if path.is_file() and b"voice/p3/" in path.read_bytes()]

    assert vf("query")[0] == 0
    assert len(mentions()) > 4
    manifest = measured / "manifest.csv"
    manifest.write_text("\n".join(line for line in manifest.read_text().splitlines() if ",p3," not in line))
    for command in (["embed"], ["index", "build"], ["query", "--n", "2"]):
        assert vf(*command)[0] == 0
    assert {path.relative_to(measured).parts[0] for path in mentions()} <= {"runs"}


def test_figures_of_the_model_before_are_pointed_out(measured, vf):
    assert "been trained since" not in vf("query")[2]
    assert vf("train", *HASHED, "--steps", "21", "--overwrite")[0] == 0
    code, _, err = vf("query")
    assert code == 0 and "the model has been trained since the store was made" in " ".join(err.split())


def test_what_the_training_saw_is_said(measured, vf):
    assert "24 probes are of identities seen in training" in vf("query")[1]
    code, _, err = vf("query", "--split", "train")
    assert code == 0 and "24 of the probes are items that the model was trained on" in err


def test_failed_items_are_tried_again_when_asked(workspace, vf):
    spectrum = ["--voice-encoder", "own_encoder:SpectrumEncoder", "--face-encoder", "id-hash-face", "--workers", "1"]
    code, _, err = vf("embed", "--frozen", *spectrum)
    assert code == 4 and "'voice/p0/2': no such file; " in err and "and 45 more" in err
    before = (workspace / "features/MANIFEST.json").stat().st_mtime_ns
    assert vf("embed", "--frozen", *spectrum)[0] == 4
    assert (workspace / "features/MANIFEST.json").stat().st_mtime_ns == before
    assert vf("embed", "--frozen", *spectrum, "--retry-failed")[0] == 4
    assert (workspace / "features/MANIFEST.json").stat().st_mtime_ns > before


def test_a_file_is_looked_up_in_one_split(tmp_path, monkeypatch, document, vf):
    monkeypatch.chdir(tmp_path)
    own = ["--voice-encoder", "own_encoder:SpectrumEncoder", "--face-encoder", "id-hash-face", "--workers", "1"]
    document("corpus", "generate", "--people", "4", "--clips", "2", "--photos", "2", "--clip-seconds", "1")
    document("embed", "--frozen", *own)
    document("index", "build")
    clip = next(tmp_path.joinpath("voice").rglob("*.wav"))
    ask = ["query", "--frozen", *own, "--file", clip, "--gallery", "voice", "--k", "99"]
    assert len(document(*ask)["matches"]) == 8
    assert len(document(*ask, "--split", "test")["matches"]) == 4
    code, _, err = vf(*ask, "--split", "dev")
    assert code == 3 and "its splits are 'test', 'train'" in err
