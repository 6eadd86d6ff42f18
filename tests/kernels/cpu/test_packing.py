"""Packed rows: what they hold, and what is told of their rounding."""

import numpy as np
import pytest
from builders import unit_rows

from vfsearch.kernels.cpu.packing import aligned, bytes_of_panels, pack_queries, pack_rows
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, PANEL, ROWS
from vfsearch.kernels.rows import Rows

KINDS = [INT8, BF16, FLOAT32]


def unpacked(panels, dimension):
    """(rows, d) float64 that the operands of panels stand for."""
    inside = np.ascontiguousarray(panels.words[:, 1:].transpose(0, 2, 1))
    if panels.kind is INT8:
        numbers = inside.view(np.uint8).astype(np.float64) - 128
    elif panels.kind is BF16:
        numbers = (inside.view(np.uint16).astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    else:
        numbers = inside.view(np.float32).astype(np.float64)
    return (numbers * panels.scale[:, None, None])[:, :, :dimension].reshape(-1, dimension)[: panels.rows]


@pytest.mark.parametrize("dimension", [1, 5, 128])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_told_of_rounding_covers_it(kind, dimension):
    vectors = unit_rows(PANEL + 7, dimension, 3)
    panels = pack_rows(kind, Rows(vectors).read, 0, len(vectors), dimension, False, 1.01)
    found = unpacked(panels, dimension)
    lost = np.linalg.norm(found - vectors, axis=1)
    for panel in range(2):
        part = slice(panel * PANEL, (panel + 1) * PANEL)
        assert lost[part].max() <= panels.residual[panel] <= lost[part].max() * 1.01 + 1e-7 * dimension**0.5
        assert np.linalg.norm(found[part], axis=1).max() <= panels.length[panel] < 1.1
    assert panels.rows == len(vectors) and panels.bad == -1


def test_starting_values_are_minus_half_the_squares():
    vectors = unit_rows(10, 6, 1) * np.arange(1, 11, dtype=np.float32)[:, None]
    panels = pack_rows(FLOAT32, Rows(vectors).read, 0, 10, 6, True, 1e15)
    assert panels.words[0, 0].view(np.float32)[:10] == pytest.approx(-(np.arange(1, 11) ** 2) / 2, rel=1e-5)
    assert panels.start[0] == pytest.approx(50, rel=1e-5)


@pytest.mark.parametrize("entry", [np.nan, np.inf, -np.inf, 3.0])
def test_the_first_bad_row_is_told(entry):
    vectors = unit_rows(500, 8, 1)
    vectors[[77, 300], 2] = entry
    for kind in KINDS:
        assert pack_rows(kind, Rows(vectors).read, 50, 500, 8, False, 1.01).bad == 77


def test_a_stretch_of_a_gallery():
    vectors = unit_rows(300, 8, 1)
    panels = pack_rows(FLOAT32, Rows(vectors).read, 64, 200, 8, False, 1.01)
    assert np.array_equal(unpacked(panels, 8), vectors[64:200])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_queries_are_padded_to_tiles(kind):
    probes = pack_queries(kind, unit_rows(ROWS + 1, 10, 1), False)
    assert probes.words.shape == (2 * ROWS, kind.words(10))
    assert not probes.words[ROWS + 1 :].any()
    if kind is INT8:
        signed = probes.words.view(np.int8).astype(np.int64)
        assert np.array_equal(probes.offset, 128 * signed.sum(axis=1))


def test_zeros_lose_nothing():
    panels = pack_rows(INT8, Rows(np.zeros((3, 4), np.float32)).read, 0, 3, 4, False, 1.01)
    assert np.array_equal(unpacked(panels, 4), np.zeros((3, 4)))


def test_memory_is_aligned_and_counted():
    for shape in ((3, 5), (1,), (7, 2, 9)):
        assert aligned(shape, np.uint32).ctypes.data % 64 == 0
    panels = pack_rows(BF16, Rows(unit_rows(130, 9)).read, 0, 130, 9, False, 1.01)
    assert bytes_of_panels(BF16, 130, 9) == panels.words.nbytes + 4 * panels.scale.nbytes
