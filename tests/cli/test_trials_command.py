"""`vfsearch trials convert|info|formats` from the outside."""

import gzip

import pytest

VERIFY = "id1/v/1.wav Amy/1.jpg\r\nid1/v/1.wav Bob/1.jpg"
TABLE = "VoxCeleb1_ID,VGGFace1_ID,Gender\nid1,Amy,f\nid2,Bob,m\n"


@pytest.fixture
def lists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "verify_test.txt.gz").write_bytes(gzip.compress(VERIFY.encode(), mtime=0))
    (tmp_path / "people.csv").write_text(TABLE)
    (tmp_path / "scores").write_text("a b 0.5 target\na c -inf nontarget\n")
    return tmp_path


def words(text):
    return " ".join(text.split())


def test_info(lists, vf):
    code, out, err = vf("trials", "info", "verify_test.txt.gz", "--identities", "people.csv")
    assert code == 0, err
    said = words(out)
    assert "kind verification format wen2021 (unmistakable) trials 2" in said
    assert "1 and 2 different ones; 3 names in all" in said and "1 positive (50.00%), by identity" in said
    assert "id1/v/1.wav Amy/1.jpg" in said and "scores none" in said


def test_info_without_identities_says_how_to_give_them(lists, vf):
    said = words(vf("trials", "info", "verify_test.txt.gz", "--format", "wen2021", "--lines", "0")[1])
    assert "wen2021 (as given)" in said and "--identities gives them" in said and "labels none" in said
    (lists / "vox1_test.csv").write_text(TABLE)
    assert "identities 2, by vox1_test.csv beside it" in words(vf("trials", "info", "verify_test.txt.gz")[1])


def test_info_as_json(lists, document):
    (found,) = document("trials", "info", "scores")["lists"]
    assert (found["kind"], found["format"], found["trials"], found["unscored"]) == ("verification", "wespeaker", 2, 1)
    assert found["positive_share"] == 0.5 and found["first"][0] == "a b 0.5 target"


def test_info_of_matching(lists, vf):
    (lists / "match.txt").write_text("a/1.wav b/1.jpg c/1.jpg\n")
    said = words(vf("trials", "info", "match.txt")[1])
    assert "kind matching, 1:2" in said and "labels the first item is the mate" in said


def test_convert(lists, vf, document):
    code, out, err = vf("trials", "convert", "verify_test.txt.gz", "--to", "voxceleb", "--out", "pairs.txt",
                        "--identities", "people.csv")  # fmt: skip
    assert code == 0, err
    assert "verify_test.txt.gz wen2021 verification 2 3 pairs.txt 48 bytes" in words(out)
    assert (lists / "pairs.txt").read_text() == "1 id1/v/1.wav Amy/1.jpg\n0 id1/v/1.wav Bob/1.jpg\n"
    found = document("trials", "convert", "scores", "verify_test.txt.gz", "--to", "vfsearch", "--out", "all")
    assert [each["out"] for each in found["files"]] == ["all/scores.tsv", "all/verify_test.tsv"]


def test_formats(vf, document):
    names = [each["name"] for each in document("trials", "formats")["formats"]]
    code, out, _ = vf("trials", "formats")
    assert code == 0 and len(names) > 15 and all(name in out for name in names)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["info", "nowhere"], 3, "cannot read nowhere"),
        (["info", "people.csv", "--format", "nothing"], 2, "no format of trials is named 'nothing'; known:"),
        (["info", "people.csv", "--format", "voxceleb"], 3, "people.csv, line 1: wanted"),
        (["info", "scores", "--identities", "scores"], 3, "scores, line 1: wanted an item and its identity"),
        (["info"], 2, "Missing argument"),
        (["convert", "scores", "--out", "x"], 2, "Missing option '--to'"),
        (["convert", "scores", "--to", "wen2021", "--out", "x"], 3, "no place for scores"),
        (["convert", "verify_test.txt.gz", "--to", "voxceleb", "--out", "x"], 3, "--identities"),
        (["convert", "scores", "--to", "vfsearch", "--out", "people.csv"], 2, "--overwrite replaces it"),
        (["convert", "scores", "--to", "vfsearch", "--out", "x", "--drop", "all"], 2, "'all' is not one of"),
        (["nothing"], 2, "No such command 'nothing'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_said_plainly(lists, vf, arguments, code, said):
    found, out, err = vf("trials", *arguments)
    assert (found, out) == (code, "")
    assert said in words(err)


def test_help_lists_the_commands_in_their_order(vf):
    code, out, _ = vf("trials", "--help")
    places = [out.index(f"\n  {name} ") for name in ("make", "convert", "info", "formats", "audit")]
    assert code == 0 and places == sorted(places)


def test_options_of_the_group_may_stand_in_the_settings_file(lists, vf):
    (lists / "vfsearch.toml").write_text('[trials.convert]\nto = "vfsearch"\n')
    assert vf("trials", "convert", "scores", "--out", "x.tsv")[0] == 0
    (lists / "vfsearch.toml").write_text('[trials.convert]\ntoo = "vfsearch"\n')
    assert "no setting too" in words(vf("trials", "convert", "scores", "--out", "x.tsv")[2])
