import numpy as np
import pytest
from trials.rows import pairs, rows

from vfsearch.data.identity_table import IdentityTable
from vfsearch.errors import TrialListError
from vfsearch.trials.opened import open_with_identities, with_identities
from vfsearch.trials.owners import Owners, implied_labels, with_labels
from vfsearch.trials.renamed import renamed

MADE = [("a1", "a2", -1, None), ("a1", "b1", -1, None), ("b1", "a2", 1, None)]


def first_letter(name):
    return name[0] if name[0] in "ab" else None


def test_numbers_of_identities_grow_with_the_names():
    trials = pairs(MADE)
    owners = Owners(trials.names, first_letter)
    assert trials.names.texts == ["a1", "b1", "a2"]
    assert owners.numbers(np.array([0, 1, 2])).tolist() == [0, 1, 0]
    trials.names.numbers(["x", "b9"])
    assert owners.numbers(np.array([[3, 4]])).tolist() == [[-1, 1]]


def test_labels_follow_from_identities():
    trials = pairs([("a1", "a2", -1, None), ("a1", "b1", 1, None), ("x", "x", 1, None)])
    (block,) = trials.blocks()
    assert implied_labels(block, Owners(trials.names, first_letter)).tolist() == [1, 0, -1]


def test_labels_are_filled_where_there_are_none():
    found = with_labels(pairs(MADE, blocks=2, identities=first_letter))
    assert found.labelled and [row[2] for row in rows(found)] == [1, 0, 1]


@pytest.mark.parametrize(
    "changes", [{"labelled": True, "identities": first_letter}, {"identities": None}, {"kind": "ranking"}]
)
def test_other_lists_stay_as_they_are(changes):
    trials = pairs(MADE, **changes)
    assert with_labels(trials) is trials


def test_an_unknown_identity_is_named_with_its_line():
    for made in ([("a1", "a2", -1, None), ("x", "a1", -1, None)], [("a1", "a2", -1, None), ("a1", "x", -1, None)]):
        with pytest.raises(TrialListError, match=r"made, line 2: whose 'x' is is not known, .* with --identities"):
            rows(with_labels(pairs(made, identities=first_letter)))


def test_a_table_goes_before_what_the_list_tells():
    table = IdentityTable(identities={"a1": "table"})
    found = with_identities(pairs(MADE, identities=first_letter), table).identities
    assert [found("a1"), found("b1"), found("x")] == ["table", "b", None]
    assert with_identities(pairs(MADE), table).identities("b1") is None


def test_opened_with_a_table(tmp_path):
    path = tmp_path / "verify.txt"
    path.write_text("a/1.wav b/1.jpg\n")
    assert open_with_identities(path, None, None).identities is None
    found = open_with_identities(path, "wen2021", IdentityTable(identities={"a": "A"}))
    assert found.identities("a/1.wav") == "A"


def test_renamed():
    trials = pairs(MADE, blocks=3, identities=first_letter)
    found = renamed(trials, str.upper)
    assert [row[:3] for row in rows(found)] == [("A1", ("A2",), -1), ("A1", ("B1",), -1), ("B1", ("A2",), 1)]
    assert (found.identities("A1"), found.identities("a1")) == ("a", None)
