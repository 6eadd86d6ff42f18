import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from trials.rows import pairs, read, rows, sides, written

from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import load_format, open_trials, recognise
from vfsearch.trials.formats.lines import read_head
from vfsearch.trials.formats.wen2021 import Wen2021, kind_of, result_lines

SHARED = Path(__file__).parents[3] / "shared"
LISTS = SHARED / "data/wen2021_lists"
MATCH = b"id1/v/1.wav Amy/1.jpg Bob/1.jpg\nid1/v/1.wav Amy/2.jpg Cid/1.jpg\n"
VERIFY = b"id1/v/1.wav Amy/1.jpg\nid1/v/1.wav Bob/1.jpg\n"
RETRIEVAL = b"id1/v/1.wav id2/v/1.wav\nAmy/1.jpg Bob/1.jpg Cid/1.jpg\n"
TABLE = "VoxCeleb1_ID,VGGFace1_ID,Gender,Nationality,Set\r\nid1,Amy,f,USA,dev\r\nid2,Bob,m,UK,dev\r\n"


def test_matching(tmp_path):
    found = read(tmp_path, "wen2021", MATCH, "match_v2f_2_val.txt")
    assert (found.kind, found.candidates, found.labelled, found.scored) == ("matching", 2, True, False)
    assert rows(found) == [
        ("id1/v/1.wav", ("Amy/1.jpg", "Bob/1.jpg"), 1, ()),
        ("id1/v/1.wav", ("Amy/2.jpg", "Cid/1.jpg"), 1, ()),
    ]
    assert written("wen2021", found) == MATCH


def test_verification_has_no_labels(tmp_path):
    found = read(tmp_path, "wen2021", VERIFY, "verify_v2f_test.txt")
    assert (found.kind, found.labelled) == ("verification", False)
    assert [row[2] for row in rows(found)] == [-1, -1]
    assert written("wen2021", found) == VERIFY


def test_retrieval(tmp_path):
    found = read(tmp_path, "wen2021", RETRIEVAL, "reterival_v2f_test.txt")
    assert found.kind == "retrieval" and list(found.blocks()) == []
    assert sides(found) == (["id1/v/1.wav", "id2/v/1.wav"], ["Amy/1.jpg", "Bob/1.jpg", "Cid/1.jpg"])
    assert written("wen2021", found) == RETRIEVAL


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("match_x.txt", MATCH, "matching"),
        ("verify_g_x.txt.gz", VERIFY, "verification"),
        ("reterival_x.txt", RETRIEVAL, "retrieval"),
        ("retrieval_x.txt", RETRIEVAL, "retrieval"),
        ("x.txt", MATCH, "matching"),
        ("x.txt", VERIFY, "verification"),
        ("x.txt", RETRIEVAL, "retrieval"),
        ("x.txt", b"a.wav b.wav\nc.jpg d.jpg\n", "retrieval"),
        ("x.txt", b" ".join([b"id1/v/1.wav"] * 9000) + b"\nAmy/1.jpg\n", "retrieval"),
        ("x.txt", b"id1/v/1.wav\n" + b" ".join([b"Amy/1.jpg"] * 9000), "retrieval"),
        ("x.txt", b"id1/v/1.wav" + b" Amy/1.jpg" * 9000, "matching"),
        ("x.txt", b"alone\n", None),
    ],
)
def test_the_kind_is_told_by_the_name_or_else_by_the_lines(tmp_path, name, data, kind):
    path = tmp_path / name
    path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
    assert kind_of(read_head(path)) == kind
    if kind:
        assert recognise(path) == ("wen2021", 2 if name == "x.txt" else 3)


@pytest.mark.parametrize("data", [b"a b 0.5\nc d 0.7\n", b"a b target\nc d\nc\n", b"alone\n"])
def test_what_it_is_not(tmp_path, data):
    path = tmp_path / "match_list"
    path.write_bytes(data)
    assert Wen2021().recognise(read_head(path)) == 0


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("match_x.txt", b"", "line 1: wanted probe, its mate and at least one other name, got 0"),
        ("match_x.txt", b"a b\n", "line 1: wanted probe, its mate and at least one other name, got 2"),
        ("match_x.txt", b"a b c\n\na b c d\n", "line 3: wanted 3 names parted by blanks, as in the first line"),
        ("verify_x.txt", b"a b\na\n", "line 2: wanted 2 names parted by blanks, got 'a'"),
        ("reterival_x.txt", b"a b\n", "wanted two lines, probes and gallery, got 1"),
        ("reterival_x.txt", b"a b\nc\nd\n", "line 3: wanted the end of the file"),
        ("x.txt", b"", "line 1: wanted at least two names"),
    ],
)  # fmt: skip
def test_bad_lines(tmp_path, name, data, said):
    with pytest.raises(TrialListError, match=said):
        found = read(tmp_path, "wen2021", data, name)
        list(found.blocks())
        found.sides()


def test_tables_that_lie_beside_tell_identities(tmp_path):
    (tmp_path / "vox1_test.csv").write_text(TABLE)
    (tmp_path / "vox1_val.csv").write_text(TABLE.replace("id1", "id7"))
    found = read(tmp_path, "wen2021", VERIFY, "verify_v2f_test.txt")
    assert found.about == {"identities": ["vox1_test.csv"]} and not found.labelled
    names = ["id1/v/1.wav", "Amy/1.jpg", "Cid/1.jpg", "id7/v/1.wav"]
    assert list(map(found.identities, names)) == ["Amy", "Amy", None, None]
    other = read(tmp_path, "wen2021", VERIFY, "verify_v2f.txt")
    assert other.about == {"identities": ["vox1_test.csv", "vox1_val.csv"]}
    assert other.identities("id7/v/1.wav") == "Amy"


def test_without_tables_nothing_is_told(tmp_path):
    found = read(tmp_path, "wen2021", VERIFY)
    assert found.identities is None and found.about == {}


def owner(name):
    return {"id1": "Amy", "id2": "Bob"}.get(name.split("/")[0], name.split("/")[0])


def test_labels_that_identities_imply_can_be_left_out():
    made = [("id1/v/1.wav", "Amy/1.jpg", 1, None), ("id1/v/1.wav", "Bob/1.jpg", 0, None)]
    assert written("wen2021", pairs(made, identities=owner)) == VERIFY


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (pairs([("id1/1.wav", "Amy/1.jpg", 1, None)]), "no identities are known that imply them .*--drop labels"),
        (pairs([("id1/1.wav", "Amy/1.jpg", 0, None)], identities=owner), "that of line 1 is not what the identities"),
        (pairs([("a", "b", -1, 0.5)]), "no place for scores"),
        (pairs([("a b", "c", -1, None)]), "the name 'a b' has a blank in it"),
        (pairs([("a", "b", 1, None)], kind="relevance"), "holds lists of matching or verification or retrieval"),
    ],
)
def test_what_cannot_be_written(trials, said):
    with pytest.raises(TrialListError, match=f"made cannot be written as wen2021: .*{said}"):
        written("wen2021", trials)


def test_files_are_called_as_the_authors_programs_want():
    files = load_format("wen2021").files
    trials = pairs([("a", "b", -1, None)])
    assert list(files(trials, "pairs")) == ["verify_pairs.txt"]
    assert list(files(trials, "verify_v2f")) == ["verify_v2f.txt"]


def test_result_lines():
    assert (
        result_lines({"match_v2f_2_test": np.float64(0.872), "verify": 1.0}) == "match_v2f_2_test 0.872\nverify 1.0\n"
    )


@pytest.mark.skipif(not LISTS.exists(), reason="needs the published lists")
@pytest.mark.parametrize("path", sorted(LISTS.glob("*.gz")), ids=lambda path: path.name.partition(".")[0])
def test_the_published_lists(path):
    expected = json.loads((SHARED / "reference/expected.json").read_text())[path.name.partition(".")[0]]
    assert recognise(path) == ("wen2021", 3)
    found = open_trials(path)
    content = b"".join(load_format("wen2021").write(found))
    assert content.removesuffix(b"\n") == gzip.decompress(path.read_bytes()).removesuffix(b"\n")
    assert len(found.names) == expected["names"]
    assert content.count(b"\n") == expected["trials"]
    assert None not in set(map(found.identities, found.names.texts))
