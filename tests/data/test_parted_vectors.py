import numpy as np
import pytest
from builders import unit_rows

from vfsearch.data.parted_vectors import PartedVectors
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.kernels.rows import Rows
from vfsearch.kernels.topk import topk

ROWS = unit_rows(50, 8, 1)
PARTED = PartedVectors([ROWS[:7], ROWS[7:7], ROWS[7:30], ROWS[30:]])
SOME = np.array([49, 3, 3, 0, 29, 30, 6, 7])


@pytest.mark.parametrize(
    "rows", [slice(None), slice(5, 33), slice(40, 2), slice(None, None, -3), SOME, SOME - 50, 4, -1, ROWS[:, 0] > 0]
)
def test_they_are_read_as_one_array(rows):
    assert np.array_equal(PARTED[rows], ROWS[rows])
    view = PARTED.chosen(np.arange(50)[::-1])
    assert np.array_equal(view[rows], ROWS[::-1][rows])


def test_what_it_is():
    assert PARTED.shape == ROWS.shape and PARTED.dtype == ROWS.dtype and PARTED.nbytes == ROWS.nbytes
    assert len(PARTED) == 50 and np.array_equal(np.asarray(PARTED), ROWS)
    assert np.array_equal(PARTED.chosen(SOME).chosen(np.array([1, 0]))[:], ROWS[[3, 49]])
    with pytest.raises(IndexError, match="rows 0 to 50 are asked for, there are 50"):
        PARTED[np.array([0, 50])]


def test_kernels_take_them():
    queries, of_queries, of_rows = unit_rows(9, 8, 2), np.arange(9) % 4, np.arange(50) % 5
    for ours, theirs in ((topk(queries, PARTED, 5), topk(queries, ROWS, 5)),):
        assert np.array_equal(ours.rows, theirs.rows) and np.array_equal(ours.scores, theirs.scores)
    one, other = (mate_ranks(queries, rows, of_queries, of_rows) for rows in (PARTED, ROWS))
    assert np.array_equal(one.above, other.above)
    pairs = np.arange(200) % 9, np.arange(200) * 7 % 50
    assert np.array_equal(pair_scores(queries, PARTED, *pairs), pair_scores(queries, ROWS, *pairs))
    with pytest.raises(Exception, match="pair 1 is row 0 of 9 queries and row 50 of 50 in the gallery"):
        pair_scores(queries, PARTED, np.array([0, 0]), np.array([0, 50]))
    assert np.array_equal(Rows(PARTED).take(SOME), ROWS[SOME]) and Rows(PARTED).plain is None
