import contextlib
import os
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import InputError
from vfsearch.restricted_pickle import loads, read_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
KEYS = st.text() | st.binary() | st.integers(-(2**59), 2**59) | st.none() | st.booleans()
ATOMS = KEYS | st.integers() | st.floats(allow_nan=False)
VALUES = st.recursive(
    ATOMS | st.sets(KEYS, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(KEYS, inner, max_size=4) | st.lists(inner, max_size=5).map(tuple)
    ),
    max_leaves=20,
)
ARRAYS = {
    "float32": np.arange(6, dtype="f4").reshape(2, 3),
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "turned": np.arange(24).reshape(2, 3, 4).transpose(2, 1, 0),
    "big endian": np.arange(5).astype(">i4"),
    "texts": np.array([["a.wav", "b.jpg"]]),
    "bytes": np.array([b"a", b"bc"]),
    "truths": np.array([True, False]),
    "empty": np.zeros((0, 3)),
    "one number": np.array(3.0),
    "small": np.zeros(5, "u1"),
    "large": np.random.default_rng(0).normal(size=20_000),
}


def same(left, right):
    return type(left) is type(right) and repr(left) == repr(right)


@settings(deadline=None)
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_read_back(value, protocol):
    found = loads(pickle.dumps(value, protocol), "here")
    assert found == value
    assert pickle.loads(pickle.dumps(value, protocol)) == found


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_read_back(name, protocol):
    array = ARRAYS[name]
    (found,) = loads(pickle.dumps([array], protocol), "here")
    assert found.dtype == array.dtype and np.array_equal(found, array)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_s_single_values_become_python_s(protocol):
    values = [
        np.str_("Ann"),
        np.str_(""),
        np.int64(3),
        np.float32(1.5),
        np.bool_(True),
        np.bytes_(b"x"),
        np.float64(-0.5),
    ]
    assert same(loads(pickle.dumps(values, protocol), "here"), ["Ann", "", 3, 1.5, True, b"x", -0.5])


@pytest.mark.parametrize("core", ["numpy.core", "numpy._core"])
def test_arrays_of_older_and_newer_numpy(core):
    data = pickle.dumps(np.arange(3.0), 2)
    here = b"numpy._core" if b"numpy._core" in data else b"numpy.core"
    assert loads(data.replace(here, core.encode()), "here").tolist() == [0, 1, 2]


def test_shared_values_stay_shared():
    row = ["a"]
    found = loads(pickle.dumps([row, row]), "here")
    assert found[0] is found[1]


class Runs:
    """What a pickle could do if it were let."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_ever_run(protocol, tmp_path):
    for call in (
        (os.system, f"touch {tmp_path}/ran"),
        (eval, "1"),
        (getattr, [], "append"),
        (open, tmp_path / "ran", "w"),
    ):
        with pytest.raises(
            InputError, match=r"here cannot be read: it wants [a-z_]+\.[a-zA-Z]+, and only plain values"
        ):
            loads(pickle.dumps(Runs(*call), protocol), "here")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no whole pickle"),
        (b"\x80\x04", "no whole pickle"),
        (b"\x80\x04.", "no whole pickle"),
        (b"cos\nsystem\n(S'true'\ntR.", "it wants os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "it wants os.system"),
        (b"(ios\nsystem\n.", "it uses INST"),
        (b"Pname\n.", "it uses PERSID"),
        (b"\x80\x02\x82\x01.", "it uses EXT1"),
        (b"\x80\x05\x97.", "it uses NEXT_BUFFER"),
        (b"cnumpy\nndarray\n.", "a part of an array where a value should be"),
        (b"(cnumpy\nndarray\nl.", "a part of an array where a value should be"),
        (b"cnumpy\nndarray\n)R.", "an array without its content"),
        (b"](.", "no whole pickle"),
        (b"(.", "a part of an array"),
        (b"1.", "no whole pickle"),
        (b"0.", "no whole pickle"),
        (b"h\x07.", "no whole pickle"),
        (b"I1\nI2\nR.", "no whole pickle"),
        (b"}I1\nb.", "no whole pickle"),
        (b"\x8a\x01\x01\x86.", "no whole pickle"),
    ],
)
def test_what_is_refused(data, said):
    with pytest.raises(InputError, match=said):
        loads(data, "here")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({("a", "b"): 1}, "a key that is a tuple"),
        ({1.5: 1}, "a key that is a float"),
        ({2**80: 1}, "a key that is a int"),
        (np.array([1, None], dtype=object), "an array of 'O8'"),
        (np.zeros(2, "f4,i4"), "an array of 'V8'"),
        (np.datetime64("2020-01-01"), "an array of 'M8'"),
        (1j, "complex"),
    ],
)
def test_values_that_are_not_plain(value, said):
    with pytest.raises(InputError, match=said):
        loads(pickle.dumps(value), "here")


def test_a_forged_type_of_elements():
    # NumPy itself would take these bytes for addresses.
    data = pickle.dumps(np.arange(2.0), 2).replace(b"f8", b"O8")
    with pytest.raises(InputError, match="an array of 'O8'"):
        loads(data, "here")


BOMBS = {
    "a huge memo": b"\x80\x02]r\xff\xff\xff\x7f.",
    "huge bytes": b"\x80\x04\x8e\xff\xff\xff\xff\xff\x00\x00\x00.",
    "a huge text": b"\x80\x04\x8d\xff\xff\xff\xff\xff\x00\x00\x00.",
    "a huge frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.",
    "a huge number": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "bytes by number": b"\x80\x03c__builtin__\nbytes\n\x8a\x05\x00\x00\x00\x00\x40\x85R.",
    "one array often": b"\x80\x03C\xc8" + b"a" * 200 + b"q\x00"
    + b"(" + (b"cnumpy\nndarray\n)R(K\x01K\xc8\x85cnumpy\ndtype\nU\x02u1\x85R\x89h\x00tb" * 2000) + b"l.",
    "many sets": b"\x80\x04(" + b"\x8f" * 200_000 + b"l.",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_small_pickles_that_want_much_memory(name):
    tracemalloc.start()
    try:
        with contextlib.suppress(InputError):
            assert not loads(BOMBS[name], "here")
        assert tracemalloc.get_traced_memory()[1] < 40 * 2**20
    finally:
        tracemalloc.stop()


def test_deeply_nested_values_end():
    assert loads(b"]" * 200_000 + b"a" * 199_999 + b".", "here") is not None
    assert isinstance(loads(b")" + b"\x85" * 200_000 + b".", "here"), tuple)
    with pytest.raises(InputError, match="a key that is a tuple"):
        loads(b"})" + b"\x85" * 200_000 + b"Ns.", "here")


def test_files(tmp_path):
    path = tmp_path / "list.pkl"
    with pytest.raises(InputError, match=r"cannot read .*list.pkl: No such file or directory"):
        read_pickle(path)
    path.write_bytes(pickle.dumps(["a.wav"]))
    assert read_pickle(path) == ["a.wav"]
    with pytest.raises(InputError, match=r"list.pkl has more than 5 bytes, the most that is read of a pickle"):
        read_pickle(path, largest=5)
