import pytest
from trials.examples import LABELS, PAIRS, VOXCELEB
from trials.rows import pairs, read, rows, written

from vfsearch.errors import TrialListError


def test_the_label_comes_first(tmp_path):
    trials = read(tmp_path, "voxceleb", VOXCELEB)
    assert (trials.kind, trials.format, trials.labelled, trials.scored) == ("verification", "voxceleb", True, False)
    assert rows(trials) == [(a, (b,), label, ()) for (a, b), label in zip(PAIRS, LABELS, strict=True)]
    assert [block.lines.tolist() for block in trials.blocks()] == [[1, 2, 3]]


def test_identities_are_told_by_folders(tmp_path):
    tell = read(tmp_path, "voxceleb", VOXCELEB).identities
    assert [tell("id10270/x/1.wav"), tell("other/1.wav")] == ["id10270", None]
    assert read(tmp_path, "voxceleb", b"1 a.wav b.wav\n").identities is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (VOXCELEB + b"2 a b\n", "list, line 4: wanted 1 or 0 and two names, got '2 a b'"),
        (VOXCELEB + b"\n\n1 a\n", "list, line 6: wanted 1 or 0 and two names, got '1 a'"),
        (b"a b c\n", "list, line 1: wanted 1 or 0 and two names"),
        (b"\n \n", "list holds no line; wanted lines of 1 or 0 and two names"),
        (VOXCELEB + b"1 a\xff b\n", "list, line 4: not UTF-8"),
    ],
)
def test_bad_lines_are_named(tmp_path, data, said):
    with pytest.raises(TrialListError, match=said):
        list(read(tmp_path, "voxceleb", data).blocks())


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (pairs([("a", "b", 1, 0.5)]), "made cannot be written as voxceleb: it has no place for scores"),
        (pairs([("a", "b", -1, None)]), "its lines need labels, and this list has none"),
        (pairs([("a", "b", 1, None), ("a", "c", -1, None)]), "made, line 2, cannot .* its lines need a label"),
        (pairs([("a b", "c", 1, None)]), "the name 'a b' has a blank in it.*vfsearch holds any"),
        (pairs([("\ufeffa", "c", 1, None)]), "begins with a mark of byte order"),
        (pairs([("a", "b", 1, None)], kind="ranking"), "it holds lists of verification, this is one of ranking"),
        (pairs([("line 1", "line 1", 1, None)], about={"named_by": "line"}), "the lines of this list name none"),
    ],
)
def test_what_it_cannot_hold(trials, said):
    with pytest.raises(TrialListError, match=said):
        written("voxceleb", trials)


def test_written():
    assert written("voxceleb", pairs([("a", "b", 1, None), ("a", "c", 0, None)], blocks=2)) == b"1 a b\n0 a c\n"
