import pytest
from trials.examples import VOICES
from trials.rows import pairs, read, rows, written

from vfsearch.errors import TrialListError


def test_keys(tmp_path):
    trials = read(tmp_path, "voices", VOICES)
    assert [label for _, _, label, _ in rows(trials)] == [1, 0, 0] and not trials.scored
    assert rows(trials)[0][:2] == ("model1", ("sid_dev/sp3521/a.wav",))


def test_labels_of_others_are_not_taken(tmp_path):
    with pytest.raises(TrialListError, match="line 4: wanted model, segment and tgt or imp, got 'a b target'"):
        list(read(tmp_path, "voices", VOICES + b"a b target\n").blocks())


def test_written():
    assert written("voices", pairs([("a", "b", 1, None), ("a", "c", 0, None)])) == b"a b tgt\na c imp\n"
