import csv


def test_people_to_validate_on_are_said_and_used(tmp_path, monkeypatch, document, vf):
    monkeypatch.chdir(tmp_path)
    asked = ["corpus", "generate", "--people", "8", "--clips", "1", "--photos", "1", "--clip-seconds", "0.5"]
    found = document(*asked, "--val-share", "0.25")
    assert (found["train_items"], found["val_items"], found["test_items"]) == (8, 4, 4)
    with (tmp_path / "manifest.csv").open(newline="") as file:
        assert [row["split"] for row in csv.DictReader(file)] == ["train"] * 8 + ["val"] * 4 + ["test"] * 4
    assert "8 items to train on, 4 to validate on, 4 to test on (0 files" in vf(*asked, "--val-share", "0.25")[1]
    own = ["--voice-encoder", "own_encoder:SpectrumEncoder", "--face-encoder", "id-hash-face", "--workers", "1"]
    assert document("train", *own, "--steps", "3")["validation"] == "val"


def test_without_people_to_validate_on_there_are_two_splits(tmp_path, monkeypatch, vf):
    monkeypatch.chdir(tmp_path)
    code, out, _ = vf("corpus", "generate", "--people", "2", "--clips", "1", "--photos", "1", "--clip-seconds", "0.5")
    assert code == 0 and "2 items to train on, 2 to test on (4 files written, 0 kept)" in out
    assert "val_share" not in (tmp_path / "corpus.json").read_text()


def test_shares_beyond_one_are_refused(tmp_path, monkeypatch, vf):
    monkeypatch.chdir(tmp_path)
    code, _, err = vf("corpus", "generate", "--train-share", "0.7", "--val-share", "0.4")
    assert code == 2 and "train_share is 0.7 and val_share is 0.4; wanted at most 1 together" in err
    assert not (tmp_path / "manifest.csv").exists()


def test_import_check_and_embed(tmp_path, vf):
    code, _, _ = vf("corpus", "generate", "--people", "3", "--clips", "2", "--photos", "2", "--clip-seconds", "0.5",
                    "--workspace", str(tmp_path / "made"))  # fmt: skip
    place = ["--workspace", str(tmp_path / "mine")]
    assert code == 0
    arguments = ["corpus", "import", "folders", "--from", str(tmp_path / "made"), "--test-share", "0.34", *place]
    code, out, _ = vf(*arguments, "--dry-run")
    assert code == 0 and "nothing was written" in out and not (tmp_path / "mine").exists()
    code, out, _ = vf(*arguments)
    assert code == 0 and "3 people; by split: test: 1, train: 2" in out and ".json 1, .csv 1" in out
    code, out, _ = vf("corpus", "check", "--workers", "1", *place)
    assert code == 0 and "3.0 s of sound" in out and "25,600 to 25,600 pixels" in out
    clip = next((tmp_path / "made" / "voice").rglob("*.wav"))
    clip.write_bytes(clip.read_bytes()[:5000])
    code, out, _ = vf("corpus", "check", "--workers", "1", "--deep", "--report", str(tmp_path / "bad.csv"), *place)
    assert code == 4 and "truncated: 5,000 bytes of" in out and str(clip) in (tmp_path / "bad.csv").read_text()
    assert vf(*arguments)[0] == 3
