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


def test_a_collapsed_store_is_said(workspace, monkeypatch, vf):
    monkeypatch.chdir(workspace)
    same = ["--voice-encoder", "constant-voice", "--face-encoder", "constant-face", "--device", "cpu"]
    assert vf("embed", "--frozen", *same)[0] == 0
    code, _, err = vf("store", "stats")
    assert code == 4 and "collapsed: two rows have a cosine of 1.000 on average" in " ".join(err.split())
