import random

import h5py
import numpy as np
import pytest
from builders import rounds
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vfsearch import tables
from vfsearch.errors import DamagedError

texts = st.text(st.characters(exclude_categories=[], exclude_characters="\0"), max_size=30)


def written(values):
    return tables.build(lambda file: tables.put_array(file, "values", values))


@settings(deadline=None, max_examples=60)
@given(st.lists(texts, max_size=8), texts)
def test_texts_are_read_back(values, name):
    def fill(file):
        tables.put_texts(file, "texts", values)
        tables.put_columns(file.create_group("columns"), {name: values, name + "x": values[::-1]})

    data = tables.build(fill)
    assert data == tables.build(fill)
    with tables.reading(data, "here") as file:
        assert tables.get_texts(file, "texts") == values
        assert tables.get_columns(file["columns"]) == {name: values, name + "x": values[::-1]}


@settings(deadline=None, max_examples=40)
@given(arrays.arrays(st.sampled_from(["<f4", "<f2", "<i8", "?"]), arrays.array_shapes(max_dims=2, min_side=0)))
def test_arrays_are_read_back(values):
    with tables.reading(written(values), "here") as file:
        found = tables.get_array(file, "values")
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


def test_more_columns_than_a_plain_sort_would_keep_in_order():
    columns = {f"c{number}": [str(number)] for number in range(1100)}
    with tables.reading(tables.build(lambda file: tables.put_columns(file, columns)), "here") as file:
        assert tables.get_columns(file) == columns


def test_a_flipped_bit_does_not_read_back_otherwise():
    values = np.random.default_rng(0).normal(size=(40, 16)).astype(np.float32)
    good, random_, refused = written(values), random.Random(0), 0
    for _ in range(rounds(400, 10_000)):
        bad = bytearray(good)
        bad[random_.randrange(len(bad))] ^= 1 << random_.randrange(8)
        try:
            with tables.reading(bytes(bad), "a.h5") as file:
                np.testing.assert_array_equal(tables.get_array(file, "values"), values)
        except DamagedError as error:
            assert str(error).startswith("a.h5 cannot be read as what it should be: ")
            refused += 1
    assert refused > rounds(200, 5_000)


def test_data_of_another_file_are_not_read(tmp_path):
    (tmp_path / "secret").write_bytes(b"12345678")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("values", (8,), "u1", external=[(str(tmp_path / "secret"), 0, 8)])
        layout = h5py.VirtualLayout((8,), "u1")
        layout[:] = h5py.VirtualSource(tmp_path / "b.h5", "values", (8,))
        file.create_virtual_dataset("virtual", layout)
        file["link"] = h5py.ExternalLink(tmp_path / "b.h5", "values")
        file.create_group("group")
    data = (tmp_path / "a.h5").read_bytes()
    for name in ("values", "virtual", "link", "group", "none"):
        refused = pytest.raises(DamagedError, match=r"a\.h5 cannot be read as what it should be")
        with refused, tables.reading(data, "a.h5") as file:
            tables.get_array(file, name)


@pytest.mark.parametrize("data", [b"", b"no HDF5", b"\x89HDF\r\n\x1a\n", written(np.zeros(3))[:-9]])
def test_no_hdf5(data):
    with pytest.raises(DamagedError, match="cannot be read"), tables.reading(data, "x") as file:
        tables.get_array(file, "values")
