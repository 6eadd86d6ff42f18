"""`vfsearch trials audit` from the outside."""

import pytest
from audited_lists import face, pairs, voice

LAYOUT = ("--format", "voxceleb")
TABLE = "VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set\n" + "".join(
    f"id{10000 + person},Person_{person},{'fm'[person % 2]},Chile,test\n" for person in range(24)
)


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """The current folder has a list with three defects, a good one and a table, and nothing else."""
    monkeypatch.chdir(tmp_path)
    good = pairs(400)
    bad = [good[7], (voice(0, 3), face(3, 3), 0), (voice(0, 3), face(2, 3), 1)]
    for name, rows in (("good.txt", good), ("bad.txt", [*good, *bad])):
        (tmp_path / name).write_text("".join(f"{label} {probe} {item}\n" for probe, item, label in rows))
    (tmp_path / "vox1_test.csv").write_text(TABLE)
    return tmp_path


def words(text: str) -> str:
    return " ".join(text.split())


def test_findings_are_shown_with_counts_and_examples(listed, vf):
    code, out, err = vf("trials", "audit", "bad.txt", "--identities", "vox1_test.csv", "--group", "G", *LAYOUT)
    assert code == 0, err
    shown = words(out)
    assert "bad.txt: verification (voxceleb), 403 trials;" in shown
    assert f"error false-mated 1 403 trials 0.25 403: {voice(0, 3)} {face(2, 3)}" in shown
    assert "warning duplicates 1 403 trials 0.25 401: " in shown
    assert "warning group-rule 1 201 trials 0.50 gender" in shown
    assert "false-mated: The list calls two different people one." in shown
    assert "not checked: missing-items: no manifest was named: --manifest FILE" in shown


def test_strict_ends_with_4_where_there_is_something_serious(listed, vf):
    options = ("--identities", "vox1_test.csv", "--strict", *LAYOUT)
    assert vf("trials", "audit", "good.txt", *options)[0] == 0
    assert vf("trials", "audit", "bad.txt", *options)[0] == 4
    assert vf("trials", "audit", "good.txt", "bad.txt", *options)[0] == 4
    assert vf("trials", "audit", "bad.txt", *LAYOUT)[0] == 0


def test_json_has_definitions(listed, document):
    found = document("trials", "audit", "bad.txt", "good.txt", "--examples", "1", *LAYOUT)
    assert [each["list"] for each in found["lists"]] == ["bad.txt", "good.txt"]
    (duplicates,) = [each for each in found["lists"][0]["findings"] if each["name"] == "duplicates"]
    assert (duplicates["count"], duplicates["of"], duplicates["severity"]) == (1, 403, "warning")
    assert duplicates["examples"] == [{"line": 401, "trial": list(pairs(400)[7][:2])}]
    assert duplicates["definition"].startswith("Trials beyond the first of each set of equal ones")
    assert found["lists"][0]["facts"]["trials"] == 403


def test_a_list_without_offenders(listed, vf):
    options = ("--identities", "vox1_test.csv", "--write-clean", "clean.txt", *LAYOUT)
    code, out, err = vf("trials", "audit", "bad.txt", *options)
    assert code == 0, err
    assert "without offenders: clean.txt" in out
    lines = (listed / "bad.txt").read_text().splitlines()
    assert (listed / "clean.txt").read_text().splitlines() == [*lines[:400], lines[401]]
    code, _, err = vf("trials", "audit", "bad.txt", *options)
    assert code == 2 and "give --overwrite" in err
    code, _, err = vf("trials", "audit", "bad.txt", "--without", "duplicates")
    assert code == 2 and "name its file with --write-clean" in words(err)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.txt"], 3, "cannot read none.txt"),
        (["bad.txt", "--group", "GG"], 2, "no constraint group is 'GG'"),
        (["bad.txt", "--write-clean", "c.txt", "--without", "x"], 2, "no finding named x"),
        (["bad.txt", "--format", "nonsense"], 2, "nonsense"),
        (["bad.txt", "--model", "none"], 3, "none"),
        ([], 2, "Missing argument"),
    ],
)
def test_mistakes_are_said(listed, vf, arguments, code, message):
    found, _, err = vf("trials", "audit", *arguments)
    assert (found, message in words(err)) == (code, True), err
