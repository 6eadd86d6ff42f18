"""Rows however they are held, and rows that must be refused."""

import numpy as np
import pytest
import torch
from against_oracles import check_ranks, check_topk, mixture, options, people_of, same
from builders import unit_rows
from hard_rows import ANY_ROWS, near_ties
from oracles import as_stored, inner_products

from vfsearch.errors import VectorError
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk

# How rows are held


def mapped(rows, folder, mode):
    np.save(folder / "rows.npy", rows)
    return np.load(folder / "rows.npy", mmap_mode=mode)


def inside_wider_rows(rows):
    wide = np.full((len(rows), 2 * rows.shape[1] + 1), 9.0, rows.dtype)
    wide[:, 1::2] = rows
    return wide[:, 1::2]


def unaligned(rows):
    memory = np.zeros(rows.nbytes + 1, np.uint8)
    held = memory[1:].view(rows.dtype).reshape(rows.shape)
    held[:] = rows
    return held


HELD = {
    "float16": lambda rows, _: rows.astype(np.float16),
    "float64": lambda rows, _: rows.astype(np.float64) * (1 + 2.0**-30),
    "float64 by column": lambda rows, _: np.asfortranarray(rows.astype(np.float64)),
    "by column": lambda rows, _: np.asfortranarray(rows),
    "backwards": lambda rows, _: rows[::-1, ::-1],
    "every other": lambda rows, _: np.repeat(rows, 2, axis=0)[::2],
    "inside wider rows": lambda rows, _: inside_wider_rows(rows),
    "one row for all": lambda rows, _: np.broadcast_to(rows[5], rows.shape),
    "unaligned": lambda rows, _: unaligned(rows),
    "mapped": lambda rows, folder: mapped(rows, folder, "c"),
    "mapped, to read only": lambda rows, folder: mapped(rows, folder, "r"),
    "mapped float16": lambda rows, folder: mapped(rows.astype(np.float16), folder, "r"),
    "mapped by column": lambda rows, folder: mapped(np.asfortranarray(rows), folder, "r"),
}
TENSORS = {
    "tensor": lambda rows, _: torch.as_tensor(rows),
    "tensor, float16": lambda rows, _: torch.as_tensor(rows).half(),
    "tensor, bfloat16": lambda rows, _: torch.as_tensor(rows).bfloat16(),
    "tensor by column": lambda rows, _: torch.as_tensor(np.ascontiguousarray(rows.T)).T,
}


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("held", {**HELD, **TENSORS})
def test_rows_however_held(tmp_path, held, metric):
    queries, vectors, exclude = mixture(n=1100, d=37)
    rows = {**HELD, **TENSORS}[held](vectors, tmp_path)
    check_topk(queries, rows, (1, 30), exclude, metric)
    prepared = search_gallery(rows, **options(metric))
    same(topk(queries, prepared, 30, exclude, **options(metric)), topk(queries, rows, 30, exclude, **options(metric)))


@pytest.mark.parametrize("held", {**HELD, **TENSORS})
def test_ranks_of_rows_however_held(tmp_path, held):
    queries, vectors, exclude = mixture(n=1100, d=37)
    rows = {**HELD, **TENSORS}[held](vectors, tmp_path)
    check_ranks(queries, rows, *people_of(queries, vectors, 20), exclude)


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("held", HELD)
def test_queries_however_held(tmp_path, held, metric):
    queries = HELD[held](unit_rows(9, 64, 1), tmp_path)
    queries = queries if held != "float16" else (np.eye(64)[::8] * 1.0).astype(np.float16)
    if held == "mapped float16":
        queries = mapped(np.eye(64, dtype=np.float16), tmp_path, "r")
    vectors = near_ties(2.0**-12, 0.8, d=64)[1]
    check_topk(queries, vectors, (1, 30), metric=metric)
    check_ranks(queries, vectors, *people_of(queries, vectors, 20))
    left, right = np.arange(len(queries)), np.arange(len(queries)) * 3
    wanted = inner_products(queries, vectors)[left, right]
    np.testing.assert_array_equal(pair_scores(queries, vectors, left, right), wanted)


def test_float64_rows_are_rounded_to_float32():
    rows = unit_rows(50, 16, 1).astype(np.float64) + 1e-9
    same(topk(rows[:3], rows, 50), topk(as_stored(rows[:3]), as_stored(rows), 50))


# What must be refused

BAD = {"NaN": np.nan, "inf": np.inf, "-inf": -np.inf}


def spoilt(rows, row, entry):
    rows = rows.copy()
    rows[row, -1] = entry
    return rows


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("entry", BAD)
@pytest.mark.parametrize("row", [0, 3, -1])
def test_queries_that_are_not_finite(metric, entry, row):
    queries = spoilt(unit_rows(9, 20, 1), row, BAD[entry])
    with pytest.raises(VectorError, match="not finite"):
        topk(queries, unit_rows(100, 20, 2), 3, **options(metric))


@pytest.mark.parametrize("entry", BAD)
def test_ranked_queries_that_are_not_finite(entry):
    queries = spoilt(unit_rows(9, 20, 1), 3, BAD[entry])
    with pytest.raises(VectorError, match="not finite"):
        mate_ranks(queries, unit_rows(100, 20, 2), np.zeros(9, int), np.zeros(100, int))


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("entry", BAD)
@pytest.mark.parametrize("row", [0, 63, 64, 299])
def test_gallery_rows_that_are_not_finite(metric, entry, row):
    vectors = spoilt(unit_rows(300, 20, 2), row, BAD[entry])
    with pytest.raises(VectorError, match="not finite"):
        topk(unit_rows(9, 20, 1), vectors, 3, **options(metric))
    with pytest.raises(VectorError, match="not finite"):
        topk(unit_rows(1, 20, 1), vectors, 3, **options(metric))
    with pytest.raises(VectorError, match="not finite"):
        topk(unit_rows(1, 20, 1), search_gallery(vectors, **options(metric)), 3, **options(metric))


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("held", ["float16", "float64", "mapped float16", "tensor, float16", "tensor, bfloat16"])
def test_gallery_rows_that_are_not_finite_however_held(tmp_path, held, metric):
    rows = {**HELD, **TENSORS}[held](spoilt(unit_rows(300, 20, 2), 150, np.nan), tmp_path)
    with pytest.raises(VectorError, match="not finite"):
        topk(unit_rows(9, 20, 1), rows, 3, **options(metric))


def right_or_refused(queries, vectors, metric):
    """No wrong answer: either a message or the oracle's order."""
    try:
        check_topk(queries, vectors, (1, 10), metric=metric)
    except VectorError as error:
        assert "length" in str(error) or "finite" in str(error)


@pytest.mark.parametrize("length", [1.001, 1.3, 7.0, 1e6, 1e20, 3e38])
def test_rows_longer_than_one(length):
    vectors = unit_rows(500, 16, 1)
    vectors[77] *= np.float32(length) * np.sign(vectors[77, 0])
    right_or_refused(unit_rows(5, 16, 2), vectors, "ip")


@pytest.mark.parametrize("size", [1e9, 1e18, 1e25, 1e37])
@pytest.mark.parametrize("all_rows", [False, True])
def test_distances_between_huge_rows(size, all_rows):
    queries, vectors = ANY_ROWS["rows of size 1"]()
    vectors[slice(None) if all_rows else slice(400, 401)] *= np.float32(size)
    right_or_refused(queries, vectors, "l2")
    right_or_refused(queries * np.float32(size), vectors, "l2")


def test_float64_rows_too_large_for_float32():
    vectors = unit_rows(100, 8, 1).astype(np.float64)
    vectors[40] = 1e300
    with pytest.raises(VectorError, match="not finite"):
        topk(unit_rows(2, 8, 2), vectors, 1, metric="l2")
