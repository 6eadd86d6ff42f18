import pytest
from trials.examples import KALDI_EER, KALDI_SCORES, KALDI_TRIALS, LABELS, PAIRS, SCORES
from trials.rows import pairs, read, rows, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import load_format


def test_trials(tmp_path):
    trials = read(tmp_path, "kaldi", KALDI_TRIALS)
    assert (trials.labelled, trials.scored) == (True, False)
    assert rows(trials) == [(a, (b,), label, ()) for (a, b), label in zip(PAIRS, LABELS, strict=True)]


def test_scores(tmp_path):
    trials = read(tmp_path, "kaldi", KALDI_SCORES)
    assert (trials.labelled, trials.scored) == (False, True)
    assert rows(trials) == [(a, (b,), -1, (score,)) for (a, b), score in zip(PAIRS, SCORES, strict=True)]


def test_scores_without_names_are_called_by_their_lines(tmp_path):
    trials = read(tmp_path, "kaldi", b"\n" + KALDI_EER)
    expected = [(f"line {line}", label, score) for line, label, score in zip((2, 3, 4), LABELS, SCORES, strict=True)]
    assert rows(trials) == [(name, (name,), label, (score,)) for name, label, score in expected]
    assert trials.identities is None and trials.labelled and trials.scored
    with pytest.raises(TrialListError, match="the lines of this list name none"):
        written("wespeaker", trials)


def test_labels_in_any_case(tmp_path):
    assert [label for _, _, label, _ in rows(read(tmp_path, "kaldi", b"a b Target\na c NONTARGET\n"))] == [1, 0]


def test_scores_and_labels_go_into_two_files():
    trials = pairs([("a", "b", 1, 0.5), ("a", "c", 0, -1.0)])
    files = {name: b"".join(pieces) for name, pieces in load_format("kaldi").files(trials, "list").items()}
    assert files == {"list.txt": b"a b 0.5\na c -1.0\n", "list_labels.txt": b"a b target\na c nontarget\n"}


@pytest.mark.parametrize("line", ["a b maybe", "a b 0.5", "a b", "a b c d"])
def test_one_file_is_of_one_sort(tmp_path, line):
    with pytest.raises(TrialListError, match=f"list, line 4: wanted .*as in the first lines, got '{line}'"):
        list(read(tmp_path, "kaldi", KALDI_TRIALS + line.encode()).blocks())


def test_a_list_that_says_nothing_cannot_be_written():
    with pytest.raises(TrialListError, match="made cannot be written as kaldi: its lines need labels"):
        written("kaldi", pairs([("a", "b", -1, None)]))
