import pickle

import h5py
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from vfsearch.data.named_vectors import NamedVectors
from vfsearch.errors import InputError, MismatchError, VectorError
from vfsearch.store.foreign_vectors import read_vectors

NAMES = ["id1/v/1.wav", "id1/v/2.wav", "Ann/1.jpg"]
ROWS = np.array([[3.0, 4.0], [0.0, 2.0], [-1.0, 0.0]], dtype=np.float32)
UNIT = np.array([[0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]], dtype=np.float32)
BY_NAME = dict(zip(NAMES, ROWS, strict=True))


def npz(path):
    np.savez(path, names=np.array(NAMES), vectors=ROWS)


def npz_other_words(path):
    np.savez(path, ids=np.array(NAMES, dtype="S20"), embeddings=ROWS.astype(np.float64))


def npz_by_name(path):
    with path.open("wb") as file:
        np.savez(file, **BY_NAME)


def hdf5(path):
    with h5py.File(path, "w") as file:
        file["ids"], file["vectors"] = NAMES, ROWS


def safetensors(path):
    save_file(BY_NAME, path)


def papers(path):
    torch.save({"name2feat": BY_NAME, "name2id": {}, "name2gender": {}}, path)


def tensors(path):
    torch.save({name: torch.as_tensor(row) for name, row in BY_NAME.items()}, path)


def old_torch(path):
    torch.save({"name2feat": BY_NAME}, path, _use_new_zipfile_serialization=False)


def pickled(path):
    path.write_bytes(pickle.dumps(BY_NAME))


WRITERS = [npz, npz_other_words, npz_by_name, hdf5, safetensors, papers, tensors, old_torch, pickled]


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["file.npz", "file"])
def test_every_form_is_recognised_by_its_content(tmp_path, write, name):
    path = tmp_path / name
    write(path)
    # numpy adds its own suffix.
    found = read_vectors([path if path.exists() else tmp_path / f"{name}.npz"])
    rows = {each: row.tolist() for each, row in zip(found.names, found.vectors, strict=True)}
    assert rows == {each: row.tolist() for each, row in zip(NAMES, UNIT, strict=True)}
    assert found.vectors.dtype == np.float32


def test_voices_and_faces_from_two_files(tmp_path):
    np.savez(tmp_path / "voices.npz", names=np.array(NAMES[:2]), vectors=ROWS[:2])
    np.savez(tmp_path / "faces.npz", names=np.array(NAMES[2:]), vectors=ROWS[2:])
    found = read_vectors([tmp_path / "voices.npz", tmp_path / "faces.npz"])
    assert list(found.names) == NAMES and "voices.npz and " in found.where
    with pytest.raises(VectorError, match=r"'id1/v/1.wav' is named twice"):
        read_vectors([tmp_path / "voices.npz"] * 2)
    np.savez(tmp_path / "wide.npz", names=np.array(["x"]), vectors=np.ones((1, 3)))
    with pytest.raises(MismatchError, match=r"different dimensions \(.*voices.npz: 2, .*wide.npz: 3\)"):
        read_vectors([tmp_path / "voices.npz", tmp_path / "wide.npz"])


@pytest.mark.parametrize(
    ("bad", "said"), [(0.0, "'b' is zero"), (np.nan, "'b' is not finite"), (np.inf, "'b' is not finite")]
)
def test_rows_that_cannot_be_used_are_named(tmp_path, bad, said):
    np.savez(tmp_path / "x.npz", names=np.array(["a", "b"]), vectors=np.array([[1.0, 1.0], [bad, bad]]))
    with pytest.raises(VectorError, match=f"x.npz: 1 of 2 vectors cannot be used: {said}"):
        read_vectors([tmp_path / "x.npz"])


@pytest.mark.parametrize("scale", [1e300, 1e-300])
def test_rows_of_any_length_become_unit_rows(tmp_path, scale):
    np.savez(tmp_path / "x.npz", names=np.array(["a"]), vectors=np.array([[3.0, 4.0]]) * scale)
    assert read_vectors([tmp_path / "x.npz"]).vectors.tolist() == UNIT[:1].tolist()


def objects(path):
    np.savez(path, names=np.array(NAMES, dtype=object), vectors=ROWS)


def code(path):
    path.write_bytes(pickle.dumps({"a": print}))


def torch_code(path):
    torch.save({"a": print}, path)


def text(path):
    path.write_text("a 1 2\n")


def too_few(path):
    np.savez(path, names=np.array(NAMES), vectors=ROWS[:2])


def whole_numbers(path):
    np.savez(path, names=np.array(NAMES), vectors=ROWS.astype(int))


def uneven(path):
    path.write_bytes(pickle.dumps({"a": np.ones(2), "b": np.ones(3)}))


def empty(path):
    path.write_bytes(b"")


def other_hdf5(path):
    with h5py.File(path, "w") as file:
        file["x"] = ROWS


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (objects, "Object arrays cannot be loaded"),
        (code, "builtins.print"),
        (torch_code, "it holds more than tensors, arrays"),
        (text, "unknown content; wanted a .npz or HDF5 file with `names`"),
        (too_few, r"3 names, but vectors \(2, 2\) of float32"),
        (whole_numbers, "of int64: wanted .n, d. floats"),
        (uneven, "its vectors have 2 to 3 entries"),
        (empty, "unknown content"),
        (other_hdf5, "it has x; wanted"),
    ],
)
def test_other_files_are_refused_and_nothing_is_run(tmp_path, write, said):
    path = tmp_path / "x.npz"
    write(path)
    with pytest.raises(InputError, match=said):
        read_vectors([path])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the vectors .*no.npz: No such file"):
        read_vectors([tmp_path / "no.npz"])


@pytest.mark.parametrize("write", WRITERS)
def test_cut_files_are_refused(tmp_path, write):
    path = tmp_path / "x"
    write(path)
    path = path if path.exists() else tmp_path / "x.npz"
    data = path.read_bytes()
    for kept in (3, 15, len(data) // 3, len(data) // 2):
        path.write_bytes(data[:kept])
        with pytest.raises(InputError, match="x"):
            read_vectors([path])


def test_names_and_rows_that_do_not_fit():
    with pytest.raises(VectorError, match=r"x: 1 names, but vectors \(2, 2\)"):
        NamedVectors(names=["a"], vectors=UNIT[:2], where="x")
