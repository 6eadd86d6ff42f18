import csv
import sys

import h5py
import numpy as np
import pytest
from builders import make_embeddings

from vfsearch.data.shard import Shard
from vfsearch.errors import ArtefactError, InputError, MissingExtraError, SettingsError
from vfsearch.store.exporting import Export, export_store
from vfsearch.store.store import open_store
from vfsearch.store.writer import writing


@pytest.fixture
def store(tmp_path):
    """12 faces in two shards and 5 voices of one space."""
    shards = {
        "face-00000-000000000000.h5": make_embeddings(7, modality="face", note=[f"n{row}" for row in range(7)]),
        "face-00001-000000000001.h5": make_embeddings(5, modality="face", seed=1, identities=["é\udcff"] * 5),
        "voice-00000-000000000002.h5": make_embeddings(5, seed=2),
    }
    about = {"spaces": {each.modality: each.space.to_json() for each in shards.values()}}
    with writing(tmp_path / "store", about, "float32") as writer:
        for name, each in shards.items():
            writer.add(name, Shard(embeddings=each, failures=(), split="test"))
        writer.finish(list(shards))
    return open_store(tmp_path / "store")


def table(path):
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return list(csv.DictReader(file))


def test_npy_and_fvecs(store, tmp_path):
    wanted = store.load("face")
    for format_ in ("npy", "fvecs"):
        written = export_store(store, Export(format=format_, modality="face"), tmp_path / format_)
        assert written == {str(path): path.stat().st_size for path in (tmp_path / format_).iterdir()}
        lines = table(tmp_path / format_ / "face.csv")
        assert [line["id"] for line in lines] == wanted.ids and lines[8]["identity"] == "é\udcff"
        assert [line["note"] for line in lines][5:8] == ["n5", "n6", ""]
    np.testing.assert_array_equal(np.load(tmp_path / "npy" / "face.npy"), wanted.vectors)
    raw = np.fromfile(tmp_path / "fvecs" / "face.fvecs", "<i4").reshape(12, 9)
    assert (raw[:, 0] == 8).all()
    np.testing.assert_array_equal(raw[:, 1:].copy().view("<f4"), wanted.vectors)


def test_parquet(store, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    export_store(store, Export(format="parquet", modality="face"), tmp_path / "out")
    read = pq.read_table(tmp_path / "out" / "face.parquet")
    np.testing.assert_array_equal(np.array(read["vector"].to_pylist(), np.float32), store.load("face").vectors)
    assert read["identity"].to_pylist()[11] == "é\\xff" and read["id"].to_pylist() == store.load("face").ids
    assert (tmp_path / "out" / "face.parquet").stat().st_mode & 0o777 == 0o600


def test_parquet_without_its_package(store, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"parquet needs pyarrow; install with: pip install 'vf"):
        export_store(store, Export(format="parquet", modality="face"), tmp_path / "out")


def test_ann_benchmarks(store, tmp_path):
    export_store(store, Export(format="ann-benchmarks", modality="face", k=4), tmp_path)
    train, test = store.load("face").vectors, store.load("voice").vectors
    scores = test.astype(np.float64) @ train.T.astype(np.float64)
    with h5py.File(tmp_path / "voice-face.hdf5") as file:
        assert file.attrs["distance"] == "angular" and file.attrs["dimension"] == 8
        np.testing.assert_array_equal(file["train"][:], train)
        np.testing.assert_array_equal(file["test"][:], test)
        np.testing.assert_array_equal(file["neighbors"][:], np.argsort(-scores, axis=1, kind="stable")[:, :4])
        np.testing.assert_allclose(file["distances"][:], 1 - np.sort(scores)[:, ::-1][:, :4], atol=1e-6)


def test_what_is_there_stays(store, tmp_path):
    (tmp_path / "face.csv").write_text("mine")
    with pytest.raises(InputError, match=r"face\.csv is there already: give --overwrite, or --out another folder"):
        export_store(store, Export(format="npy", modality="face"), tmp_path)
    assert not (tmp_path / "face.npy").exists() and (tmp_path / "face.csv").read_text() == "mine"
    export_store(store, Export(format="npy", modality="face"), tmp_path, overwrite=True)
    with pytest.raises(ArtefactError, match="has no face rows with split=train"):
        export_store(store, Export(format="npy", modality="face", split="train"), tmp_path)
    for wrong, said in (({"format": "x"}, "the format is 'x', wanted one of npy"), ({"k": 0}, "k is 0")):
        with pytest.raises(SettingsError, match=said):
            Export(**{"format": "npy", "modality": "face", **wrong})
