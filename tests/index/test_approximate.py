from pathlib import Path

import numpy as np
import pytest
from builders import make_embeddings, unit_rows
from lossy_index import BACKEND, LossyIndex

from vfsearch.errors import SettingsError, VectorError
from vfsearch.index.approximate import padded, without
from vfsearch.index.base import Gallery, Opened
from vfsearch.index.settings import BuildSettings
from vfsearch.kernels.topk import topk

QUERIES = unit_rows(6, 8, 9)


class Plain(LossyIndex):
    """Knows of all rows only, as most libraries do."""

    def _nearest_among(self, queries, k, rows):
        return super()._nearest_among(queries, k, rows) if len(rows) == len(self) else None


class Graph(Plain):
    """As Plain, and can rescore."""

    @property
    def knobs(self):
        from vfsearch.index.approximate import refine_knob

        return (*super().knobs, refine_knob(0))

    def _nearest(self, queries, k):
        found, scores = super()._nearest(queries, k)
        return found[:, ::-1], np.round(scores[:, ::-1], 1)


def made(kind=Plain, n: int = 60, **settings) -> LossyIndex:
    rows = make_embeddings(n, 8, 3, modality="face")
    gallery = Gallery(
        ids=rows.ids, identities=rows.identities, columns={}, modality="face", space=rows.space, store="a"
    )
    opened = Opened(folder=Path("face"), paths={}, gallery=gallery, vectors=rows.vectors,
                    made_with=BuildSettings(backend=BACKEND), device="cpu")  # fmt: skip
    index = kind(opened)
    index.use({"seen": 10, **settings})
    return index


def best(index, rows, k: int = 4, exclude=None) -> np.ndarray:
    return np.append(rows, -1)[topk(QUERIES, index.vectors[rows], k, exclude).rows]


def test_all_rows():
    index = made()
    assert np.array_equal(index.search(QUERIES, 4).rows, best(index, np.arange(60)))


def test_what_a_query_must_not_get():
    index, all_rows = made(), np.arange(60)
    first = best(index, all_rows)[:, 0]
    exclude = np.where(np.arange(6) % 2, first, -1)
    assert np.array_equal(index.search(QUERIES, 4, exclude=exclude).rows, best(index, all_rows, exclude=exclude))


@pytest.mark.parametrize(
    "rows", [np.arange(0, 60, 2), np.arange(50), np.array([5]), np.arange(60), np.arange(0, 60, 13), np.arange(0)],
    ids=["half", "most", "one", "all", "few", "none"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [LossyIndex, Plain, Graph])
def test_among_some_rows(kind, rows):
    index = made(kind, **({"refine": 15} if kind is Graph else {}))
    assert np.array_equal(index.search(QUERIES, 4, rows).rows, best(index, rows))


@pytest.mark.parametrize("kind", [LossyIndex, Plain, Graph])
@pytest.mark.parametrize("rows", [np.arange(0, 60, 2), np.arange(5)], ids=["half", "few"])
def test_what_a_query_must_not_get_among_some_rows(kind, rows):
    index = made(kind, **({"refine": 15} if kind is Graph else {}))
    exclude = np.array([best(index, rows)[0, 0], best(index, rows)[1, 1], -1, 59, 4, -1])
    places = np.array([int(np.flatnonzero(rows == row)[0]) if row in rows else -1 for row in exclude])
    found = index.search(QUERIES, 4, rows, exclude)
    assert np.array_equal(found.rows, best(index, rows, exclude=places))
    assert not (found.rows == exclude[:, None])[exclude >= 0].any()


def test_queries_that_find_too_few_among_some_rows_are_answered_exactly():
    # Of the rows asked for the library knows none: the exact kernel has to find them.
    index, rows = made(seen=5), np.flatnonzero(np.arange(60) % 10 >= 5)
    assert np.array_equal(index.search(QUERIES, 4, rows).rows, best(index, rows))


def test_exact_scores_decide_among_the_candidates():
    rough, refined = made(Graph), made(Graph, refine=15)
    assert not np.array_equal(rough.search(QUERIES, 4).rows, best(rough, np.arange(60)))
    found, wanted = refined.search(QUERIES, 4), topk(QUERIES, refined.vectors, 4)
    assert np.array_equal(found.rows, wanted.rows) and np.array_equal(found.scores, wanted.scores)


@pytest.mark.parametrize("refine", [0, 2])
def test_more_neighbours_than_rows(refine):
    found = made(Graph, n=3, refine=refine).search(QUERIES, 5)
    assert found.rows.shape == (6, 5) and (found.rows[:, 3:] == -1).all() and np.isneginf(found.scores[:, 3:]).all()
    assert sorted(found.rows[0, :3].tolist()) == [0, 1, 2]


def test_no_queries():
    assert made().search(QUERIES[:0], 4).rows.shape == (0, 4)


@pytest.mark.parametrize("shape", [(8,), (2, 9), (1, 2, 8)])
def test_queries_of_another_shape(shape):
    with pytest.raises(VectorError, match=r"the queries have the shape .*, the index wants \(q, 8\)"):
        made().search(np.ones(shape, np.float32), 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_queries_that_are_not_finite(bad):
    queries = QUERIES.copy()
    queries[3, 2] = bad
    with pytest.raises(VectorError, match="'query 3' is not finite"):
        made().search(queries, 4)


@pytest.mark.parametrize("length", [0.0, 0.9, 1.1, 3e38])
def test_queries_that_are_not_of_length_one(length):
    with pytest.raises(VectorError, match="1 of 6 rows are not unit rows: 'query 3' is of length"):
        made().search(np.where(np.arange(6)[:, None] == 3, QUERIES * np.float32(length), QUERIES), 4)


def test_nothing_wanted():
    with pytest.raises(SettingsError, match="k is 0, it must be at least 1"):
        made().search(QUERIES, 0)


def test_without():
    found, scores = np.array([[4, 2, 7], [1, 5, -1]]), np.array([[3.0, 2, 1], [3, 2, -np.inf]])
    rows, kept = without(found, scores, np.array([2, -1]))
    assert rows.tolist() == [[4, 7, -1], [1, 5, -1]]
    assert kept.tolist() == [[3.0, 1, -np.inf], [3, 2, -np.inf]]


def test_padded_scores_of_nothing():
    found = padded(np.array([[3, -1]], np.int32), np.array([[0.5, 0.25]], np.float32), 3)
    assert found.rows.tolist() == [[3, -1, -1]] and found.scores.tolist() == [[0.5, -np.inf, -np.inf]]
    assert found.rows.dtype == np.int64 and found.scores.dtype == np.float64
