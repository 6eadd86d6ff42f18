import csv

import numpy as np
import pytest
from named_lists import person_of, plain_auc, scores_of, vectors, write_lists, write_table

from vfsearch.errors import InputError, SettingsError, TrialListError, UnknownNameError
from vfsearch.pipeline.score_files import ScoreSettings, score_files

QUICK = ScoreSettings(resamples=50)


@pytest.fixture
def trials(tmp_path):
    """Verification trials with scores: probe, item, label, score."""
    (tmp_path / "lists").mkdir()
    write_table(tmp_path)
    rows = vectors()
    path = write_lists(tmp_path / "lists")["verify_v2f_test"]
    return [(probe, item, int(person_of(probe) == person_of(item)), score)
            for probe, (item,), (score,) in scores_of(path, rows)]  # fmt: skip


def write(path, rows):
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def first(outcome, place=0):
    return {name: value.value for name, value in outcome.measurements[place].values.items()}


def expected_auc(trials) -> float:
    return plain_auc([(probe, [item], [score]) for probe, item, _, score in trials])


SPEAKER = {
    "wespeaker": lambda p, i, m, s: f"{p} {i} {s!r} {('nontarget', 'target')[m]}",
    "speechbrain": lambda p, i, m, s: f"{p} {i} {m} {s!r}",
}


@pytest.mark.parametrize("name", SPEAKER)
def test_files_with_labels_and_scores(tmp_path, trials, name):
    path = write(tmp_path / "scores.txt", [SPEAKER[name](*trial) for trial in trials])
    outcome = score_files([path], ScoreSettings(format=name, resamples=50))
    assert first(outcome)["AUC"] == pytest.approx(expected_auc(trials), abs=1e-12)
    (measured,) = outcome.measurements
    assert (measured.protocol, measured.list, measured.direction) == ("verification", "scores", "voice to face")
    assert measured.values["AUC"].chance == 0.5 and measured.values["AUC"].low < measured.values["AUC"].high


def test_scores_with_a_list_that_has_the_labels(tmp_path, trials):
    scores = write(tmp_path / "s.txt", [f"{p} {i} {s!r}" for p, i, _, s in reversed(trials)])
    labels = write(tmp_path / "t.txt", [f"{p} {i} {('nontarget', 'target')[m]}" for p, i, m, _ in trials])
    with pytest.raises(TrialListError, match="does not say what is mated: give its list with --trials"):
        score_files([scores], QUICK)
    outcome = score_files([scores], QUICK, trials=[labels])
    assert first(outcome)["AUC"] == pytest.approx(expected_auc(trials), abs=1e-12)
    table = score_files([scores], QUICK, identities=[tmp_path / "vox1_test.csv"])
    assert first(table)["AUC"] == first(outcome)["AUC"]


def test_trials_without_a_score_count_as_the_least_alike(tmp_path, trials):
    scores = write(tmp_path / "s.txt", [f"{p} {i} {s!r}" for p, i, _, s in trials[2:]])
    labels = write(tmp_path / "t.txt", [f"{p} {i} {('nontarget', 'target')[m]}" for p, i, m, _ in trials])
    outcome = score_files([scores], QUICK, trials=[labels])
    assert outcome.measurements[0].missing == 2 and outcome.counts["lists"]["s"]["missing_scores"] == 2
    low = [(p, i, m, -np.inf if n < 2 else s) for n, (p, i, m, s) in enumerate(trials)]
    assert first(outcome)["AUC"] == pytest.approx(expected_auc(low), abs=1e-12)


def test_of_several_lists_the_one_that_fits_is_taken(tmp_path, trials):
    scores = write(tmp_path / "s.txt", [f"{p} {i} {s!r}" for p, i, _, s in trials])
    labels = write(tmp_path / "t.txt", [f"{p} {i} {('nontarget', 'target')[m]}" for p, i, m, _ in trials])
    other = write(tmp_path / "o.txt", ["a b target", "a c nontarget"])
    outcome = score_files([scores], QUICK, trials=[other, labels])
    assert outcome.counts["lists"]["s"]["list"].endswith("t.txt")


def test_whose_the_items_are(tmp_path, trials):
    path = write(tmp_path / "scores.txt", [SPEAKER["wespeaker"](*trial) for trial in trials])
    by_labels = score_files([path], QUICK).counts["lists"]["scores"]
    by_table = score_files([path], QUICK, identities=[tmp_path / "vox1_test.csv"]).counts["lists"]["scores"]
    # VoxCeleb's names tell the voices' people, the labels those of the faces.
    assert by_labels["identities_from"] == "the list, else the labels (people joined by mated trials)"
    assert by_labels["unknown_identities"] == 0
    assert by_table["identities_from"].endswith("vox1_test.csv") and by_table["identities"] == 8


def test_groups_of_people_and_their_differences(tmp_path, trials):
    path = write(tmp_path / "scores.txt", [SPEAKER["wespeaker"](*trial) for trial in trials])
    table = [tmp_path / "vox1_test.csv"]
    (found,) = score_files([path], ScoreSettings(by=("gender",), resamples=50), identities=table).measurements
    assert {(each.value, each.trials) for each in found.groups} == {("m", 24), ("f", 24)}
    with pytest.raises(SettingsError, match=r"says nothing of the age of the people of .*gender, nationality"):
        score_files([path], ScoreSettings(by=("age",)), identities=table)
    with pytest.raises(SettingsError, match="--by gender needs a table"):
        score_files([path], ScoreSettings(by=("gender",)))


def test_curves_are_written(tmp_path, trials):
    path = write(tmp_path / "scores.txt", [SPEAKER["wespeaker"](*trial) for trial in trials])
    score_files([path], QUICK, points=tmp_path / "points.csv")
    with (tmp_path / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["list"] for row in rows} == {"scores"} and float(rows[-1]["fmr"]) == float(rows[-1]["tmr"]) == 1.0
    for row in rows:
        threshold = float(row["threshold"])
        accepted = np.mean([score >= threshold for _, _, mated, score in trials if not mated])
        assert float(row["fmr"]) == pytest.approx(accepted) and float(row["tmr"]) == 1 - float(row["fnmr"])


def test_a_peer_stands_beside_ours(tmp_path, trials):
    path = write(tmp_path / "scores.txt", [SPEAKER["wespeaker"](*trial) for trial in trials])
    found = first(score_files([path], ScoreSettings(compat="kaldi", resamples=50)))
    named = first(score_files([path], ScoreSettings(measures=("EER(kaldi)",), resamples=50)))
    assert found["EER [kaldi]"] == named["EER(kaldi)"] and "EER" in found
    with pytest.raises(UnknownNameError, match=r"no peer is named 'nobody'; known: .*kaldi"):
        ScoreSettings(compat="nobody")


RUN = ["q1 Q0 d1 1 0.5 x", "q1 Q0 d2 2 0.5 x", "q1 Q0 d3 3 0.1 x", "q2 Q0 d1 1 0.9 x"]
QRELS = ["q1 0 d1 1", "q2 0 d2 1", "q2 0 d1 1", "q3 0 d1 1"]


def test_a_run_with_what_is_relevant(tmp_path):
    run, qrels = write(tmp_path / "run.txt", RUN), write(tmp_path / "qrels.txt", QRELS)
    settings = ScoreSettings(measures=("mAP", "R@1"), compat="trec_eval", resamples=50)
    outcome = score_files([run], settings, qrels=qrels)
    found = first(outcome)
    assert found["mAP"] == pytest.approx((0.75 + 0.5 + 0) / 3) and found["R@1"] == pytest.approx((0.5 + 1 + 0) / 3)
    assert found["mAP [trec_eval]"] == pytest.approx((0.5 + 0.5 + 0) / 3)
    assert (outcome.measurements[0].trials, outcome.measurements[0].missing) == (3, 1)
    grouped = first(score_files([run], ScoreSettings(compat="cmpc", resamples=50), qrels=qrels))
    assert grouped["mAP [cmpc]"] == pytest.approx((0.5 + 0.5 + 0) / 3) and grouped["mAP"] == found["mAP"]
    with pytest.raises(TrialListError, match="what is relevant goes with --qrels"):
        score_files([run], QUICK)


MATCHING = "#vfsearch matching 1 {}\nprobe\tmate\tother_1\tscore_mate\tscore_1\na\tb\tc\t1.0\t0.5\nd\te\tf\t0.5\t0.5\n"


def test_matching_scores_with_ties(tmp_path):
    path = tmp_path / "m.tsv"
    path.write_text(MATCHING)
    outcome = score_files([path], ScoreSettings(compat="wen2021", resamples=50))
    assert first(outcome) == {"accuracy": 0.75, "accuracy [wen2021]": 1.0}
    assert outcome.measurements[0].tied == 0.5


def test_distances_of_a_challenge_with_their_key(tmp_path):
    scores = write(
        tmp_path / "sub_score_English_heard.txt", ["k1 0.100000", "k2 0.900000", "k3 0.400000", "k4 0.300000"]
    )
    key = write(tmp_path / "key.txt", ["k1 1", "k2 0", "k3 1", "k4 0"])
    outcome = score_files([scores], QUICK, trials=[key])
    assert first(outcome)["AUC"] == 0.75
    assert "stand for themselves" in outcome.counts["lists"]["sub_score_English_heard"]["identities_from"]


def test_files_that_are_no_scores(tmp_path, trials):
    labels = write(tmp_path / "t.txt", [f"{p} {i} {('nontarget', 'target')[m]}" for p, i, m, _ in trials])
    with pytest.raises(TrialListError, match=r"t.txt \(kaldi\) has no scores: lists go with --trials"):
        score_files([labels], QUICK)
    with pytest.raises(SettingsError, match="no file is given"):
        score_files([])
    with pytest.raises(InputError, match=r"nothing.txt"):
        score_files([tmp_path / "nothing.txt"])
