import os
import pickle

import numpy as np
import pytest
from trials.examples import VFAL_MATCHING, VFAL_MATCHING_3, VFAL_PAIRS, VFAL_RETRIEVAL
from trials.rows import extra, pairs, rows, sides, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.vfal_eva import VfalEva, VfalEvaF2V


@pytest.fixture
def opened(tmp_path):
    def open_(value, format=VfalEva, protocol=4):
        path = tmp_path / "list.pkl"
        path.write_bytes(pickle.dumps(value, protocol))
        return format().read(path)

    return open_


def test_verification(opened):
    trials = opened(VFAL_PAIRS)
    assert (trials.kind, trials.labelled, trials.scored) == ("verification", True, False)
    assert rows(trials) == [("a/1.wav", ("a/1.jpg",), 1, ()), ("b/1.wav", ("a/1.jpg",), 0, ())]
    assert rows(opened(VFAL_PAIRS, VfalEvaF2V))[1] == ("a/1.jpg", ("b/1.wav",), 0, ())


@pytest.mark.parametrize("label", [1, True, 1.0, np.int64(1), np.bool_(True)])
def test_labels_of_any_type(opened, label):
    assert rows(opened({"list": [["a.wav", "a.jpg", label]]}))[0][2] == 1


def test_arrays_of_rows(opened):
    assert rows(opened({"list": np.array([["a.wav", "a.jpg", "1"]])})) == [("a.wav", ("a.jpg",), 1, ())]
    assert rows(opened([np.array(["a.wav", "a.jpg", "0"])])) == [("a.wav", ("a.jpg",), 0, ())]


def test_one_of_two(opened):
    trials = opened(VFAL_MATCHING)
    assert (trials.kind, trials.candidates) == ("matching", 2)
    assert rows(trials)[0] == ("a/1.wav", ("a/1.jpg", "b/1.jpg"), 1, ())
    assert [trials.identities(name) for name in ("a/1.wav", "b/1.jpg", "c")] == ["Ann", "Bob", None]
    turned = opened(VFAL_MATCHING, VfalEvaF2V)
    assert rows(turned)[0] == ("a/1.jpg", ("a/1.wav", "b/1.wav"), 1, ())
    assert extra(turned) == {"other_probe_1": ["b/1.jpg", "a/1.jpg"]}


def test_names_as_numpy_draws_them(opened):
    rows_ = [(np.str_("Ann"), "a/1.wav", "a/1.jpg", np.str_("Bob"), "b/1.wav", "b/1.jpg")]
    for protocol in (2, 4, 5):
        assert opened({"match_list": rows_}, protocol=protocol).identities("a/1.jpg") == "Ann"


def test_one_of_many(opened):
    trials = opened(VFAL_MATCHING_3)
    assert trials.candidates == 3 and trials.identities is None
    assert rows(trials)[0] == ("a/1.wav", ("a/1.jpg", "b/1.jpg", "c/1.jpg"), 1, ())
    assert rows(opened(VFAL_MATCHING_3["match_list"])) == rows(trials)


def test_retrieval(opened):
    trials = opened(VFAL_RETRIEVAL)
    assert sides(trials) == (["a/1.wav", "a/2.wav", "b/1.wav"], ["a/1.jpg", "a/2.jpg", "b/1.jpg"])
    assert trials.identities("b/1.jpg") == "Bob"
    assert sides(opened(VFAL_RETRIEVAL, VfalEvaF2V))[0] == ["a/1.jpg", "a/2.jpg", "b/1.jpg"]
    assert sides(opened(VFAL_RETRIEVAL["retrieval_lists"])) == sides(trials)


def test_several_galleries_one_by_one(opened, tmp_path):
    group = VFAL_RETRIEVAL["retrieval_lists"][0]
    with pytest.raises(TrialListError, match="has 2 galleries, each to be searched on its own"):
        opened({"retrieval_lists": [group, group[:1]]})
    found = VfalEva().galleries(tmp_path / "list.pkl")
    assert [len(sides(each)[0]) for each in found] == [3, 1]
    opened(VFAL_PAIRS)
    with pytest.raises(TrialListError, match="is a list of verification, wanted one of retrieval"):
        VfalEva().galleries(tmp_path / "list.pkl")


@pytest.mark.parametrize("value", [VFAL_PAIRS, VFAL_MATCHING, VFAL_MATCHING_3, VFAL_RETRIEVAL])
@pytest.mark.parametrize("format", [VfalEva, VfalEvaF2V])
def test_the_authors_programs_find_what_they_wrote(opened, format, value):
    (key,) = {"list", "match_list", "retrieval_lists"} & set(value)
    found = pickle.loads(b"".join(format().write(opened(value, format))))
    assert found[key] == value[key]
    assert {"wav_set", "jpg_set", key} == set(found)
    assert all(name.endswith(".wav") for name in found["wav_set"])
    assert all(name.endswith(".jpg") for name in found["jpg_set"])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"list": [["a", "b", 1], ["a", "b", 2]]}, r"list.pkl, trial 2: wanted \[wav, jpg, 1 or 0\]"),
        ({"list": [["a", "b"]]}, "trial 1: wanted"),
        ({"list": [["a", 3, 1]]}, "trial 1: wanted"),
        ({"list": [["a", "b", np.zeros(2)]]}, "trial 1: wanted"),
        ({"list": []}, "holds no trial"),
        ({"list": 5}, "wanted a list of trials, got a int"),
        ({"other": []}, "wanted a dict with one of list, match_list, retrieval_lists, got 0 of them"),
        ({"list": [], "match_list": []}, "got 2 of them"),
        ({"match_list": [("A", "a", "b", "B", "c")]}, "trial 1: wanted"),
        ({"match_list": [("A", "a", "b", "B", "a", "d")]}, "trial 1: wanted the identity 'A' for 'a'"),
        ({"match_list": [[["a", "b"], ["c"]]]}, "of as many people"),
        ({"match_list": [[["a"], ["c"]]]}, "at least two"),
        ({"match_list": [[["a", "b"], ["c", "d"]], [["a", "b", "e"], ["c", "d", "f"]]]}, "trial 2: wanted 2 voices"),
        ({"retrieval_lists": [5]}, "got a int"),
        ({"retrieval_lists": [[("a", "b")]]}, "trial 1: wanted"),
        ({"retrieval_lists": [[("a", "b", "A"), ("a", "c", "B")]]}, "trial 2: wanted the identity 'A' for 'a'"),
        ([5], "trial 1: wanted a trial"),
        (5, "got a int"),
        (np.zeros((3, 3)), "got a ndarray"),
        ({"list": [[os.system, "b", 1]]}, r"cannot be read: it wants posix.system"),
    ],
)
def test_what_is_no_list(opened, value, said):
    with pytest.raises(TrialListError, match=said):
        opened(value)


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (pairs([("a", "b", -1, None)]), "line 1, cannot be written as vfal-eva: its rows need a label"),
        (pairs([("a", "b", 1, 0.5)]), "it has no place for scores"),
        (pairs([("a", "b", 1, None)], kind="matching", candidates=2), "name an item of each person on both sides"),
    ],
)
def test_what_it_cannot_hold(trials, said):
    with pytest.raises(TrialListError, match=said):
        written("vfal-eva", trials)
