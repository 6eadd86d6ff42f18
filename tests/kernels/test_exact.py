from fractions import Fraction

import numpy as np
import pytest
import torch
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.kernels.exact import grid, score_block


def exact_score(left: np.ndarray, right: np.ndarray) -> Fraction:
    """By Python's integers: entries to the nearest multiple of 2^-26, halves to even, then the sum."""
    whole = [[round(Fraction(float(entry)) * 2**26) for entry in row] for row in (left, right)]
    return Fraction(sum(a * b for a, b in zip(*whole, strict=True)), 2**52)


@pytest.mark.parametrize("dimension", [1, 2, 3, 64, 128, 512])
def test_scores_are_those_of_integer_arithmetic(dimension):
    queries, vectors = unit_rows(4, dimension, 1), unit_rows(5, dimension, 2)
    scores = score_block(grid(queries), grid(vectors))
    for query, row in np.ndindex(scores.shape):
        assert Fraction(float(scores[query, row])) == exact_score(queries[query], vectors[row])


def test_a_row_against_itself_and_its_opposite_uses_the_whole_range():
    row = np.full((1, 4), 0.5, np.float32)
    assert score_block(grid(row), grid(np.concatenate([row, -row]))).tolist() == [[1.0, -1.0]]


def test_halves_round_to_even_and_denormals_to_nothing():
    entries = np.array([[0.5, 1.5, 2.5, -0.5]]) * 2.0**-26
    assert (grid(entries) * 2**26).tolist() == [[0.0, 2.0, 2.0, -0.0]]
    assert not grid(np.array([[1e-42, -1e-45]], np.float32)).any()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 7, 33, 128]), st.randoms())
def test_the_order_of_the_columns_changes_no_bit(queries, rows, dimension, random):
    order = list(range(dimension))
    random.shuffle(order)
    left, right = unit_rows(queries, dimension, queries), unit_rows(rows, dimension, rows + 50)
    straight = score_block(grid(left), grid(right))
    assert torch.equal(straight, score_block(grid(left[:, order]), grid(right[:, order])))


def test_threads_change_no_bit():
    queries, vectors, before = unit_rows(70, 128, 3), unit_rows(300, 128, 4), torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(score_block(grid(queries), grid(vectors)))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


def test_equal_rows_get_equal_scores_wherever_they_stand():
    vectors = unit_rows(203, 67, 5)
    vectors[[0, 17, 101, 202]] = vectors[50]
    scores = score_block(grid(unit_rows(13, 67, 6)), grid(vectors)).numpy()
    assert (scores[:, [0, 17, 101, 202]] == scores[:, [50]]).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_types_meet_on_the_same_grid(dtype):
    rows = unit_rows(3, 8, 7)
    assert torch.equal(grid(rows.astype(dtype)), grid(rows.astype(dtype).astype(np.float32)))


def test_rows_are_taken_backwards_and_unchanged():
    rows = unit_rows(4, 8, 8)
    before = rows.copy()
    assert torch.equal(grid(rows[::-1]), grid(rows).flip(0))
    assert np.array_equal(rows, before)
