import pytest
from trials.examples import FAME_KEY, FAME_LIST, FAME_SCORES
from trials.rows import extra, pairs, read, rows, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import load_format
from vfsearch.trials.formats.fame import join_scores

NAMES = [(f"voices/English/0000{row}.wav", (f"faces/English/0000{row}.jpg",)) for row in range(3)]


def parts(folder, listed=FAME_LIST, scores=FAME_SCORES, key=FAME_KEY):
    return [
        read(folder, format, data, name)
        for name, format, data in (("l", "fame-list", listed), ("s", "fame-scores", scores), ("k", "fame-scores", key))
    ]


def test_a_list_has_keys_and_no_labels(tmp_path):
    trials = read(tmp_path, "fame-list", FAME_LIST)
    assert (trials.labelled, trials.scored) == (False, False)
    assert [row[:2] for row in rows(trials)] == NAMES
    assert extra(trials) == {"key": ["ysuvkz41", "tog3zj45", "ky5xfj1d"]}
    assert written("fame-list", trials) == FAME_LIST


def test_distances_become_similarities_and_distances_again(tmp_path):
    trials = read(tmp_path, "fame-scores", FAME_SCORES)
    assert rows(trials)[0] == ("ysuvkz41", ("ysuvkz41",), -1, (-0.9988,))
    assert written("fame-scores", trials) == b"ysuvkz41 0.998800\ntog3zj45 0.114600\nky5xfj1d 1.532100\n"


def test_no_distance_is_not_minus_nothing(tmp_path):
    trials = read(tmp_path, "fame-scores", b"a 0\nb 0.5\n")
    assert str(rows(trials)[0][3][0]) == "0.0"
    assert written("fame-scores", trials).startswith(b"a 0.000000\n")


def test_what_differs_by_less_than_six_decimals_is_lost(tmp_path):
    trials = read(tmp_path, "fame-scores", b"a 0.1000001\nb 0.1000002\n")
    assert len({scores for *_, scores in rows(trials)}) == 2
    assert written("fame-scores", trials) == b"a 0.100000\nb 0.100000\n"


def test_a_missing_item_is_infinitely_far(tmp_path):
    trials = pairs([("k", "k", -1, float("-inf"))], extra={"key": ["k"]})
    assert written("fame-scores", trials) == b"k inf\n"
    assert rows(read(tmp_path, "fame-scores", b"k inf\n"))[0][3] == (float("-inf"),)


def test_a_key(tmp_path):
    trials = read(tmp_path, "fame-scores", FAME_KEY)
    assert (trials.labelled, trials.scored) == (True, False)
    assert [row[2] for row in rows(trials)] == [0, 1, 0]
    assert written("fame-scores", trials) == FAME_KEY


def test_joined_by_key_whatever_the_order(tmp_path):
    turned = b"".join(reversed(FAME_SCORES.splitlines(keepends=True)))
    listed, scores, key = parts(tmp_path, scores=turned)
    trials = join_scores(join_scores(listed, scores), key)
    assert (trials.labelled, trials.scored, trials.where) == (True, True, listed.where)
    expected = zip(NAMES, (0, 1, 0), (-0.9988, -0.1146, -1.5321), strict=True)
    assert rows(trials) == [(*names, label, (score,)) for names, label, score in expected]
    assert rows(join_scores(join_scores(listed, key), scores)) == rows(trials)
    files = {name: b"".join(pieces) for name, pieces in load_format("fame-scores").files(trials, "sub").items()}
    assert files == {"sub.txt": written("fame-scores", scores_in_order(tmp_path)), "sub_labels.txt": FAME_KEY}


def scores_in_order(folder):
    return read(folder, "fame-scores", FAME_SCORES)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scores": FAME_SCORES + b"tog3zj45 0.2\n"}, "s, line 4: the key 'tog3zj45' is there twice"),
        ({"scores": b"ysuvkz41 0.5\n"}, "l, line 2: .*s has nothing for the key 'tog3zj45'"),
        ({"scores": FAME_SCORES + b"other 0.2\n"}, "s has 4 keys and .*l has 3; give the list that the scores are of"),
        ({"scores": FAME_SCORES + b"a 0.2 x\n"}, "s, line 4: wanted a key and a distance"),
        ({"scores": FAME_SCORES + b"a nan\n"}, "s, line 4: wanted a key and a distance"),
    ],
)
def test_parts_that_do_not_go_together(tmp_path, changes, said):
    listed, scores, _ = parts(tmp_path, **changes)
    with pytest.raises(TrialListError, match=said):
        rows(join_scores(listed, scores))


def test_nothing_is_joined_without_keys(tmp_path):
    listed, scores, _ = parts(tmp_path)
    with pytest.raises(TrialListError, match="made has no keys, so nothing can be joined by them"):
        join_scores(listed, pairs([("a", "b", -1, 0.5)]))
    with pytest.raises(TrialListError, match="made has no keys"):
        rows(join_scores(pairs([("a", "b", -1, None)]), scores))


@pytest.mark.parametrize(
    ("format", "row", "said"),
    [
        ("fame-scores", ("a", "b", -1, 0.5), "its lines need a key for each trial, and this list has none"),
        ("fame-list", ("a", "b", -1, None), "its lines need a key for each trial"),
        ("fame-list", ("a", "b", 1, None), "it has no place for labels"),
        ("fame-list", ("a", "b", -1, 0.5), "it has no place for scores"),
    ],
)
def test_what_they_cannot_hold(format, row, said):
    with pytest.raises(TrialListError, match=f"made cannot be written as {format}: {said}"):
        written(format, pairs([row]))
