"""Templates, as a user asks for them."""

import pytest


@pytest.fixture
def apart(measured, vf):
    """A workspace in which no person is of two splits: hashed people are of both, so all are put in one."""
    path = measured / "manifest.csv"
    path.write_text(path.read_text().replace(",train", ",test"))
    for command in (["embed", "--overwrite"], ["index", "build"]):
        code, _, err = vf(*command)
        assert code == 0, err
    return measured


def test_an_index_of_templates(apart, vf, document):
    (made,) = document("index", "build", "--modality", "face", "--pool", "identity")["indices"]
    assert (made["folder"], made["rows"]) == ("index/face-pooled", 12)
    code, out, _ = vf("index", "info", "face-pooled")
    assert code == 0 and "pooled  by identity" in out
    code, out, err = vf("index", "add")
    assert code == 0 and "index/face-pooled holds templates (identity), which new items of a person change" in err
    code, _, err = vf("index", "add", "face-pooled")
    assert code == 2 and "build it anew with `vfsearch index build --modality face --pool identity" in err


def test_what_cannot_be_pooled(apart, vf):
    for arguments, message in (
        (["--pool", "gender"], "items are pooled by 'gender': wanted identity, or identity and further columns"),
        (["--pool", "identity+session"], "no column 'session' to pool by: wanted identity or one of gender"),
        (["--pool", "identity", "--pool-weight", "quality"], "no column 'quality'"),
        (["--pool-weight", "quality"], "--pool-weight goes with --pool only, for example --pool identity"),
        (["--pool-items", "2"], "--pool-items goes with --pool only"),
    ):
        code, _, err = vf("index", "build", *arguments)
        assert code == 2 and message in err, arguments
    code, _, err = vf("index", "build", "--pool", "identity", "--pool-weight", "gender")
    assert code == 3 and "have no weight" in err


def test_people_of_two_splits(measured, vf):
    code, _, err = vf("index", "build", "--pool", "identity")
    assert code == 2 and "of 'p0' are of the splits 'test' and 'train'" in err
    assert "pool by identity+split" in err
    code, out, _ = vf("index", "build", "--pool", "identity+split")
    assert code == 0 and "index/face-pooled-split" in out


def test_templates_on_both_sides(apart, vf, document):
    code, out, err = vf("query", "--pool-probes", "identity", "--pool-gallery", "identity", "--n", "2,5")
    assert code == 0, err
    assert "12 voice probes pooled from 48 (12 identities), 12 face gallery items pooled from 48" in out
    assert vf("index", "build", "--modality", "face", "--pool", "identity")[0] == 0
    found = document("query", "--pool-probes", "identity", "--index", "index/face-pooled", "--n", "2,5")
    assert found["settings"]["pool_probes"]["by"] == ["identity"] and found["made_from"]["pooling"]["items"] is None


def test_what_cannot_be_asked(apart, vf):
    for arguments, message in (
        (["--pool"], "--pool goes with --file; items of the store are pooled by --pool-probes"),
        (["--pool-items", "2"], "--pool-items goes with --pool-probes only"),
        (["--file", "a.wav", "--pool-gallery", "identity"], "--file is not of the store"),
        (["--file", "a.wav", "--pool", "--pool-weight", "quality"], "--file is not of the store"),
        (["--file", "a.wav", "--file", "b.wav"], "2 files: give --pool if they are of one person"),
        (["--file", "a.wav", "--file", "b.png", "--pool"], "clips and photos are pooled apart"),
        (["--pool-probes", "identity", "--trials", "list.txt"], "--pool-probes goes without --trials only"),
    ):
        code, _, err = vf("query", *arguments)
        assert code == 2 and message in err, (arguments, err)


def test_a_curve(apart, vf, document):
    code, out, err = vf("curve", "--items", "1,2", "--n", "2", "--draws", "2", "--out", "curve")
    assert code == 0, err
    assert "12 people, one template each, against 48 gallery items of 12 people" in out
    assert "1:2 accuracy" in out and "saved: curve/pooling-curve.csv" in out and "all" in out
    found = document("curve", "--items", "1,2", "--n", "2", "--draws", "2", "--measures", "mAP")
    assert [point["limit"] for point in found["lines"][0]["points"]] == [1, 2, None]
    assert found["lines"][0]["points"][1]["gains"]["mAP"]["p"] <= 1
    assert (apart / found["files"][2]).read_bytes().startswith(b"\x89PNG")


def test_curves_that_cannot_be(apart, vf):
    for arguments, message, expected in (
        (["--seconds", "2,x"], "--seconds has 'x', wanted numbers with commas between", 2),
        (["--items", "1,40"], "0 of 12 people have 40 items of voice", 2),
        (["--seconds", "2"], "cannot be read", 3),
        (["--seconds", "2", "--seconds-column", "gender"], "48 of 48 clips have no length", 3),
    ):
        code, _, err = vf("curve", "--n", "2", *arguments)
        assert code == expected and message in err, (arguments, err)
