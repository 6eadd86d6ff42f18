"""Tile products against plain sums."""

import numpy as np
import pytest
import torch

from vfsearch.kernels.cpu.compiled import compiled
from vfsearch.kernels.cpu.packing import aligned
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS, lowest_bit, tile_hits, tile_sums

KINDS = [kind for kind in (INT8, BF16, FLOAT32) if kind.here]
HITS, SUMS = ({kind: make(kind) for kind in KINDS} for make in (tile_hits, tile_sums))


def operands(kind, dimension, seed=0):
    """Words of ROWS queries and of one panel, and the sums that they have."""
    random = np.random.default_rng(seed)
    if kind is INT8:
        queries = random.integers(-127, 128, (ROWS, dimension)).astype(np.int8)
        rows, starts = random.integers(0, 256, (PANEL, dimension)).astype(np.uint8), random.integers(-99, 99, PANEL)
        exact = queries.astype(np.int64) @ rows.astype(np.int64).T + starts
        starts = starts.astype(np.int32)
    else:
        queries, rows = (random.standard_normal((n, dimension)).astype(np.float32) for n in (ROWS, PANEL))
        starts = random.standard_normal(PANEL).astype(np.float32)
        if kind is BF16:
            queries, rows = (torch.tensor(each).bfloat16() for each in (queries, rows))
        exact = np.asarray(queries, np.float64) @ np.asarray(rows, np.float64).T if kind is FLOAT32 else (
            queries.double() @ rows.double().T).numpy()  # fmt: skip
        exact = exact + starts
        if kind is BF16:
            queries, rows = (each.view(torch.int16).numpy() for each in (queries, rows))
    words = kind.words(dimension)
    left, panel = aligned((ROWS, words), np.uint32), aligned((words + 1, PANEL), np.uint32)
    size = queries.dtype.itemsize * dimension
    left.view(np.uint8)[:, :size] = queries.view(np.uint8)
    padded = np.zeros((PANEL, words * 4), np.uint8)
    padded[:, :size] = rows.view(np.uint8)
    panel[0], panel[1:] = starts.view(np.uint32), padded.view(np.uint32).T
    return left, panel, words, exact


def sums_type(kind):
    return np.int32 if kind is INT8 else np.float32


@pytest.mark.parametrize("dimension", [1, 2, 3, 4, 5, 64, 127, 640])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_sums(kind, dimension):
    product = SUMS[kind]

    @compiled
    def run(left, panel, words, out):
        product(left.ctypes.data, panel.ctypes.data, words, out.ctypes.data, out.shape[1] * 4)

    left, panel, words, exact = operands(kind, dimension)
    out = aligned((ROWS, 2 * PANEL), sums_type(kind))
    run(left, panel, words, out)
    assert out[:, :PANEL] == pytest.approx(exact, rel=1e-5, abs=1e-3 if kind is BF16 else 1e-4)
    assert not out[:, PANEL:].any()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_hits(kind):
    product = HITS[kind]

    @compiled
    def run(left, panel, words, wanted, out, masks):
        return product(left.ctypes.data, panel.ctypes.data, words, wanted.ctypes.data, 4, out.ctypes.data,
                       masks.ctypes.data)  # fmt: skip

    left, panel, words, exact = operands(kind, 32)
    out, wanted = aligned((ROWS, PANEL), sums_type(kind)), aligned((ROWS,), sums_type(kind))
    masks = aligned((ROWS,), np.uint64)
    wanted[:] = exact.max() + 1
    assert run(left, panel, words, wanted, out, masks) == 0
    assert not out.any()
    wanted[0], wanted[3] = np.sort(exact[0])[-3] - 0.01, exact[3].min() - 1
    assert run(left, panel, words, wanted, out, masks) == 0b1001
    assert out == pytest.approx(exact, rel=1e-5, abs=1e-3)
    found = [[lane for lane in range(PANEL) if int(mask) >> lane & 1] for mask in masks]
    assert found[0] == sorted(np.argsort(-exact[0], kind="stable")[:3].tolist())
    assert found[3] == list(range(PANEL))


def test_the_lowest_bit():
    @compiled
    def run(mask):
        return lowest_bit(mask)

    assert [run(np.uint64(mask)) for mask in (1, 6, 1 << 63)] == [0, 1, 63]
