import numpy as np
import pytest
from builders import unit_rows

from vfsearch.index import byte_search
from vfsearch.index.byte_search import LongTexts, Numbers, chunks

ROWS, WANTED = unit_rows(2000, 32, 1), unit_rows(6, 32, 2)


def bytes_of(*parts) -> np.ndarray:
    return np.frombuffer(b"".join(parts), np.uint8)


@pytest.mark.parametrize("kind", ["float32", "float16"])
@pytest.mark.parametrize("before", range(5))
def test_a_row_is_found_wherever_it_begins(kind, before):
    numbers = Numbers.of(WANTED, kind)
    filling = ROWS.astype(kind).tobytes()
    assert numbers.found_in(bytes_of(b"x" * before, filling)) == set()
    data = bytes_of(b"x" * before, filling, WANTED[3].astype(kind).tobytes(), filling)
    assert numbers.found_in(data) == {3}


@pytest.mark.parametrize("kind", ["float32", "float16"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_sixteen_bytes_of_it_are_enough(kind, place):
    row, width = WANTED[4].astype(kind), 16 // np.dtype(kind).itemsize
    start = {"first": 0, "middle": (32 - width) // 2, "last": 32 - width}[place]
    data = bytes_of(ROWS.tobytes(), row[start : start + width].tobytes(), b"abc")
    assert Numbers.of(WANTED, kind).found_in(data) == {4}
    assert Numbers.of(WANTED, kind).found_in(data[:-4]) == set()


def test_a_copy_that_was_scaled_is_found_and_another_row_is_not():
    numbers = Numbers.of(WANTED, "float32")
    assert numbers.found_in(bytes_of((WANTED[1] * np.float32(1.0001)).tobytes())) == {1}
    assert numbers.found_in(bytes_of((WANTED[1] / np.linalg.norm(WANTED[1])).tobytes())) == {1}
    assert numbers.found_in(bytes_of((WANTED[1] * np.float32(1.01)).tobytes())) == set()
    assert numbers.found_in(bytes_of((-WANTED[1]).tobytes())) == set()


def test_rows_that_say_nothing_are_not_looked_for():
    plain = np.zeros((1, 16), np.float32)
    plain[0, 5] = 1
    for kind in ("float32", "float16"):
        numbers = Numbers.of(plain, kind)
        assert not len(numbers.pieces) and numbers.found_in(bytes_of(bytes(100))) == set()
    assert Numbers.of(WANTED, "float32").found_in(bytes_of(b"")) == set()
    assert not len(Numbers.of(WANTED[:, :3], "float32").pieces)


def test_texts():
    texts = LongTexts([b"person-number-3", b"person-n", "été-été".encode()])
    filling = ROWS.tobytes()
    assert texts.found_in(bytes_of(filling)) == set()
    assert texts.found_in(bytes_of(filling, b"a person-number-3")) == {0, 1}
    assert texts.found_in(bytes_of(b"person-number-")) == {1}
    assert texts.found_in(bytes_of("x été-été".encode())) == {2}
    assert LongTexts([]).found_in(bytes_of(filling)) == set() == texts.found_in(bytes_of(b"short"))


def test_nothing_falls_between_two_pieces(tmp_path, monkeypatch):
    path, texts = tmp_path / "file", LongTexts([b"person-number-3"])
    for size in range(5, 30):
        monkeypatch.setattr(byte_search, "CHUNK_BYTES", size)
        path.write_bytes(b"x" * 20 + b"person-number-3" + b"y" * 20)
        assert any(texts.found_in(bytes_of(piece)) for piece in chunks(path, 15))
    path.write_bytes(b"")
    assert list(chunks(path, 15)) == []
