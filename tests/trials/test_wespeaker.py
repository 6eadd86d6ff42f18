import pytest
from trials.examples import LABELS, PAIRS, SCORES, WESPEAKER, WESPEAKER_NORMALISED
from trials.rows import extra, pairs, read, rows, written

from vfsearch.errors import TrialListError

EXPECTED = [(a, (b,), label, (score,)) for (a, b), label, score in zip(PAIRS, LABELS, SCORES, strict=True)]


def test_scores_and_labels(tmp_path):
    trials = read(tmp_path, "wespeaker", WESPEAKER)
    assert rows(trials) == EXPECTED and trials.labelled and trials.scored
    assert trials.identities("id10270/x/1.wav") == "id10270"


def test_normalised_scores_keep_the_cohort_s_numbers(tmp_path):
    trials = read(tmp_path, "wespeaker", WESPEAKER_NORMALISED)
    assert rows(trials) == EXPECTED
    kept = extra(trials)
    assert list(kept) == ["enrol_norm", "test_norm", "enrol_mean", "test_mean"] and kept["enrol_mean"] == ["0.1234"] * 3
    assert written("wespeaker", trials).startswith(
        b"id10270/x6uYqmx31kE/00002.wav id10270/GWXujl-xAVM/00035.wav 0.7312 target 1.0000 1.0000 0.1234 0.2345\n"
    )


def test_all_lines_have_the_numbers_or_none(tmp_path):
    with pytest.raises(TrialListError, match=r"line 4: wanted .*four further numbers or none, as in the first line"):
        list(read(tmp_path, "wespeaker", WESPEAKER + WESPEAKER_NORMALISED).blocks())


def test_written_with_all_digits():
    assert written("wespeaker", pairs([("a", "b", 1, 0.1 + 0.2)])) == b"a b 0.30000000000000004 target\n"


@pytest.mark.parametrize(("row", "said"), [(("a", "b", 1, None), "need scores"), (("a", "b", -1, 0.5), "need labels")])
def test_what_it_cannot_hold(row, said):
    with pytest.raises(
        TrialListError, match=f"cannot be written as wespeaker: its lines {said}, and this list has none"
    ):
        written("wespeaker", pairs([row]))
