import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.scored import ScoredMatching, ScoredPairs
from vfsearch.data.trial_list import KINDS, Names, RetrievalSides, TrialBlock, TrialList
from vfsearch.errors import SettingsError


def block(count=2, columns=1, **changes):
    usual = {"probes": np.zeros(count, int), "items": np.zeros((count, columns), int), "mated": np.ones(count, int),
             "lines": np.arange(1, count + 1)}  # fmt: skip
    return TrialBlock(**{**usual, **changes})


@given(st.lists(st.lists(st.text(max_size=3), max_size=6), max_size=6))
def test_names_are_numbered_as_they_appear(batches):
    names = Names()
    numbers = [names.numbers(batch) for batch in batches]
    everything = [text for batch in batches for text in batch]
    assert names.texts == list(dict.fromkeys(everything))
    assert len(names) == len(names.texts)
    for batch, found in zip(batches, numbers, strict=True):
        assert [names.texts[number] for number in found] == batch
        assert [names.find(text) for text in batch] == found.tolist()
    assert names.find("not there") == -1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"items": np.zeros(2, int)}, r"2 probes want \(t, c\) items"),
        ({"items": np.zeros((3, 1), int)}, r"got \(3, 1\), 2, 2"),
        ({"mated": np.ones(1, int)}, r"got \(2, 1\), 1, 2"),
        ({"scores": np.zeros((2, 2))}, r"scores \(2, 2\) and items \(2, 1\)"),
    ],
)
def test_parts_that_do_not_fit(changes, said):
    with pytest.raises(SettingsError, match=said):
        block(**changes)


def made(**changes):
    usual = {"kind": "verification", "format": "", "where": "here", "names": Names(), "blocks": lambda: iter([block()])}
    return TrialList(**{**usual, **changes})


def test_a_list_reads_its_blocks_anew():
    trials = made()
    assert [len(each) for each in trials.blocks()] == [len(each) for each in trials.blocks()] == [2]


def test_a_list_of_no_known_kind():
    with pytest.raises(SettingsError, match="the kind of here is 'quiz', it must be one of " + ", ".join(KINDS)):
        made(kind="quiz")


def test_two_sides_are_retrieval_s_alone():
    sides = RetrievalSides(probes=np.arange(2), gallery=np.arange(3))
    assert made(kind="retrieval", sides=lambda: sides).sides() is sides
    for kind, given_sides in (("retrieval", None), ("matching", lambda: sides)):
        with pytest.raises(SettingsError, match="two sides"):
            made(kind=kind, sides=given_sides)


def test_identities_by_item_then_by_folder():
    table = IdentityTable(identities={"a/1": "ann", "a": "bob"}, columns={"ann": {"gender": "f"}})
    assert [table.identity(name) for name in ("a/1", "a/2", "a", "b/a")] == ["ann", "bob", "bob", None]
    assert [table.value("ann", "gender"), table.value("ann", "age"), table.value("bob", "gender")] == ["f", "", ""]


def test_scored_trials_check_themselves():
    two = np.zeros(2, int)
    with pytest.raises(SettingsError, match=r"2 trials, but \{'items': 1\}"):
        ScoredPairs(scores=np.zeros(2), mated=two > 0, probes=two, items=np.zeros(1, int), identities=["a"])
    pairs = ScoredPairs(scores=np.zeros(2), mated=two > 0, probes=two, items=two, identities=["a"])
    assert list(pairs.chunks()) == [pairs] and len(pairs) == 2
    with pytest.raises(SettingsError, match="differ in shape"):
        ScoredMatching(scores=np.zeros((2, 3)), probes=two, candidates=np.zeros((2, 2), int), missing=two > 0,
                       identities=["a"])  # fmt: skip
