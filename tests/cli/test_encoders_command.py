from pathlib import Path


def test_lists_what_is_known(document, vf, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = {each["name"]: each for each in document("encoders")["encoders"]}
    assert listed["resemblyzer"]["dimension"] == 256 and listed["dlib-resnet"]["licence"] == "CC0-1.0"
    assert all(isinstance(each["installed"], bool) for each in listed.values())
    out = vf("encoders")[1]
    assert "resemblyzer" in out and "dlib-resnet" in out and "256" in out


def test_what_is_missing_comes_with_its_pip_line(vf, monkeypatch):
    monkeypatch.setattr("vfsearch.registry.importlib.util.find_spec", lambda name: None)
    code, out, _ = vf("encoders")
    assert code == 0 and "pip install" in out


def test_own_encoder_of_the_examples(tmp_path, monkeypatch, vf, document):
    """The example, as its docstring says: train with it, then search for one clip."""
    monkeypatch.chdir(tmp_path)
    own = ["--voice-encoder", "own_encoder:SpectrumEncoder", "--face-encoder", "id-hash-face"]
    document("corpus", "generate", "--people", "6", "--clips", "2", "--photos", "2", "--clip-seconds", "1")
    assert document("train", *own, "--steps", "5", "--workers", "1")["identities"] == 3
    assert document("embed", "--workers", "1")["rows"] == {"voice": 12, "face": 12}
    document("index", "build")
    clip = next(Path("voice").rglob("*.wav"))
    found = document("query", "--file", clip, "--k", "3", "--workers", "1")
    assert [match["rank"] for match in found["matches"]] == [1, 2, 3]
    scores = [match["score"] for match in found["matches"]]
    assert scores == sorted(scores, reverse=True) and found["gallery"] == "face"
    same = document("query", "--file", clip, "--gallery", "voice", "--k", "1", "--workers", "1")
    assert Path(same["matches"][0]["path"]) == clip and abs(same["matches"][0]["score"] - 1) < 1e-5
    document("index", "build", "--modality", "face", "--partitions", "2")
    (sorted(Path("index/face-sharded").glob("*-part-*"))[1] / "MANIFEST.json").unlink()
    left = ["query", "--file", clip, "--index", "index/face-sharded", "--workers", "1", "--partial"]
    code, _, err = vf(*left)
    assert code == 4 and "6 rows, 50.0 % of its rows are missing from all that is said here" in " ".join(err.split())
