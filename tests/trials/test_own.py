import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trials.rows import extra, pairs, read, rows, sides, written

from vfsearch.data.trial_list import KINDS, Names, RetrievalSides, TrialBlock, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.escapes import escape, unescape

GOLDEN = (
    b'#vfsearch verification 1 {"seed": 7}\n'
    b"probe\titem\tmated\tprobe_identity\titem_identity\tscore\tside\n"
    b"v\\t1\tf1\t1\tA\tA\t0.1\ta\n"
    b"v2\tf1\t?\t\tA\tnan\tb\n"
    b"v2\tf2\t0\t\t\t-inf\tc\n"
)
ANY_NAME = st.text(st.characters(), min_size=1, max_size=5)


def test_golden(tmp_path):
    found = read(tmp_path, "vfsearch", GOLDEN.replace(b"side", b"channel"))
    assert (found.kind, found.format, found.labelled, found.scored, found.about) == (
        "verification", "vfsearch", True, True, {"seed": 7},
    )  # fmt: skip
    assert [row[:3] for row in rows(found)] == [("v\t1", ("f1",), 1), ("v2", ("f1",), -1), ("v2", ("f2",), 0)]
    np.testing.assert_array_equal([row[3][0] for row in rows(found)], [0.1, np.nan, -np.inf])
    assert extra(found) == {"channel": ["a", "b", "c"]}
    assert list(map(found.identities, ["v\t1", "f1", "v2", "f2", "x"])) == ["A", "A", None, None, None]
    assert [block.lines.tolist() for block in found.blocks()] == [[3, 4, 5]]
    assert written("vfsearch", found) == GOLDEN.replace(b"side", b"channel")


def test_matching(tmp_path):
    data = (
        b"#vfsearch matching 1 {}\n"
        b"probe\tmate\tother_1\tprobe_identity\tmate_identity\tother_1_identity\tscore_mate\tscore_1\n"
        b"v1\tf1\tg1\tA\tA\tB\t0.5\t0.25\n"
    )
    found = read(tmp_path, "vfsearch", data)
    assert (found.candidates, found.labelled, rows(found)) == (2, True, [("v1", ("f1", "g1"), 1, (0.5, 0.25))])
    assert found.identities("g1") == "B"
    assert written("vfsearch", found) == data


def test_retrieval(tmp_path):
    data = b"#vfsearch retrieval 1 {}\nside\titem\tidentity\nprobe\tv1\tA\ngallery\tf1\tA\ngallery\tf2\t\n"
    found = read(tmp_path, "vfsearch", data)
    assert sides(found) == (["v1"], ["f1", "f2"]) and list(found.blocks()) == []
    assert (found.identities("f1"), found.identities("f2")) == ("A", None)
    assert written("vfsearch", found) == data


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_empty_lists(tmp_path, kind):
    names, none = Names(), np.empty(0, dtype=np.int64)
    made = TrialList(
        kind=kind, format="", where="made", names=names, blocks=lambda: iter(()),
        sides=(lambda: RetrievalSides(probes=none, gallery=none)) if kind == "retrieval" else None,
        candidates=5 if kind == "matching" else None,
    )  # fmt: skip
    found = read(tmp_path, "vfsearch", written("vfsearch", made))
    assert (found.kind, found.candidates, list(found.blocks())) == (kind, made.candidates, [])


def test_grades(tmp_path):
    found = read(tmp_path, "vfsearch", b"#vfsearch relevance 1 {}\nprobe\titem\tgrade\nq\ta\t-2\nq\tb\t3\n")
    assert [row[2] for row in rows(found)] == [-2, 3]


@given(st.lists(st.tuples(ANY_NAME, ANY_NAME, st.sampled_from((0, 1, -1)), st.floats()), min_size=1, max_size=6),
       st.integers(1, 3), st.booleans())  # fmt: skip
def test_written_then_read_is_equal(made, blocks, known):
    told = {name: name[::-1] for row in made for name in row[:2]}
    trials = pairs(made, blocks, labelled=True, identities=told.get if known else None, about={"é\n": [None, 1.5]},
                   extra={"note": [row[0] for row in made]})  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        found = read(Path(folder), "vfsearch", written("vfsearch", trials))
        assert repr(rows(found)) == repr(rows(trials))
        assert extra(found) == extra(trials)
        assert found.about == trials.about
        if known:
            assert all(found.identities(name) == identity for name, identity in told.items())
        assert (found.identities is not None) == known


@given(st.text(st.characters()))
def test_escapes(text):
    cell = escape(text)
    assert unescape(cell) == text
    assert not set(cell) & set("\t\r\n\0") and (not text or cell.strip())
    cell.encode()


HEAD = b"#vfsearch verification 1 {}\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "line 1: wanted `#vfsearch <kind> 1"),
        (b"#vfsearch verification\n", "line 1: wanted `#vfsearch <kind> 1"),
        (
            b"#vfsearch dances 1 {}\nx\n",
            "line 1: a list of dances in version 1; this vfsearch reads version 1 of verif",
        ),
        (b"#vfsearch matching 2 {}\nx\n", "a list of matching in version 2"),
        (b"#vfsearch matching 1 {x}\nx\n", "line 1: what follows the version is no JSON"),
        (HEAD, "line 2: the names of the columns are missing"),
        (HEAD + b"probe\tmated\n", "line 2: a list of verification needs the columns probe, item; there is no item"),
        (HEAD + b"probe\titem\titem\n", "line 2: a column is there twice"),
        (HEAD + b"probe\titem\titem_identity\n", "there is no probe_identity"),
        (b"#vfsearch matching 1 {}\nprobe\tmate\n", "needs a column other_1"),
        (b"#vfsearch matching 1 {}\nprobe\tmate\tother_2\n", "there is no other_1"),
        (HEAD + b"probe\titem\na\n", r"line 3: wanted 2 cells parted by tabs \(probe, item\), got 'a'"),
        (HEAD + b"probe\titem\na\t\n", "line 3: wanted a name in each column of items"),
        (HEAD + b"probe\titem\tmated\na\tb\tyes\n", "line 3: wanted 1, 0 or [?] in the column mated"),
        (HEAD + b"probe\titem\tscore\na\tb\tc\n", "line 3: wanted a number as score"),
        (HEAD + b"probe\titem\na\tb\na\\x\tb\n", "line 4: wanted no other backslashes"),
        (
            HEAD + b"probe\titem\tprobe_identity\titem_identity\na\tb\tA\tB\na\tb\tC\tB\n",
            "line 4: wanted the identity 'A'",
        ),
        (b"#vfsearch relevance 1 {}\nprobe\titem\tgrade\na\tb\t9999999999\n", "line 3: wanted a whole number as grade"),
        (b"#vfsearch retrieval 1 {}\nside\titem\nleft\ta\n", "line 3: wanted probe or gallery"),
    ],
)
def test_bad_files(tmp_path, data, said):
    with pytest.raises(TrialListError, match=said):
        found = read(tmp_path, "vfsearch", data)
        list(found.blocks())
        found.sides()


def test_a_further_column_must_not_take_a_name_of_ours():
    with pytest.raises(TrialListError, match="its column 'score' has a name that is taken"):
        written("vfsearch", pairs([("a", "b", 1, None)], extra={"score": ["1"]}))


def test_lists_that_contradict_themselves():
    with pytest.raises(TrialListError, match="an item has an empty name"):
        written("vfsearch", pairs([("", "b", 1, None)]))
    names = Names("abc")
    block = TrialBlock(probes=np.array([0]), items=np.array([[1, 2]]), mated=np.array([1]), lines=np.array([9]))
    trials = TrialList(
        kind="matching", format="", where="made", names=names, blocks=lambda: iter([block]), candidates=3
    )
    with pytest.raises(TrialListError, match="a list of 3 items a trial, line 9 has 2"):
        written("vfsearch", trials)
