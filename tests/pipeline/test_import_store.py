import csv
import pickle

import numpy as np
import pytest
import torch
from builders import unit_rows

from vfsearch.data.shard import Shard
from vfsearch.errors import InputError, MismatchError, SettingsError
from vfsearch.pipeline.import_store import VectorFiles, import_vectors
from vfsearch.store.exporting import Export, export_store
from vfsearch.store.inspect import verify
from vfsearch.store.store import open_store

IDS = [f"id{row % 3}/clip{row}.wav" for row in range(9)]
ROWS = unit_rows(9, 6) * np.arange(1, 10, dtype=np.float32)[:, None]


def voice(*paths, **more):
    return VectorFiles(paths=paths, modality="voice", space="mine", **{"identity_from_path": True, **more})


def write_npy(folder, rows=ROWS, ids=IDS, name="a"):
    np.save(folder / f"{name}.npy", rows)
    with (folder / f"{name}.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["id", "identity", "split"], *([id_, f"p{n % 3}", "test"] for n, id_ in enumerate(ids))]
        )
    return folder / f"{name}.npy"


def stored(folder):
    rows = open_store(folder).load("voice")
    return rows, rows.vectors


def test_npy_with_a_table_beside(tmp_path):
    found = import_vectors([voice(write_npy(tmp_path))], tmp_path / "store")
    rows, vectors = stored(tmp_path / "store")
    assert found == {"voice": (9, 0)} and rows.ids == IDS and rows.identities[:3] == ["p0", "p1", "p2"]
    np.testing.assert_allclose(vectors, unit_rows(9, 6), atol=1e-7)
    assert open_store(tmp_path / "store").splits("voice") == ("test",) and not verify(tmp_path / "store")["problems"]
    assert import_vectors([voice(tmp_path / "a.npy")], tmp_path / "store") == found


def test_forms_of_files_give_the_same_rows(tmp_path):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        cells = [[id_, *map(repr, map(float, row))] for id_, row in zip(IDS, ROWS, strict=True)]
        csv.writer(file).writerows([["id", *(f"v{n}" for n in range(6))], *cells])
    np.savez(tmp_path / "t.npz", names=np.array(IDS), vectors=ROWS)
    named = {id_: torch.from_numpy(row) for id_, row in zip(IDS, ROWS, strict=True)}
    torch.save(named, tmp_path / "t.pth")
    (tmp_path / "t.pkl").write_bytes(pickle.dumps(dict(zip(IDS, ROWS, strict=True))))
    (tmp_path / "ids.txt").write_text("\n".join(IDS))
    np.save(tmp_path / "t.npy", ROWS)
    for name, more in (
        ("t.csv", {}),
        ("t.npz", {}),
        ("t.pth", {}),
        ("t.pkl", {}),
        ("t.npy", {"ids": tmp_path / "ids.txt"}),
    ):
        import_vectors([voice(tmp_path / name, **more)], tmp_path / "store", overwrite=True)
        rows, vectors = stored(tmp_path / "store")
        assert rows.ids == IDS and rows.identities == [id_[:3] for id_ in IDS], name
        np.testing.assert_allclose(vectors, unit_rows(9, 6), atol=1e-7)


def test_what_was_exported_comes_back(tmp_path):
    pytest.importorskip("pyarrow")
    import_vectors([voice(write_npy(tmp_path))], tmp_path / "store")
    store = open_store(tmp_path / "store")
    for format_, name in (("npy", "voice.npy"), ("parquet", "voice.parquet")):
        export_store(store, Export(format=format_, modality="voice"), tmp_path / format_)
        import_vectors([voice(tmp_path / format_ / name, identity_from_path=False)], tmp_path / format_ / "store")
        again = open_store(tmp_path / format_ / "store").load("voice")
        np.testing.assert_allclose(again.vectors, store.load("voice").vectors, atol=1e-7)
        assert again.identities == store.load("voice").identities and again.ids == IDS


def test_voices_and_faces_share_a_space_by_the_users_word(tmp_path):
    path = write_npy(tmp_path)
    face = VectorFiles(paths=(path,), modality="face", space="mine")
    import_vectors([voice(path), face], tmp_path / "store")
    spaces = open_store(tmp_path / "store").spaces
    assert spaces["voice"] == spaces["face"]
    import_vectors([voice(path), VectorFiles(paths=(path,), modality="face", space="other")], tmp_path / "two")
    assert len(set(open_store(tmp_path / "two").spaces.values())) == 2


def test_rows_that_cannot_be_used_are_failures(tmp_path):
    rows = ROWS.astype(np.float64)
    rows[2], rows[4, 1], rows[5] = 0, np.nan, rows[5] * 1e200
    assert import_vectors([voice(write_npy(tmp_path, rows))], tmp_path / "store") == {"voice": (7, 2)}
    store = open_store(tmp_path / "store")
    assert [(each.id, each.stage, each.reason) for each in store.failures("voice")] == [
        (IDS[2], "import", "the vector is of length 0"), (IDS[4], "import", "the vector is not finite"),
    ]  # fmt: skip
    assert isinstance(store.shard(store.parts("voice")[0]), Shard) and IDS[5] in store.load("voice").ids


def test_identities_from_a_table(tmp_path):
    path = write_npy(tmp_path)
    (tmp_path / "a.csv").write_text("\n".join(IDS))
    (tmp_path / "people.csv").write_text(
        "\n".join(["path,identity", *(f"{id_},Q{n}" for n, id_ in enumerate(IDS[:8]))])
    )
    with pytest.raises(
        InputError, match=r"nothing says whose 1 of 9 rows are, 'id2/clip8.wav' first; name a table with"
    ):
        import_vectors([voice(path, identities=(tmp_path / "people.csv",), identity_from_path=False)], tmp_path / "s")
    import_vectors([voice(path, identities=(tmp_path / "people.csv",), split="val")], tmp_path / "s")
    rows = open_store(tmp_path / "s").load("voice", "val")
    assert rows.identities == [*(f"Q{n}" for n in range(8)), "id2"]


BAD = {
    "no table": ("x.npy", lambda p: np.save(p, ROWS), r"says no ids: name a table of them with --voice-ids"),
    "no rows": ("x.csv", lambda p: p.write_text("id,identity\na,b\n"), r"line 1: wanted the columns id, identity"),
    "no number": ("x.csv", lambda p: p.write_text("id,v0\na,b\n"), "a value of a vector is missing or no number"),
    "short line": ("x.csv", lambda p: p.write_text("id,v0,v1\na,1\n"), "a value of a vector is missing"),
    "text": ("x.pth", lambda p: p.write_text("hello"), "cannot read the vectors"),
    "missing": ("x.npz", lambda p: None, "cannot read the vectors .*No such file"),
    "twice": ("x.csv", lambda p: p.write_text("id,v0\na/1,1\na/1,2\n"), "1 ids come more than once, 'a/1' first"),
}


@pytest.mark.parametrize(("name", "write", "said"), BAD.values(), ids=BAD)
def test_files_that_are_none(tmp_path, name, write, said):
    write(tmp_path / name)
    with pytest.raises(InputError, match=said):
        import_vectors([voice(tmp_path / name)], tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_settings_and_another_store(tmp_path):
    path = write_npy(tmp_path)
    with pytest.raises(SettingsError, match="the space has no name"):
        VectorFiles(paths=(path,), modality="voice", space=" ")
    with pytest.raises(SettingsError, match="a modality is given twice"):
        import_vectors([voice(path), voice(path)], tmp_path / "s")
    import_vectors([voice(path)], tmp_path / "s")
    np.save(path, ROWS[::-1])
    with pytest.raises(MismatchError, match="was made otherwise"):
        import_vectors([voice(path)], tmp_path / "s")
