import json

import pytest
from named_lists import person_of, scores_of, vectors, write_lists, write_table


@pytest.fixture
def scores(workspace):
    write_table(workspace)
    trials = scores_of(write_lists(workspace)["verify_v2f_test"], vectors())
    lines = [f"{probe} {item} {score!r} {'target' if person_of(probe) == person_of(item) else 'nontarget'}\n"
             for probe, (item,), (score,) in trials]  # fmt: skip
    (workspace / "scores.txt").write_text("".join(lines))
    return "scores.txt"


def test_a_file_of_scores(scores, vf):
    code, out, err = vf("score", scores)
    assert code == 0 and "warning" not in err
    for word in ("1 list; identities from the list, else the labels", "AUC", "EER", "50.00", "voice to face"):
        assert word in " ".join(out.split()), word
    assert "trials/s" not in out


def test_one_document(workspace, scores, document):
    found = document("score", scores, "--measures", "AUC,Cllr", "--points", "p.csv", "--seed", "3")
    assert set(found["measurements"][0]["values"]) == {"AUC", "Cllr"} and found["settings"]["seed"] == 3
    assert (workspace / "p.csv").read_text().startswith("list,threshold,fmr,fnmr,tmr")


def test_figures_that_are_no_percentages_are_marked(scores, vf):
    assert "= " in vf("score", scores, "--measures", "Cllr")[1]


def test_groups(scores, vf):
    code, out, err = vf("score", scores, "--identities", "vox1_test.csv", "--by", "gender", "--measures", "AUC")
    assert code == 0, err
    assert "gender" in out and "people" in out


def test_every_measure(scores, document):
    values = document("score", scores, "--measures", "all")["measurements"][0]["values"]
    assert {"AUC", "EER", "Cllr", "EER(kaldi)"} <= set(values)


def test_ties_are_warned_of(workspace, vf):
    (workspace / "tied.txt").write_text("a b 1 target\na c 1 nontarget\na d 0 nontarget\n")
    code, _, err = vf("score", "tied.txt")
    assert code == 0 and "tied: 66.7 % of the trials hang on ties" in " ".join(err.split())


def test_the_submission_of_a_challenge(workspace, vf):
    import zipfile

    with zipfile.ZipFile(workspace / "submission.zip", "w") as archive:
        for language in ("English", "Urdu"):
            for heard in ("heard", "unheard"):
                keys = [f"{language[0]}{n}" for n in range(4)]
                text = "".join(
                    f"{key} {distance}\n" for key, distance in zip(keys, ("0.1", "0.9", "0.4", "0.3"), strict=True)
                )
                archive.writestr(f"sub_score_{language}_{heard}.txt", text)
            (workspace / f"{language}.txt").write_text("".join(f"{key} {n % 2 ^ 1}\n" for n, key in enumerate(keys)))
    code, out, err = vf("score", "submission.zip", "--trials", "English.txt", "--trials", "Urdu.txt")
    assert code == 0, err
    assert "mean EER of the 4 parts" in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument"),
        (["no.txt"], 3, "no.txt"),
        (["scores.txt", "--compat", "nobody"], 2, "no peer is named 'nobody'"),
        (["scores.txt", "--measures", "XYZ"], 2, "is named 'XYZ'"),
        (["scores.txt", "--by", "gender"], 2, "needs a table"),
        (["verify_v2f_test.txt"], 3, "has no scores"),
    ],
)
def test_said_plainly(scores, vf, arguments, code, said):
    found, out, err = vf("score", *arguments)
    assert (found, out) == (code, "") and said in " ".join(err.split())


def test_a_file_of_a_saved_run(workspace, scores, vf):
    from named_lists import write_vectors

    write_vectors(workspace / "v.npz", vectors())
    lists = ("verify_v2f_test.txt", "match_v2f_3_test.txt")
    first = json.loads(vf("query", "--trials", *lists, "--vectors", "v.npz", "--name", "x", "--json")[1])
    again = json.loads(vf("score", "runs/x/verify_v2f_test.tsv", "runs/x/match_v2f_3_test.tsv", "--json")[1])
    assert [each["values"] for each in again["measurements"]] == [each["values"] for each in first["measurements"]]
