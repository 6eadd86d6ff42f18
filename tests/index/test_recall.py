import numpy as np
from builders import unit_rows

from vfsearch.data.neighbors import Neighbors
from vfsearch.index.recall import recalls
from vfsearch.kernels.topk import topk

ROWS, QUERIES = unit_rows(30, 8, 1), unit_rows(4, 8, 2)


def found(rows) -> Neighbors:
    rows = np.asarray(rows)
    return Neighbors(rows=rows, scores=np.zeros(rows.shape))


def test_shares_of_the_true_neighbours():
    truth = topk(QUERIES, ROWS, 4)
    rows = truth.rows.copy()
    worst = topk(QUERIES, -ROWS, 1).rows[:, 0]
    rows[1, 0], rows[2, 1:], rows[3] = worst[1], -1, -1
    assert recalls(found(rows), truth, QUERIES, ROWS).tolist() == [1.0, 0.75, 0.25, 0.0]


def test_the_order_and_the_scores_that_a_search_gives_decide_nothing():
    truth = topk(QUERIES, ROWS, 4)
    assert recalls(found(truth.rows[:, ::-1]), truth, QUERIES, ROWS).tolist() == [1.0] * 4


def test_among_equal_scores_none_is_truer():
    doubled = np.concatenate([ROWS, ROWS])
    truth = topk(QUERIES, doubled, 3)
    other = np.where(truth.rows < 30, truth.rows + 30, truth.rows - 30)
    assert recalls(found(other), truth, QUERIES, doubled)[0] >= 2 / 3
    assert recalls(found(np.where(truth.rows[:, :1] < 30, truth.rows[:, :1] + 30, -1)), topk(QUERIES, doubled, 1),
                   QUERIES, doubled).tolist() == [1.0] * 4  # fmt: skip


def test_more_hits_than_are_wanted_are_no_more_than_all():
    same = np.repeat(ROWS[:1], 6, axis=0)
    truth = topk(QUERIES[:1], same, 2)
    assert recalls(found([[0, 1, 2, 3]]), truth, QUERIES[:1], same).tolist() == [1.0]


def test_fewer_rows_than_asked_for():
    truth = topk(QUERIES, ROWS[:2], 5)
    assert recalls(found(truth.rows), truth, QUERIES, ROWS[:2]).tolist() == [1.0] * 4
    assert recalls(found(truth.rows[:, :1]), truth, QUERIES, ROWS[:2]).tolist() == [0.5] * 4


def test_nothing_to_be_found():
    nothing = found(np.full((4, 2), -1))
    assert recalls(nothing, nothing, QUERIES, ROWS).tolist() == [1.0] * 4
