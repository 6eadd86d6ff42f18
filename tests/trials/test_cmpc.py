import pytest
from trials.rows import extra, pairs, read, rows, sides, written

from vfsearch.data.identity_table import IdentityTable
from vfsearch.data.trial_list import Names, RetrievalSides, TrialList
from vfsearch.errors import TrialListError
from vfsearch.trials.formats.catalog import load_format, open_trials, recognise
from vfsearch.trials.formats.cmpc import with_voxceleb_names

MATCHING = (
    b"id10002/w9H-ZMvdE9M/00001.wav A.R._Rahman/1.6/6WO410QOeuo/0005575.jpg Donald_Glover/1.6/Y9xDOjtIlnY/0005300.jpg\n"
)
META = "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10002\tA.R._Rahman\tm\tIndia\ttest\n"
VERIFICATION = (
    b"id,voice-speaker-id,face-speaker-id,label,voice-path,face-path\n"
    b"1,2,2,1,A.R._Rahman/gaQqIoV_aLY_0000001.wav,A.R._Rahman/QanuGhOhb9A/0035550.jpg\n"
    b"2,2,7,0,A.R._Rahman/gaQqIoV_aLY_0000012.wav,B_B/1234567890_/0000001.jpg\n"
)
WAV = b"VoxCeleb1 ID\twav\nid10002\tid10002/0_laIeN-Q44/00001.wav\nid10003\tid10003/x/1.wav\n"
JPG = b"VoxCeleb1 ID\tjpg\nid10002\tA.R._Rahman/1.6/6WO410QOeuo/0003800.jpg\n"


@pytest.fixture
def folder(tmp_path):
    """As CMPC has it: the lists in a folder below the table."""
    (tmp_path / "vox1_meta.csv").write_text(META)
    (tmp_path / "lists").mkdir()
    return tmp_path / "lists"


def test_matching(folder):
    found = read(folder, "cmpc-matching", MATCHING, "matching_v2f_U.csv")
    voice, *faces = MATCHING.decode().split()
    assert (found.candidates, rows(found)) == (2, [(voice, tuple(faces), 1, ())])
    assert list(map(found.identities, [voice, *faces])) == ["A.R._Rahman", "A.R._Rahman", None]
    assert found.about == {"identities": ["vox1_meta.csv"]}
    assert written("cmpc-matching", found) == MATCHING


@pytest.mark.parametrize(
    ("name", "data", "format"),
    [
        ("matching_v2f_U.csv", MATCHING, "cmpc-matching"),
        ("veriflist_test_random_seenheard.txt", VERIFICATION, "cmpc-verification"),
        ("wav_20k.csv", WAV, "cmpc-retrieval"),
        ("match_v2f.txt", b"id1/v/1.wav Amy/1.jpg Bob/1.jpg\n", "wen2021"),
    ],
)
def test_recognised(tmp_path, name, data, format):
    (tmp_path / name).write_bytes(data)
    assert recognise(tmp_path / name) == (format, 3)


def test_verification_without_a_table_keeps_the_names(tmp_path):
    found = read(tmp_path, "cmpc-verification", VERIFICATION)
    assert (found.kind, found.labelled, found.about) == ("verification", True, {"names": "as in the file"})
    assert rows(found) == [
        ("A.R._Rahman/gaQqIoV_aLY_0000001.wav", ("A.R._Rahman/QanuGhOhb9A/0035550.jpg",), 1, ()),
        ("A.R._Rahman/gaQqIoV_aLY_0000012.wav", ("B_B/1234567890_/0000001.jpg",), 0, ()),
    ]
    assert extra(found) == {"id": ["1", "2"]}
    assert [found.identities(name) for name in found.names.texts] == ["2", "2", "2", "7"]
    assert written("cmpc-verification", found) == VERIFICATION


def test_verification_with_a_table_has_the_names_of_voxceleb(folder):
    found = read(folder, "cmpc-verification", VERIFICATION)
    assert found.about == {"names": "as in VoxCeleb1"}
    assert [row[:2] for row in rows(found)] == [
        ("id10002/gaQqIoV_aLY/00001.wav", ("A.R._Rahman/1.6/QanuGhOhb9A/0035550.jpg",)),
        ("id10002/gaQqIoV_aLY/00012.wav", ("B_B/1.6/1234567890_/0000001.jpg",)),
    ]
    assert found.identities("id10002/gaQqIoV_aLY/00012.wav") == "2"
    assert found.identities("nobody") is None
    again = read(folder, "cmpc-verification", written("cmpc-verification", found))
    assert rows(again) == rows(found)
    assert list(map(again.identities, again.names.texts)) == ["2", "2", "2", "7"]


def test_a_table_given_later_does_the_same(tmp_path):
    found = read(tmp_path, "cmpc-verification", VERIFICATION)
    unhelpful = IdentityTable(identities={"A.R._Rahman": "x"})
    assert with_voxceleb_names(found, unhelpful) is found
    table = IdentityTable(identities={"id10002": "x", "A.R._Rahman": "x"})
    renamed = with_voxceleb_names(found, table)
    assert rows(renamed)[0][0] == "id10002/gaQqIoV_aLY/00001.wav"
    assert with_voxceleb_names(renamed, table) is renamed


def test_a_person_that_the_table_lacks(folder):
    data = VERIFICATION.replace(b"A.R._Rahman/gaQqIoV_aLY_0000012", b"No_One/gaQqIoV_aLY_0000012")
    found = read(folder, "cmpc-verification", data)
    with pytest.raises(TrialListError, match=r"'No_One/gaQqIoV_aLY_0000012.wav' is of 'No_One', of whom .*vox1_meta"):
        rows(found)


HEADER = VERIFICATION.split(b"\n")[0] + b"\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"a,b\n", "line 1: wanted the header id,voice"),
        (b"", "line 1: wanted the header id,voice"),
        (HEADER + b"1,2,2,1,a\n", "line 2: wanted id,voice-speaker-id"),
        (HEADER + b"1,2,2,yes,a,b\n", "line 2: wanted the label 1 or 0 in the fourth column"),
        (HEADER + b"1,2,2,1,a,b\n2,3,2,1,a,b\n", "line 3: wanted the identity '2' for 'a'"),
    ],
)
def test_bad_verification(tmp_path, data, said):
    with pytest.raises(TrialListError, match=said):
        rows(read(tmp_path, "cmpc-verification", data))


def test_verification_is_numbered_where_it_had_no_ids():
    trials = pairs([("a", "b", 1, None), ("a", "c", 0, None)], blocks=2)
    assert written("cmpc-verification", trials) == HEADER + b"1,,,1,a,b\n2,,,0,a,c\n"


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (pairs([("a", "b", -1, None)]), "it needs labels, and the list has none"),
        (pairs([("a", "b", 1, None), ("a", "b", -1, None)]), "it needs labels, and line 2 has none"),
        (pairs([("a,b", "c", 1, None)]), "the name 'a,b' is empty, has ','"),
    ],
)
def test_verification_that_cannot_be_written(trials, said):
    with pytest.raises(TrialListError, match=said):
        written("cmpc-verification", trials)


@pytest.mark.parametrize(("probes", "gallery"), [("wav", "jpg"), ("jpg", "wav")])
def test_retrieval_is_two_tables(tmp_path, probes, gallery):
    for name, data in (("wav_20k.csv", WAV), ("jpg_20k.csv", JPG)):
        (tmp_path / name).write_bytes(data)
    found = open_trials(tmp_path / f"{probes}_20k.csv")
    names = {"wav": ["id10002/0_laIeN-Q44/00001.wav", "id10003/x/1.wav"],
             "jpg": ["A.R._Rahman/1.6/6WO410QOeuo/0003800.jpg"]}  # fmt: skip
    assert sides(found) == (names[probes], names[gallery])
    assert found.identities(names["jpg"][0]) == "id10002" and found.about == {"gallery": f"{gallery}_20k.csv"}
    files = load_format("cmpc-retrieval").files(found, f"{probes}_20k")
    assert {name: b"".join(rows) for name, rows in files.items()} == {"wav_20k.csv": WAV, "jpg_20k.csv": JPG}
    assert next(iter(files)) == f"{probes}_20k.csv"
    assert written("cmpc-retrieval", found) == {"wav": WAV, "jpg": JPG}[probes]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("wav_20k.csv", WAV, "cannot read .*jpg_20k.csv"),
        ("clips.csv", WAV, "clips.csv is one side of retrieval; the other must lie beside it, named with jpg"),
        ("wav_20k.csv", b"id\twav\n", "line 1: wanted the header `VoxCeleb1 ID`, a tab, and wav or jpg"),
        ("wav_20k.csv", b"", "line 1: wanted the header"),
    ],
)
def test_retrieval_of_one_table(tmp_path, name, data, said):
    with pytest.raises(TrialListError, match=said):
        read(tmp_path, "cmpc-retrieval", data, name)


def test_a_bad_row_of_the_other_table(tmp_path):
    (tmp_path / "jpg_20k.csv").write_bytes(JPG + b"id1\n")
    with pytest.raises(TrialListError, match=r"jpg_20k.csv, line 3: wanted an identity and an item"):
        read(tmp_path, "cmpc-retrieval", WAV, "wav_20k.csv").sides()


def retrieval(probes, gallery, identities=str):
    names = Names()
    both = RetrievalSides(probes=names.numbers(probes), gallery=names.numbers(gallery))
    return TrialList(kind="retrieval", format="", where="made", names=names, blocks=lambda: iter(()),
                     sides=lambda: both, identities=identities)  # fmt: skip


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (retrieval(["a.wav"], ["b.jpg"], None), "it needs identities, which are not known; --identities gives them"),
        (retrieval(["a.wav"], ["b.wav"]), "it holds clips against photos, here both sides are wav"),
        (retrieval(["a.wav", "b.flac"], ["b.jpg"]), "a side must be all .wav or all .jpg"),
    ],
)
def test_retrieval_that_cannot_be_written(trials, said):
    with pytest.raises(TrialListError, match=said):
        written("cmpc-retrieval", trials)
