import logging
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trials.rows import pairs

from vfsearch.data.trial_list import Names, TrialBlock
from vfsearch.errors import SettingsError, TrialListError
from vfsearch.trials.identities import identities_by_labels, read_identities

LISTS = Path(__file__).parents[3] / "shared/data/wen2021_lists"
PEOPLE = "VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set\r\nid10117,CCH_Pounder,f,Guyana,dev\r\n"


@pytest.fixture
def table(tmp_path):
    def made(*texts, name="table{}"):
        paths = [tmp_path / name.format(number) for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_bytes(text.encode())
        return read_identities(paths)

    return made


@pytest.mark.parametrize(
    "text", [PEOPLE, PEOPLE.replace(",", "\t").replace("_ID", " ID"), PEOPLE.replace("\r\n", "\n\n")]
)
def test_people_with_two_names(table, text):
    found = table(text)
    assert found.identity("id10117/59-3D0HIDAc/00001.wav") == found.identity("CCH_Pounder/1.jpg") == "CCH_Pounder"
    assert found.columns == {"CCH_Pounder": {"gender": "f", "nationality": "Guyana", "set": "dev"}}
    assert found.identity("id1/x.wav") is None


def test_a_manifest(table):
    found = table(
        "path,modality,identity,id,gender,split,source\n"
        'a.wav,voice,p1,,f,train,film1\n"b,1.jpg",face,p1,photo,f,test,film2\nc.jpg,face,p2,,m,test,\n'
    )
    assert found.identities == {"a.wav": "p1", "photo": "p1", "c.jpg": "p2"}
    # The split differs between items of p1, so it is none of the person.
    assert found.columns == {"p1": {"gender": "f"}, "p2": {"gender": "m", "split": "test"}}
    assert found.sources == {"a.wav": "film1", "photo": "film2"}


def test_columns_of_items_are_told_of(table, caplog):
    with caplog.at_level(logging.INFO, "vfsearch"):
        table("item\tidentity\tage\na\tp\t30\nb\tp\t31\n")
    assert "age differs between items of 1 identities" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("jpg_20k.csv", "VoxCeleb1 ID\tjpg\nid2\tA/1.6/b/1.jpg\n", {"A/1.6/b/1.jpg": "id2"}),
        ("utt2spk", "u1 s1\nu2  s1\nu3 s2\n", {"u1": "s1", "u2": "s1", "u3": "s2"}),
        ("spk2utt", "s1 u1\ns2 u3\n", {"u1": "s1", "u3": "s2"}),
        ("people", "s1 s1-1 s1-2\ns2 s2_1\n", {"s1-1": "s1", "s1-2": "s1", "s2_1": "s2"}),
        ("train_list.txt", "id1 id1/v/1.wav\nid2 id2/v/1.wav\n", {"id1/v/1.wav": "id1", "id2/v/1.wav": "id2"}),
        ("identity_splits.txt", "A.J._Buckley 1 \nB 4\n", {"A.J._Buckley": "A.J._Buckley", "B": "B"}),
    ],
)
def test_other_layouts(table, name, text, found):
    assert table(text, name=name).identities == found


def test_sets_of_cmpc(table):
    assert table("A 1 \nB 4\n", name="identity_splits.txt").columns == {
        "A": {"split": "train"}, "B": {"split": "unseen-unheard"},
    }  # fmt: skip


def test_identities_are_followed_through_people_with_two_names(table):
    for texts in ([PEOPLE, "u1 id10117\n"], ["u1 id10117\n", PEOPLE]):
        assert table(*texts).identity("u1") == "CCH_Pounder"
    # Only through them: an item may be called as another's person is.
    assert table("a b\nx a\n").identities == {"a": "b", "x": "a"}


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([""], "is empty; wanted a table of items and identities"),
        (["path,modality\na,b\n"], "line 1: wanted the columns identity and item, id or path .* got path, modality"),
        (["path,identity\na,p\na,q\n"], r"table0, line 3: 'a' is of 'q', but of 'p' in .*table0, line 2; correct one"),
        (["a p\n", "b p\na q\n"], r"table1, line 2: 'a' is of 'q', but of 'p' in .*table0, line 1"),
        (["path,identity\na\n"], "line 2: wanted 2 cells as in the header, got 'a'"),
        (["path,identity\n,p\n"], "line 2: a name or an identity is empty"),
        (["path,identity\na,\n"], "line 2: a name or an identity is empty"),
        (["path,identity\n'a',\"p\"x\n"], "in the lines from 2"),
        ([PEOPLE + "id2,,f,UK,dev\n"], "line 3: an identity has no name"),
        (["a b 0.5 target\n"], "line 1: wanted an item and its identity .*, got 'a b 0.5 target'"),
        (["alone\n"], "line 1: wanted an item and its identity"),
        (["a\rb,c\n"], "line 1"),
        (["\udcff".encode("utf-8", "surrogateescape").decode("latin1") + "\0"], "NUL"),
    ],
)
def test_bad_tables(table, texts, said):
    with pytest.raises(TrialListError, match=said):
        table(*texts)


def test_unreadable(tmp_path):
    with pytest.raises(TrialListError, match=r"cannot read .*nowhere"):
        read_identities([tmp_path / "nowhere"])
    with pytest.raises(SettingsError, match="needs at least one file"):
        read_identities([])


def test_by_labels_golden():
    rows = [("a", "b", 1, None), ("c", "d", 0, None), ("e", "b", 1, None), ("f", "d", 1, None), ("g", "a", -1, None)]
    trials = pairs(rows, blocks=3)
    identity = identities_by_labels(trials.blocks(), trials.names)
    assert [identity(name) for name in "abcdefg"] == ["a", "a", "c", "f", "a", "f", "g"]
    assert identity("z") is None


def test_by_labels_of_matching_joins_probe_and_mate():
    names = Names("abc")
    block = TrialBlock(probes=np.array([0]), items=np.array([[1, 2]]), mated=np.array([1]), lines=np.array([1]))
    identity = identities_by_labels([block], names)
    assert [identity(name) for name in "abc"] == ["a", "a", "c"]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from((0, 1))), min_size=1), st.integers(1, 4)
)
def test_by_labels_are_connected_components(made, blocks):
    trials = pairs([(f"i{left}", f"i{right}", label, None) for left, right, label in made], blocks)
    identity = identities_by_labels(trials.blocks(), trials.names)
    groups = {name: {name} for name in trials.names.texts}
    for left, right, label in made:
        if label:
            joined = groups[f"i{left}"] | groups[f"i{right}"]
            groups.update(dict.fromkeys(joined, joined))
    texts = trials.names.texts
    assert all((identity(one) == identity(two)) == (two in groups[one]) for one in texts for two in texts)
    assert all(identity(name) in groups[name] for name in texts)


@pytest.mark.skipif(not LISTS.exists(), reason="needs the published lists")
def test_the_published_tables():
    found = read_identities(sorted(LISTS.glob("vox1_*.csv")))
    assert len(found.columns) == len(set(found.identities.values()))
    assert found.identity("id10117/59-3D0HIDAc/00001.wav") == "CCH_Pounder"
    assert {each["gender"] for each in found.columns.values()} == {"f", "m"}
