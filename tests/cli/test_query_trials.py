import pytest
from named_lists import vectors, write_lists, write_table, write_vectors


@pytest.fixture
def lists(workspace):
    write_table(workspace)
    write_vectors(workspace / "vectors.npz", vectors())
    return [path.name for path in write_lists(workspace).values()]


def test_several_lists_in_one_command(workspace, lists, vf, document):
    code, out, err = vf("query", "--trials", *lists, "--vectors", "vectors.npz", "--result", "result.txt")
    assert code == 0 and "warning" not in err
    for word in ("3 lists, scored with vectors.npz; identities from vox1_test.csv beside the list", "verify_v2f_test",
                 "1:3", "accuracy", "AUC", "EER", "mAP", "R@10", "voice to face", "95 % interval", "chance",
                 "saved in runs/lists-"):  # fmt: skip
        assert word in " ".join(out.split()), word
    names = [line.split()[0] for line in (workspace / "result.txt").read_text().splitlines()]
    assert names == ["verify_v2f_test", "match_v2f_3_test", "reterival_v2f_test"]
    repeated = [word for name in lists for word in ("--trials", name)]
    found = document("query", *repeated, "--vectors", "vectors.npz")
    assert not found["measured_now"] and [each["list"] for each in found["measurements"]] == names


def test_a_narrow_terminal(lists, vf, monkeypatch):
    monkeypatch.setattr("vfsearch_cli.terminal.WIDTH_OF_A_PIPE", 80)
    code, out, _ = vf("query", "--trials", *lists, "--vectors", "vectors.npz")
    assert code == 0 and "AUC" in out


def test_what_is_missing_is_said(workspace, lists, vf):
    rows = vectors()
    write_vectors(workspace / "few.npz", dict(list(rows.items())[1:]))
    code, _, err = vf("query", "--trials", lists[0], "--vectors", "few.npz")
    assert code == 0 and "1 of 24 probes and 0 of" in " ".join(err.split()) and "00000.wav" in err


def test_without_vectors_the_store_is_asked(measured, vf):
    (measured / "verify_own.txt").write_text("voice/p0/2 face/p0/2\nvoice/p0/2 face/p1/2\n")
    code, out, err = vf("query", "--trials", "verify_own.txt", "--format", "wen2021")
    assert code == 0, err
    assert "1 list, scored with the store; identities from the store" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify_v2f_test.txt"], "Then give --trials before it"),
        (["--vectors", "vectors.npz"], "--vectors goes with --trials FILE... only"),
        (["--result", "result.txt"], "--result goes with --trials FILE... only"),
        (["--trials", "verify_v2f_test.txt", "--probe", "voice"], "--probe goes without --trials only"),
        (["--trials", "verify_v2f_test.txt", "--n", "2"], "--n goes without --trials only"),
        (["--trials", "verify_v2f_test.txt", "--group", "G"], "--group goes without --trials only"),
        (["--trials", "verify_v2f_test.txt", "--vectors", "vectors.npz", "--measures", "XYZ"], "is named 'XYZ'"),
        (["--trials", "verify_v2f_test.txt", "--vectors", "vectors.npz", "--name", "a/b"], "plain name"),
    ],
)
def test_options_that_would_be_passed_over_are_refused(lists, vf, arguments, said):
    code, out, err = vf("query", *arguments)
    assert (code, out) == (2, "") and said in " ".join(err.split())


def test_memory_that_is_enough_and_that_is_not(lists, vf):
    asked = ("query", "--trials", *lists, "--vectors", "vectors.npz")
    code, out, err = vf(*asked, "--max-memory", "10MB")
    assert (code, out) == (5, "") and "10,000,000 bytes of memory are too few" in " ".join(err.split())
    code, _, err = vf(*asked, "--max-memory", "32MiB")
    assert code == 0, err
    code, _, err = vf(*asked)
    assert code == 0 and "measured before" in " ".join(err.split())


def test_settings_files_may_hold_what_only_lists_take(measured, vf):
    (measured / "vfsearch.toml").write_text('measures = "AUC"\n')
    code, _, err = vf("query", "--n", "2")
    assert code == 0, err
