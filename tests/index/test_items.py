import dataclasses

import numpy as np
import pytest
from builders import make_space
from safetensors.numpy import load_file

from vfsearch.data.texts import Texts
from vfsearch.errors import DamagedError
from vfsearch.index.base import Gallery
from vfsearch.index.items import pack_items, read_items

GALLERY = Gallery(
    ids=["a", "bé", ""], identities=["p", "p", "q\udcff"],
    columns={"path": ["x/1", "x/2", "y"], "odd.ends": ["", "", "z"]},
    modality="face", space=make_space(), store="a1" * 32,
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "items.safetensors"
    path.write_bytes(b"".join(pack_items(GALLERY)))
    return path


def read(path):
    return read_items(path, "face", make_space(), "a1" * 32)


def test_what_is_packed_is_read(path):
    found = read(path)
    for field in dataclasses.fields(GALLERY):
        assert getattr(found, field.name) == getattr(GALLERY, field.name), field.name


def test_another_library_reads_it(path):
    arrays = load_file(path)
    assert Texts(arrays["ids.ends"], arrays["ids.data"]) == GALLERY.ids
    assert {name.rpartition(".")[0] for name in arrays} == {"ids", "identities", "columns/path", "columns/odd.ends"}


def test_long_columns(tmp_path):
    many = [f"row-{row}" for row in range(200_000)]
    gallery = dataclasses.replace(GALLERY, ids=many, identities=many, columns={})
    (tmp_path / "items").write_bytes(b"".join(bytes(piece) for piece in pack_items(gallery)))
    found = read(tmp_path / "items")
    assert found.ids == many and isinstance(found.ids.data, np.memmap) and found.columns == {}


@pytest.mark.parametrize("data", [b"", b"\x08\0\0\0\0\0\0\0", b"\xff" * 40, b"\x02\0\0\0\0\0\0\0{}"])
def test_other_bytes(tmp_path, data):
    (tmp_path / "items").write_bytes(data)
    with pytest.raises(DamagedError, match="items cannot be read as the items of an index"):
        read(tmp_path / "items")


def test_parts_are_written_as_one(tmp_path):
    parts = [dataclasses.replace(GALLERY, columns={}), GALLERY,
             dataclasses.replace(GALLERY, ids=[], identities=[], columns={"path": [], "age": []})]  # fmt: skip
    (tmp_path / "items").write_bytes(b"".join(pack_items(*parts)))
    found = read(tmp_path / "items")
    assert found.ids == GALLERY.ids * 2 and found.identities == GALLERY.identities * 2
    nothing = [""] * 3
    assert found.columns == {"path": nothing + GALLERY.columns["path"], "odd.ends": [*nothing, "", "", "z"],
                             "age": [""] * 6}  # fmt: skip


def test_columns_of_different_lengths(tmp_path):
    (tmp_path / "items").write_bytes(b"".join(pack_items(dataclasses.replace(GALLERY, identities=["p"]))))
    with pytest.raises(DamagedError, match="has 3 ids, but another number of identities"):
        read(tmp_path / "items")
