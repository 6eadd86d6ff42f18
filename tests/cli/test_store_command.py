import pytest


def test_export_import_merge_and_stats(built, monkeypatch, vf, document):
    monkeypatch.chdir(built.folder)
    assert vf("store", "export", "--format", "npy", "--modality", "voice")[0] == 0
    assert vf("store", "export", "--format", "npy", "--modality", "face")[0] == 0
    assert vf("store", "export", "--format", "npy", "--modality", "face")[0] == 3
    given = ["--voice", "export/voice.npy", "--face", "export/face.npy", "--space", "mine"]
    code, out, _ = vf("store", "import", *given, "--out", "imported")
    assert code == 0 and "voice" in out and "60" in out
    code, _, err = vf("store", "merge", "imported", "embeddings", "--out", "both")
    assert code == 6 and "in the space mine" in err
    found = document("store", "merge", "imported", "imported", "--out", "both", "--on-duplicate", "same")
    assert found["rows"] == {"voice": 60, "face": 60} and found["dropped"] == 120
    assert vf("index", "build", "--store", "both", "--out", "other-index")[0] == 0
    code, out, _ = vf("store", "export", "--format", "ann-benchmarks", "--modality", "face", "--k", "5")
    assert code == 0 and "voice-face.hdf5" in out
    code, out, err = vf("store", "stats")
    assert code in (0, 4) and "directions that count" in out and "voices and faces: mated pairs" in out
    assert vf("store", "import", "--space", "x")[0] == 2


def test_stores_that_only_a_url_reaches(built, monkeypatch, vf, document):
    """Every command that takes a URL; `memory:` is no path, as little as an object store."""
    monkeypatch.chdir(built.folder)
    bucket = pytest.importorskip("upath").UPath("memory://shelf")
    here = document("store", "info")
    same = ["--on-duplicate", "same"]
    assert vf("store", "export", "--format", "npy", "--modality", "face")[0] == 0
    given = ["--face", "export/face.npy", "--space", "mine"]
    assert vf("store", "import", *given, "--out", f"{bucket}/imported")[0] == 0
    made = document("store", "merge", "embeddings", "embeddings", "--out", f"{bucket}/both", *same)
    assert made["folder"] == f"{bucket}/both"
    made = document("store", "merge", f"{bucket}/both", "embeddings", "--out", f"{bucket}/more", *same)
    assert made["dropped"] == 120
    store = ["--store", f"{bucket}/both"]
    assert document("store", "info", *store)["contents"] == here["contents"]
    assert document("store", "verify", *store)["problems"] == []
    assert vf("store", "stats", *store)[0] in (0, 4)
    assert vf("store", "export", *store, "--out", "of-url", "--format", "fvecs", "--modality", "face")[0] == 0
    assert vf("index", "build", *store, "--out", "built")[0] == 0
    asked = ["query", "--probe", "voice", "--gallery", "face", "--split", "all", "--protocol", "retrieval"]
    assert vf(*asked, *store, "--index", "built/face", "--out", "there")[0] == 0
    code, _, err = vf("store", "info", "--store", f"{bucket}/none")
    assert code == 3 and f"no store at {bucket}/none" in err
    bucket.fs.rm(bucket.path, recursive=True)


def test_a_collapsed_store_is_said(workspace, monkeypatch, vf):
    monkeypatch.chdir(workspace)
    same = ["--voice-encoder", "constant-voice", "--face-encoder", "constant-face", "--device", "cpu"]
    assert vf("embed", "--frozen", *same)[0] == 0
    code, _, err = vf("store", "stats")
    assert code == 4 and "collapsed: two rows have a cosine of 1.000 on average" in " ".join(err.split())
