import pytest
from trials.examples import VOXCELEB, VOXSRC
from trials.rows import pairs, read, rows, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import load_format


def test_the_score_comes_first(tmp_path):
    trials = read(tmp_path, "voxsrc", VOXSRC)
    assert (trials.labelled, trials.scored) == (False, True)
    assert rows(trials)[0] == ("034374.wav", ("053313.wav",), -1, (0.007,))


def test_a_list_of_trials(tmp_path):
    trials = read(tmp_path, "voxsrc", VOXCELEB)
    assert (trials.labelled, trials.scored) == (True, False)


def test_ones_and_zeros_among_scores_are_scores(tmp_path):
    assert [scores for *_, scores in rows(read(tmp_path, "voxsrc", b"1 a b\n0.5 a c\n0 b c\n"))] == [(1,), (0.5,), (0,)]


def test_scores_and_labels_go_into_two_files():
    trials = pairs([("a", "b", 1, 0.5), ("a", "c", 0, float("-inf"))])
    files = {name: b"".join(pieces) for name, pieces in load_format("voxsrc").files(trials, "list").items()}
    assert files == {"list.txt": b"0.5 a b\n-inf a c\n", "list_labels.txt": b"1 a b\n0 a c\n"}
    assert written("voxsrc", trials) == files["list.txt"]


@pytest.mark.parametrize("text", ["nan", "NaN", "1_0", "0x1", "\u0661", "high", "1,5"])
def test_what_is_no_score(tmp_path, text):
    with pytest.raises(TrialListError, match=r"list, line 4: wanted a score .* and two names, got"):
        list(read(tmp_path, "voxsrc", VOXSRC + f"{text} a b\n".encode()).blocks())


@pytest.mark.parametrize("text", ["inf", "-inf", "1e-3", "+2", "-0", ".5", "1e999"])
def test_what_is_a_score(tmp_path, text):
    found = rows(read(tmp_path, "voxsrc", VOXSRC + f"{text} a b\n".encode()))
    assert found[-1][3] == (float(text),)


def test_a_trial_without_a_score_cannot_be_written():
    with pytest.raises(TrialListError, match="made, line 2, cannot be written as voxsrc: its lines need a score"):
        written("voxsrc", pairs([("a", "b", -1, 0.5), ("a", "c", -1, float("nan"))]))
