import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch import devices
from vfsearch.errors import SettingsError
from vfsearch.kernels.cpu import pairs as module
from vfsearch.kernels.exact import grid, score_block
from vfsearch.kernels.pairs import pair_scores


def float32_of(rows) -> np.ndarray:
    return rows.float().numpy() if isinstance(rows, torch.Tensor) else np.asarray(rows).astype(np.float32)


def plain(queries, vectors, query_rows, rows) -> np.ndarray:
    return score_block(grid(float32_of(queries)), grid(float32_of(vectors))).numpy()[query_rows, rows]


def mapped(rows, folder) -> np.ndarray:
    np.save(folder / "rows.npy", rows)
    return np.load(folder / "rows.npy", mmap_mode="r")


def off_by_a_byte(rows) -> np.ndarray:
    memory = np.zeros(rows.nbytes + 1, np.uint8)
    found = memory[1:].view(rows.dtype).reshape(rows.shape)
    found[:] = rows
    return found


HELD = {
    "float32": lambda rows, _: rows,
    "float16": lambda rows, _: rows.astype(np.float16),
    "float64": lambda rows, _: rows + 1e-9,
    "backwards": lambda rows, _: rows[::-1],
    "by columns": lambda rows, _: np.asfortranarray(rows),
    "every other column": lambda rows, _: np.repeat(rows, 2, axis=1)[:, ::2],
    "mapped": mapped,
    "mapped halves": lambda rows, folder: mapped(rows.astype(np.float16), folder),
    "off by a byte": lambda rows, _: off_by_a_byte(rows),
    "tensor": lambda rows, _: torch.as_tensor(rows),
    "bfloat16": lambda rows, _: torch.as_tensor(rows).bfloat16(),
    "bfloat16 with a gradient": lambda rows, _: torch.as_tensor(rows).bfloat16().requires_grad_(),
    "half tensor": lambda rows, _: torch.as_tensor(rows).half(),
}


@pytest.mark.parametrize("held", HELD)
def test_scores_of_rows_however_held(tmp_path, held):
    queries, vectors = unit_rows(9, 37, 1), HELD[held](unit_rows(40, 37, 2), tmp_path)
    left, right = np.arange(80) % 9, np.arange(80) % 40
    with torch.no_grad():
        wanted = plain(queries, vectors, left, right)
        assert np.array_equal(pair_scores(queries, vectors, left, right), wanted)
        assert np.array_equal(pair_scores(vectors, queries, right, left), wanted)
        assert np.array_equal(pair_scores(vectors, vectors, right, right), plain(vectors, vectors, right, right))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 90), st.sampled_from([1, 2, 15, 16, 17, 128, 300]), st.integers(1, 40), st.integers(1, 3))
def test_parts_and_threads_change_no_bit(pairs, dimension, at_once, threads):
    queries, vectors, random = unit_rows(9, dimension, 1), unit_rows(11, dimension, 2), np.random.default_rng(pairs)
    left, right = random.integers(0, 9, pairs), random.integers(0, 11, pairs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PAIRS_AT_ONCE", at_once)
        patch.setattr("vfsearch.kernels.threads.threads", lambda: threads)
        found = pair_scores(queries, vectors, left, right)
    assert np.array_equal(found, plain(queries, vectors, left, right))


def test_a_score_by_hand():
    rows = np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)
    whole = [round(Fraction(float(entry)) * 2**26) for entry in rows[0]]
    found = pair_scores(rows, rows, np.array([0, 0]), np.array([0, 1]))
    assert list(map(Fraction, found)) == [Fraction(sum(w * w for w in whole), 2**52), Fraction(whole[0], 2**26)]


def test_every_half_is_read_as_numpy_reads_it():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)[:, None]
    one, every = np.ones((1, 1), np.float32), np.arange(2**16)
    with np.errstate(invalid="ignore"):
        wanted = np.rint(halves.astype(np.float64) * 2**26)[:, 0] / 2**26
    found = pair_scores(one, halves, np.zeros(2**16, int), every)
    assert np.array_equal(found, wanted, equal_nan=True)


def test_every_bfloat_is_read_as_torch_reads_it():
    numbers = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)[:, None]
    # Beyond 2^101 no float32 number is as large as what it is on the grid.
    small = numbers[(numbers.abs() < 2.0**100)[:, 0] | ~torch.isfinite(numbers[:, 0])]
    wanted = np.rint(small.double().numpy() * 2**26)[:, 0] / 2**26
    found = pair_scores(np.ones((1, 1), np.float32), small, np.zeros(len(small), int), np.arange(len(small)))
    assert np.array_equal(found, wanted, equal_nan=True)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint16, np.uint64])
def test_row_numbers_of_any_whole_type_and_step(dtype):
    rows = unit_rows(20, 8)
    numbers = np.arange(40, dtype=dtype)[::2] % dtype(20)
    assert np.array_equal(pair_scores(rows, rows, numbers, numbers[::-1]), plain(rows, rows, numbers, numbers[::-1]))


@pytest.mark.parametrize("bad", [-1, 11, 2**40, -(2**62), 2**62])
@pytest.mark.parametrize("side", [0, 1])
def test_a_row_that_is_not_there(bad, side):
    pairs = np.zeros((2, 100_000), np.int64)
    pairs[side, 77_777] = bad
    rows = unit_rows(11, 8)
    with pytest.raises(SettingsError, match=f"pair 77777 is row .*{bad} of 11 .*: there is no such row"):
        pair_scores(rows, rows, *pairs)


def test_numbers_too_large_for_the_sign():
    rows, one = unit_rows(3, 8), np.array([2**64 - 1], np.uint64)
    with pytest.raises(SettingsError, match=f"pair 0 is row {2**64 - 1} of 3 queries and row 0 of 3 in the gallery"):
        pair_scores(rows, rows, one, np.array([0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vectors": unit_rows(3, 5)}, r"the queries have the shape \(3, 4\), the gallery \(3, 5\)"),
        ({"vectors": unit_rows(3, 4)[0]}, r"the gallery \(4,\): wanted \(q, d\) and \(n, d\)"),
        ({"rows": np.array([1, 2])}, r"the pairs are \(1,\) rows of the queries and \(2,\) of the gallery"),
        ({"rows": np.array([1.0])}, "row numbers are float64, wanted whole numbers"),
        ({"vectors": np.ones((3, 4), int)}, r"the rows are int64 of shape \(3, 4\), wanted \(n, d\) of float32"),
    ],
)
def test_what_does_not_fit(change, message):
    asked = {"queries": unit_rows(3, 4), "vectors": unit_rows(3, 4), "query_rows": np.array([0]), "rows": np.array([0])}
    with pytest.raises(SettingsError, match=message):
        pair_scores(**{**asked, **change})


def test_no_pairs_no_scores():
    none = np.zeros(0, np.int64)
    assert pair_scores(unit_rows(2, 4), unit_rows(3, 4), none, none).shape == (0,)
    assert pair_scores(unit_rows(0, 4), unit_rows(0, 4), none, none).shape == (0,)


def test_other_devices_are_asked_after_the_rows_are_found_there(monkeypatch):
    asked = []
    fake = type(sys)("vfsearch.kernels.cuda.pairs")
    fake.pair_scores_cuda = lambda *arguments: asked.append(arguments) or "scores"
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    rows, pair = unit_rows(3, 4), np.array([2])
    assert pair_scores(rows, rows, pair, pair, "cuda:1") == "scores" and asked[0][-1] == "cuda:1"
    for bad in (-1, 3):
        with pytest.raises(SettingsError, match=f"pair 1 is row 2 of 3 queries and row {bad} of 3 in the gallery"):
            pair_scores(rows, rows, np.array([2, 2]), np.array([2, bad]), "cuda")
    assert len(asked) == 1


def test_as_many_threads_as_are_set(monkeypatch):
    import threading

    seen = set()
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert devices.threads() == 3
    here = threading.Barrier(3, timeout=20)

    def scores(*_):
        seen.add(threading.current_thread().name)
        here.wait()
        return -1

    monkeypatch.setattr(module, "_scores", scores)
    pair_scores(unit_rows(2, 4), unit_rows(2, 4), np.zeros(3, int), np.zeros(3, int))
    assert len(seen) == 3
