import pytest
from named_lists import vectors, write_lists, write_table, write_vectors


@pytest.fixture
def runs(workspace, vf):
    write_table(workspace)
    lists = [path.name for path in write_lists(workspace).values()]
    for name, noise in (("good", 0.5), ("bad", 3.0)):
        write_vectors(workspace / f"{name}.npz", vectors(noise=noise))
        assert vf("query", "--trials", *lists, "--vectors", f"{name}.npz", "--name", name)[0] == 0
    return "runs/good", "runs/bad"


def test_two_runs(runs, vf, document):
    code, out, err = vf("compare", *runs)
    assert code == 0 and "warning" not in err
    for word in ("A: runs/good", "B: runs/bad", "verify_v2f_test", "AUC", "accuracy", "mAP", "A - B", "p", "paired"):
        assert word in out, word
    found = document("compare", *runs, "--measures", "AUC,mAP")
    assert {each["measure"] for each in found["figures"]} == {"AUC", "accuracy", "mAP"}
    for each in found["figures"]:
        assert each["difference"]["low"] <= each["difference"]["value"] <= each["difference"]["high"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["runs/good"], 2, "Missing argument 'RUN_B'"),
        (["runs/good", "runs/good"], 2, "would be compared with itself"),
        (["runs/good", "runs/none"], 3, "none"),
        (["runs/good/verify_v2f_test.tsv", "verify_v2f_test.txt"], 3, "a list without scores"),
        (["runs/good/verify_v2f_test.tsv", "runs/bad/match_v2f_3_test.tsv"], 6, "nothing in common"),
    ],
)
def test_said_plainly(runs, vf, arguments, code, said):
    found, out, err = vf("compare", *arguments)
    assert (found, out) == (code, "") and said in " ".join(err.split())
