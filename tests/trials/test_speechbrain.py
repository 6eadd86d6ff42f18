import pytest
from trials.examples import LABELS, PAIRS, SCORES, SPEECHBRAIN
from trials.rows import pairs, read, rows, written

from vfsearch.errors import TrialListError


def test_label_then_score(tmp_path):
    expected = [(a, (b,), label, (score,)) for (a, b), label, score in zip(PAIRS, LABELS, SCORES, strict=True)]
    assert rows(read(tmp_path, "speechbrain", SPEECHBRAIN)) == expected


@pytest.mark.parametrize("line", ["a b 2 0.5", "a b 1 nan", "a b 1", "a b 1 0.5 x"])
def test_bad_lines_are_named(tmp_path, line):
    with pytest.raises(TrialListError, match=f"line 4: wanted enrol, test, 1 or 0, and a score, got '{line}'"):
        list(read(tmp_path, "speechbrain", SPEECHBRAIN + line.encode()).blocks())


def test_written():
    assert written("speechbrain", pairs([("a", "b", 1, 0.5)])) == b"a b 1 0.5\n"
