import numpy as np
import pytest
from index_changes import KINDS, build, gallery, kept

from vfsearch.artefact import read_artefact
from vfsearch.devices import set_threads
from vfsearch.errors import ArtefactError, MissingExtraError
from vfsearch.index.absence import Gone
from vfsearch.index.backends import BACKENDS
from vfsearch.index.layout import file_of
from vfsearch.index.updating import update_index
from vfsearch.index.verifying import verify_index

ROWS = 160


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """The same rows give the same graph."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    set_threads(1)


def gone(*rows: int, of=None) -> Gone:
    """Rows of `gallery` of which nothing may be left."""
    every = gallery(ROWS) if of is None else of
    some = every.take(np.array(rows))
    texts = (*some.identities, *some.ids, *some.columns["path"])
    return Gone(what=f"the identity {some.identities[0]!r}", texts=texts, ids=tuple(some.ids), vectors=some.vectors)


def resealed(folder, role: str, change):
    """An index one of whose files another program wrote: all digests fit."""
    artefact = read_artefact(folder, "index", 2, "a test")
    name = file_of(artefact, role)
    facts = artefact.files[name]
    artefact.add(name, change((folder / name).read_bytes()), role=facts["role"])
    artefact.write()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_left_of_removed_rows(kind, tmp_path):
    folder = tmp_path / "face"
    build(folder, kind, gallery(ROWS))
    before = verify_index(folder, [gone(8, 9, 10, 11)])
    assert len(before.faults) >= 4 and "4 removed rows, the first is 'photo-number-8'" in "".join(before.faults)
    update_index(folder, kept(ROWS, 8, 9, 10, 11))
    found = verify_index(folder, [gone(8, 9, 10, 11)])
    assert found.faults == () and found.unproved == ()
    assert (found.rows, found.modality, found.files) == (ROWS - 4, "face", len(list(folder.iterdir())) - 2)
    assert found.proved == (
        f"each of {found.files} files has the size and digest that were written",
        f"every entry of every file is of one of the {ROWS - 4} rows, and every row has its entry",
        "no entry of the index is the identity 'person-number-2', nor one of its 4 ids",
        "the identity 'person-number-2': no 16 bytes of 4 rows are in any file, as float32 or float16, at any place",
    )
    assert found.to_json()["folder"] == str(folder)


@pytest.fixture
def removed(tmp_path):
    """An index from which rows 8 to 11 were removed."""
    build(tmp_path / "face", "exact", gallery(ROWS))
    update_index(tmp_path / "face", kept(ROWS, 8, 9, 10, 11))
    return tmp_path / "face"


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (gallery(ROWS).vectors[9].tobytes(), "holds numbers of 1 removed rows, the first is 'photo-number-9'"),
        (gallery(ROWS).vectors[9].astype("f2").tobytes(), "holds numbers of 1 removed rows"),
        (gallery(ROWS).vectors[8:10].tobytes()[60:80], "holds numbers of 1 removed rows"),
        (b"photo-number-10", "holds the text 'photo-number-10'"),
    ],
    ids=["float32", "float16", "pieces", "text"],
)
def test_what_is_left_beside_the_files(removed, left, said):
    for name in ("old-vectors.npy", "building/step-codes"):
        path = removed / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"abc" + left + b"abc")
        faults = "\n".join(verify_index(removed, [gone(8, 9, 10, 11)]).faults)
        assert f"{path} {said}" in faults and "is no file of the index" in faults
        path.unlink()


def test_names_that_are_parts_of_other_names(removed):
    update_index(removed, kept(ROWS - 4, 1))
    found = verify_index(removed, [gone(1)])
    assert "rows have 'person-number-0'" in found.faults[0], "three rows of that person are there"
    by_id = Gone(what="the id 'photo-number-1'", texts=("photo-number-1", "photos/0/1.png"))
    assert verify_index(removed, [by_id]).faults == (), "photo-number-10 and photo-number-100 are others"
    short = Gone(what="the identity '7'", texts=("7",), unknown="no store")
    found = verify_index(removed, [short])
    assert found.faults == () and found.unproved[0] == "the identity '7': no store"
    assert "short texts such as '7' (1 of less than 8 bytes)" in found.unproved[1]


def test_rows_that_stay_and_are_equal(tmp_path):
    rows = gallery(ROWS)
    rows.vectors[50] = rows.vectors[8]
    build(tmp_path / "face", "exact", rows)
    update_index(tmp_path / "face", kept(ROWS, 8, 9, 10, 11))
    found = verify_index(tmp_path / "face", [gone(8, 9, 10, 11, of=rows)])
    assert found.faults == ()
    said = "1 rows cannot be told from rows that stay, such as 'photo-number-8' from 'photo-number-50'"
    assert said in found.unproved[0]
    assert "no 16 bytes of 3 rows" in found.proved[-1]


def test_rows_of_few_different_numbers(tmp_path):
    rows = gallery(8)
    rows.vectors[:] = np.eye(16, dtype=np.float32)[:8]
    build(tmp_path / "face", "exact", rows)
    update_index(tmp_path / "face", kept(8, 0))
    found = verify_index(tmp_path / "face", [gone(0, of=rows)])
    assert "1 rows have too few different numbers to be recognised" in "".join(found.unproved)


@pytest.mark.parametrize("name", ["old.npy", "building", ".vfsearch.0123abcd.partial", "0123abcd-index.faiss"])
def test_what_does_not_belong_there(removed, name):
    (removed / name).mkdir() if name == "building" else (removed / name).write_bytes(b"x")
    (fault,) = verify_index(removed).faults
    left = name == "building" or name.startswith(".vfsearch.")
    why = "a killed or running writer left it" if left else "the index does not list it"
    assert f"{removed / name} is no file of the index: {why}" in fault


def test_damage_is_named_file_by_file(removed):
    paths = [path for path in removed.iterdir() if path.suffix in (".npy", ".safetensors")]
    for path in paths:
        path.write_bytes(path.read_bytes()[:-1] + b"\x00x")
    found = verify_index(removed, [gone(8)])
    assert len(found.faults) == 2 and found.proved == ()
    for path in paths:
        assert any(str(path) in fault and "is damaged" in fault for fault in found.faults)
    (removed / "MANIFEST.json").write_bytes(b"{}")
    assert "MANIFEST.json is damaged" in verify_index(removed).faults[0]
    with pytest.raises(ArtefactError, match="no index at"):
        verify_index(removed / "nothing")


def test_bytes_of_no_row_and_of_no_text(removed):
    resealed(removed, "vectors.npy", lambda data: data + bytes(64))
    assert "vectors.npy has bytes that belong to no row" in verify_index(removed).faults[0]
    resealed(removed, "vectors.npy", lambda data: data[:-64])
    resealed(removed, "items.safetensors", lambda data: data + b"photo-number-8")
    assert "items.safetensors has bytes that belong to no text" in verify_index(removed).faults[0]


@pytest.mark.skipif("ivf" not in KINDS, reason="needs faiss")
def test_an_entry_of_no_row(tmp_path):
    build(tmp_path / "face", "ivf", gallery(ROWS), lists=1)
    last = np.int64(ROWS - 1).tobytes()
    resealed(tmp_path / "face", "index.faiss", lambda data: data.replace(last, np.int64(3).tobytes()))
    faults = "".join(verify_index(tmp_path / "face").faults)
    assert "rows with several entries" in faults or "rows without an entry" in faults, faults


def test_a_back_end_that_is_not_installed(removed, monkeypatch):
    def missing(name):
        raise MissingExtraError(f"the index back end {name!r} needs magic")

    monkeypatch.setattr(type(BACKENDS), "load", lambda self, name: missing(name))
    found = verify_index(removed)
    assert found.faults == () and "needs magic" in found.unproved[0]
    assert len(found.proved) == 1
