import pytest


@pytest.fixture
def grouped(workspace):
    """The workspace, but for one clip whose gender is not known."""
    path = workspace / "manifest.csv"
    rows = path.read_text().splitlines()
    place = rows[0].split(",").index("gender")
    last = max(number for number, row in enumerate(rows) if ",voice," in row and row.endswith(",test"))
    rows[last] = ",".join("" if number == place else cell for number, cell in enumerate(rows[last].split(",")))
    path.write_text("\n".join(rows) + "\n")
    return workspace


def test_lists_are_made_and_shown(grouped, vf):
    code, out, err = vf("trials", "make", "--n", "2,3", "--group", "U", "--group", "G")
    assert code == 0 and err == ""
    for name in ("match_v2f_2", "match_v2f_3", "verify_v2f", "match_g_v2f_3", "verify_g_v2f", "retrieval_v2f"):
        assert f"{name}_test.tsv" in out and (grouped / f"trials/{name}_test.tsv").exists()
    assert "1 probes: group or source not known" in out and "split test, 7 files written in trials" in out
    code, out, _ = vf("trials", "make", "--n", "2,3", "--group", "U", "--group", "G")
    assert code == 0 and "split test, 0 files written in trials, 7 were there already, the same" in out


def test_json(grouped, document):
    made = document("trials", "make", "--probe", "face", "--protocol", "matching", "--n", "2", "--group", "G",
                    "--galleries", "2", "--seed", "5", "--out", "elsewhere", "--split", "all")  # fmt: skip
    assert made["split"] == "all" and made["folder"] == "elsewhere" and made["warnings"] == []
    (one,) = made["lists"]
    assert one["files"] == ["elsewhere/match_g_f2v_2_all.tsv"] and one["gallery_left_out"] == 1
    assert one["trials"] == 2 * one["probes"] and list(made["written"]) == one["files"]


def test_the_paper_s_format_with_a_note(workspace, vf):
    code, out, err = vf("trials", "make", "--n", "2", "--format", "wen2021", "--out", "published")
    assert code == 0 and "reterival_v2f_test.txt" in out
    assert "reterival_v2f_test.txt" in {path.name for path in (workspace / "published").iterdir()}
    assert "no identity table is written" in err or "vox1_test.csv" in out


def test_other_lists_are_replaced_only_when_asked(workspace, vf):
    assert vf("trials", "make", "--n", "2")[0] == 0
    code, _, err = vf("trials", "make", "--n", "2", "--seed", "2")
    assert code == 6 and "match_v2f_2_test.tsv" in err and "--overwrite" in err
    code, out, _ = vf("trials", "make", "--n", "2", "--seed", "2", "--overwrite")
    assert code == 0 and "2 files written in trials, 1 were there already" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--group", "X"], 3, "has no column X, which the group X needs"),
        (["--group", "GG"], 2, "no constraint group is 'GG'"),
        (["--n", "2,500"], 2, "group U: 1:500 matching needs 499 gallery items"),
        (["--n", "2,x"], 2, "must be whole numbers with commas between"),
        (["--n", "1"], 2, "wants N of at least 2, got 1"),
        (["--seed", "-1"], 2, "-1 is not in the range"),
        (["--exclude-same-source"], 3, "has no column source, which the exclusion of same sources needs"),
        (["--format", "papyrus"], 2, "no format of trials is named 'papyrus'; known:"),
        (["--split", "val"], 3, "no item with split=val"),
    ],
)
def test_what_cannot_be_made(workspace, vf, arguments, code, message):
    found, out, err = vf("trials", "make", *arguments)
    assert (found, out) == (code, "") and message in " ".join(err.split())
    assert not (workspace / "trials").exists()


def test_small_groups_are_left_out_when_asked(grouped, vf):
    (grouped / "manifest.csv").write_text(
        "\n".join(
            ["path,modality,identity,gender"]
            + [f"{m}{p},{m},p{p},{'f' if p < 5 else 'm'}" for p in range(7) for m in ("voice", "face")]
        )
    )
    code, _, err = vf("trials", "make", "--n", "4", "--group", "G")
    assert code == 2 and "(m: 2 probes with 1 others)" in err and "--leave-out-small-groups" in err
    code, out, _ = vf("trials", "make", "--n", "4", "--group", "G", "--leave-out-small-groups")
    assert code == 0 and "2 probes: group too small" in out


def test_help_has_examples(vf):
    code, out, _ = vf("trials", "make", "--help")
    assert code == 0 and "vfsearch trials make --format wen2021 --out published" in out
