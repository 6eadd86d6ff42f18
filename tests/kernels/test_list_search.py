from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import inner_products

from vfsearch import devices
from vfsearch.errors import VectorError
from vfsearch.kernels import list_search
from vfsearch.kernels.cpu import lists as packing
from vfsearch.kernels.cpu import probing
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8
from vfsearch.kernels.list_search import ListGallery, best_of_chosen, nearest_lists, packed_centres, search_lists
from vfsearch.kernels.topk import topk

KINDS = [kind for kind in (INT8, BF16, FLOAT32) if kind.here]


def problem(rows, lists, d, seed, twice=True):
    """Rows, some of them several times, and centres with the list of each row; some lists are empty."""
    random = np.random.default_rng(seed)
    vectors = unit_rows(rows, d, seed)[random.integers(0, rows, rows)] if twice else unit_rows(rows, d, seed)
    return vectors, unit_rows(lists, d, seed + 7), random.integers(0, lists, rows).astype(np.int32)


def plain(queries, vectors, lists, chosen, k, allowed=None):
    """The oracle: every row of the chosen lists, sorted by (score, row)."""
    scores = inner_products(queries, vectors)
    rows, best = np.full((len(queries), k), -1), np.full((len(queries), k), -np.inf)
    for query in range(len(queries)):
        there = np.flatnonzero(np.isin(lists, chosen[query]))
        there = there if allowed is None else np.intersect1d(there, allowed)
        order = there[np.lexsort((there, -scores[query, there]))][:k]
        rows[query, : len(order)], best[query, : len(order)] = order, scores[query, order]
    return rows, best


def check(queries, vectors, centres, lists, k, nprobe, allowed=None):
    gallery = ListGallery(vectors, centres, lists)
    found = search_lists(queries, gallery, k, nprobe, allowed)
    chosen = nearest_lists(queries, gallery.centres, nprobe)
    rows, scores = plain(queries, vectors, lists, chosen, k, allowed)
    assert np.array_equal(found.rows, rows) and np.array_equal(found.scores, scores)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request, monkeypatch):
    monkeypatch.setattr(packing, "kind_for", lambda dimension: request.param)
    return request.param


@settings(deadline=None, max_examples=40)
@given(
    queries=st.integers(1, 20), rows=st.integers(1, 400), lists=st.integers(1, 20), d=st.sampled_from([1, 3, 16, 130]),
    k=st.integers(1, 30), seed=st.integers(0, 999), data=st.data(),
)  # fmt: skip
def test_equals_the_sorted_rows_of_the_lists_looked_at(queries, rows, lists, d, k, seed, data):
    some = problem(rows, lists, d, seed)
    check(unit_rows(queries, d, seed + 1), *some, k, data.draw(st.integers(1, lists)))


@pytest.mark.parametrize("nprobe", [1, 3, 4, 5, 12])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_every_kind_of_numbers(kind, nprobe, k):
    check(unit_rows(50, 33, 1), *problem(3000, 12, 33, 2), k, nprobe)


def test_all_lists_give_what_an_exact_search_gives(kind):
    vectors, centres, lists = problem(3000, 12, 64, 2)
    queries = unit_rows(40, 64, 1)
    found, wanted = search_lists(queries, ListGallery(vectors, centres, lists), 10, 12), topk(queries, vectors, 10)
    assert np.array_equal(found.rows, wanted.rows) and np.array_equal(found.scores, wanted.scores)


@pytest.mark.parametrize("share", [0.02, 0.5, 1])
def test_some_rows_alone(kind, share):
    some = problem(2000, 9, 20, 3)
    allowed = np.flatnonzero(np.random.default_rng(0).random(2000) < share)
    check(unit_rows(30, 20, 1), *some, 10, 5, allowed)


def test_equal_rows_that_no_bound_tells_apart(kind):
    vectors = np.repeat(unit_rows(4, 24, 5), 1000, axis=0)
    lists = np.random.default_rng(0).integers(0, 6, 4000).astype(np.int32)
    queries = np.concatenate([vectors[::1000], unit_rows(70, 24, 1)])
    check(queries, vectors, unit_rows(6, 24, 2), lists, 10, 4)
    check(queries, vectors, unit_rows(6, 24, 2), lists, 10, 4, np.arange(0, 4000, 3))


@pytest.mark.parametrize("share", [None, 0.3])
@pytest.mark.parametrize(("k", "nprobe"), [(1, 1), (10, 5), (100, 12)])
def test_queries_that_come_alone(kind, k, nprobe, share):
    vectors, centres, lists = problem(3000, 12, 33, 2)
    # Some lists are empty, and some queries find more rows alike than there is room for.
    vectors[:1500], lists[lists == 3] = vectors[0], 4
    allowed = None if share is None else np.flatnonzero(np.random.default_rng(0).random(3000) < share)
    queries, gallery = np.concatenate([unit_rows(40, 33, 1), vectors[:1]]), ListGallery(vectors, centres, lists)
    together = search_lists(queries, gallery, k, nprobe, allowed)
    for place in range(len(queries)):
        found = search_lists(queries[place : place + 1], gallery, k, nprobe, allowed)
        assert np.array_equal(found.rows[0], together.rows[place])
        assert np.array_equal(found.scores[0], together.scores[place])


def test_queries_that_come_alone_at_the_same_time():
    vectors, centres, lists = problem(3000, 12, 33, 2)
    queries, gallery = unit_rows(400, 33, 1), ListGallery(vectors, centres, lists)
    together = search_lists(queries, gallery, 10, 5)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda place: search_lists(queries[place : place + 1], gallery, 10, 5), range(400)))
    assert np.array_equal(np.concatenate([each.rows for each in found]), together.rows)
    assert len(gallery._alone) == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("sharing", [0, 10**9])
def test_threads_change_nothing(monkeypatch, threads, sharing):
    monkeypatch.setattr(list_search, "TILES_WORTH_A_THREAD", 1)
    monkeypatch.setattr(list_search, "LEAST_SHARING", sharing)
    monkeypatch.setattr(devices, "cores", lambda: threads)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    equal = np.repeat(unit_rows(1, 24, 5), 3000, axis=0)
    for some in (problem(3000, 25, 24, 2), (equal, *problem(3000, 25, 24, 2)[1:])):
        check(unit_rows(90, 24, 1), *some, 7, 6)


def test_little_memory_changes_nothing(monkeypatch):
    monkeypatch.setattr(list_search, "BYTES_AT_ONCE", 2**16)
    check(unit_rows(90, 24, 1), *problem(3000, 25, 24, 2), 7, 6)


def test_memory_is_used_again():
    vectors, centres, lists = problem(500, 5, 24, 2)
    gallery = ListGallery(vectors, centres, lists)
    search_lists(unit_rows(50, 24, 1), gallery, 3, 2)
    memory = gallery._memory[0]
    search_lists(unit_rows(40, 24, 2), gallery, 3, 2)
    assert gallery._memory[0] is memory
    search_lists(unit_rows(60, 24, 2), gallery, 3, 2)
    assert len(gallery._memory) <= devices.threads()


@pytest.mark.parametrize("wanted", [1, 3, 64, 149, 150])
def test_the_nearest_lists_have_the_greatest_products(kind, wanted):
    centres, queries = unit_rows(150, 48, 3), unit_rows(40, 48, 1)
    chosen = nearest_lists(queries, packed_centres(centres), wanted)
    scores = queries @ centres.T
    assert all(len(set(each)) == wanted for each in chosen.tolist())
    for query in range(40):
        others = np.delete(scores[query], chosen[query])
        assert others.max(initial=-np.inf) <= scores[query, chosen[query]].min() + 0.02


@pytest.mark.parametrize("centres", [np.zeros((7, 5), np.float32), np.repeat(unit_rows(1, 5), 7, axis=0)])
def test_lists_that_are_equally_near(kind, centres):
    queries = np.concatenate([unit_rows(3, 5), np.zeros((1, 5), np.float32)])
    assert all(len(set(each)) == 4 for each in nearest_lists(queries, packed_centres(centres), 4).tolist())


def test_the_best_of_chosen_lists():
    vectors, _, lists = problem(200, 6, 8, 2)
    queries, chosen = unit_rows(5, 8, 1), np.array([[0, 5], [1, 2], [3, 4], [5, 1], [2, 0]])
    found = best_of_chosen(queries, vectors, chosen, lambda some: np.flatnonzero(np.isin(lists, some)), 9)
    assert np.array_equal(found.rows, plain(queries, vectors, lists, chosen, 9)[0])


def test_seeds_are_reached_by_k_rows(kind):
    vectors, centres, lists = problem(3000, 6, 24, 2, twice=False)
    queries = unit_rows(30, 24, 1)
    for k in (1, 5, 16, 17, 40):
        gallery = ListGallery(vectors, centres, lists)
        asked, chosen = list_search._Search(gallery, k, 3, None)._begun(queries)
        kth = plain(queries, vectors, lists, chosen, k)[1][:, -1]
        least = asked.facts[:, probing._THRESHOLD]
        assert (least <= kth).all()
        assert (least > -1).all() == (k <= 48)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 5.0])
def test_rows_that_are_not_finite_or_too_long_are_refused(kind, bad):
    vectors, centres, lists = problem(300, 6, 24, 2)
    vectors[123, 4] = bad
    with pytest.raises(VectorError, match=r"row (123 )?of the gallery is not finite"):
        ListGallery(vectors, centres, lists)
