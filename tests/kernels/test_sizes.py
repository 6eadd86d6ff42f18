"""Right answers whatever the number of rows, queries and dimensions."""

import numpy as np
import pytest
from against_oracles import check_ranks, check_topk, mixture, options, people_of
from builders import unit_rows
from hard_rows import SHORT_ROWS, UNIT_ROWS
from oracles import SCORES, inner_products, sorted_whole

from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.topk import topk

SIZES = (0, 1, 63, 64, 65, 4097)
DIMENSIONS = (1, 2, 3, 5, 127, 129, 640)
BATCHES = (0, 1, 5, 6, 7, 100)


@pytest.mark.parametrize("d", DIMENSIONS)
@pytest.mark.parametrize("n", SIZES)
def test_sizes(n, d):
    q = BATCHES[(SIZES.index(n) + DIMENSIONS.index(d)) % len(BATCHES)]
    random = np.random.default_rng(n * d)
    queries, vectors = unit_rows(q, d, 1), unit_rows(n, d, 2)[random.integers(0, max(1, n), n)]
    exclude = random.integers(-1, max(1, n), q) if n else None
    check_topk(queries, vectors, (1, 10, max(1, n - 1), n + 5) if q < 100 else (1, 10), exclude)
    check_topk(queries, vectors, (3,), exclude, metric="l2")
    check_ranks(queries, vectors, *people_of(queries, vectors, 9), exclude)
    left, right = (random.integers(0, size, 70 if n and q else 0) for size in (max(1, q), max(1, n)))
    wanted = inner_products(queries, vectors)[left, right]
    np.testing.assert_array_equal(pair_scores(queries, vectors, left, right), wanted)


@pytest.mark.parametrize("q", BATCHES)
def test_batches(q):
    vectors = mixture()[1]
    queries = unit_rows(q, 64, 5)
    check_topk(queries, vectors, (1, 20))
    check_ranks(queries, vectors, *people_of(queries, vectors, 50))


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("name", ["within 2^-5 of 0.8", "within 2^-9 of 0.8", "within 2^-22 of 0.8", "sparse"])
def test_many_queries(name, metric):
    # The first ones tell whether a kind of numbers will do: here they are the hardest, or the easiest.
    hard, vectors = {**UNIT_ROWS, **SHORT_ROWS}[name]()
    easy = unit_rows(20, vectors.shape[1], 9)
    distinct = np.concatenate([hard, easy])
    first_hard, first_easy = np.arange(900) * len(hard) // 900, len(hard) + np.arange(900) % 20
    rows, scores = sorted_whole(SCORES[metric](distinct, vectors), 10)
    for order in (np.concatenate([first_hard, first_easy]), np.concatenate([first_easy, first_hard])):
        found = topk(distinct[order], vectors, 10, **options(metric))
        np.testing.assert_array_equal(found.rows, rows[order])
        np.testing.assert_array_equal(found.scores, scores[order])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", ["all different", "few different", "all equal"])
def test_a_long_gallery(monkeypatch, threads, kind):
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    queries, vectors = unit_rows(5, 3, 1), unit_rows(150_001, 3, 2)
    if kind != "all different":
        vectors = vectors[np.random.default_rng(3).integers(0, 30 if kind == "few different" else 1, len(vectors))]
    exclude = inner_products(queries, vectors).argmax(axis=1)
    for metric in ("ip", "l2"):
        check_topk(queries, vectors, (1, 50), exclude, metric)
        check_topk(queries[:1], vectors, (50,), exclude[:1], metric)
    check_ranks(queries[:2], vectors, np.array([3, 900]), np.arange(len(vectors)) % 1000, exclude[:2])
    check_ranks(queries[:1], vectors, np.array([0]), np.minimum(np.arange(len(vectors)) % 7, 1), exclude[:1])
    check_ranks(queries[:1], vectors, np.array([0]), np.zeros(len(vectors), int), exclude[:1])


@pytest.mark.parametrize("metric", ["ip", "l2"])
def test_excluding_the_only_row(metric):
    row = unit_rows(1, 5)
    check_topk(np.repeat(row, 3, axis=0), row, (1, 3), np.array([0, -1, 0]), metric)
    check_ranks(np.repeat(row, 3, axis=0), row, np.zeros(3, int), np.zeros(1, int), np.array([0, -1, 0]))


def test_identities_may_be_any_numbers():
    queries, vectors, exclude = mixture(n=700)
    numbers = np.array([-(2**62), -7, -1, 0, 3, 10**15, 2**62])
    asked, identities = people_of(queries, vectors, 6)
    check_ranks(queries, vectors, numbers[asked], numbers[identities], exclude)
