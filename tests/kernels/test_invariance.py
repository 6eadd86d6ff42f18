"""What must change nothing: threads, memory, batches, the order of the gallery, what is kept of it."""

import numpy as np
import pytest
import torch
from against_oracles import COLUMNS, check_ranks, check_topk, mixture, options, people_of, same
from oracles import on_grid

from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.ranks import mate_ranks, rank_gallery
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_change_nothing(monkeypatch, threads):
    queries, vectors, exclude = mixture()
    people = people_of(queries, vectors, 50)
    monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
    for metric in ("ip", "l2"):
        check_topk(queries, vectors, (1, 10, 300), exclude, metric)
    check_topk(queries[:1], vectors, (10,), exclude[:1])
    check_ranks(queries, vectors, *people, exclude)


@pytest.mark.parametrize("max_memory", [2**16, 2**20, 2**40])
def test_memory_changes_nothing(max_memory):
    queries, vectors, exclude = mixture()
    for metric in ("ip", "l2"):
        check_topk(queries, vectors, (1, 10, 300), exclude, metric, max_memory=max_memory)
    check_ranks(queries, vectors, *people_of(queries, vectors, 50), exclude, max_memory=max_memory)


@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("max_memory", [None, 2**16])
def test_a_prepared_gallery_gives_the_same(metric, max_memory):
    queries, vectors, exclude = mixture()
    prepared = search_gallery(vectors, **options(metric), max_memory=max_memory)
    assert (len(prepared), prepared.shape, prepared.metric) == (len(vectors), vectors.shape, metric)
    for asked in (slice(None), slice(0, 1), slice(2, 7), slice(0, 0)):
        for k in (1, 10, 300, len(vectors) + 5):
            found = topk(queries[asked], prepared, k, exclude[asked], **options(metric))
            same(found, topk(queries[asked], vectors, k, exclude[asked], **options(metric)))


def test_a_kept_gallery_ranks_the_same():
    queries, vectors, exclude = mixture()
    asked, identities = people_of(queries, vectors, 50)
    kept = rank_gallery(vectors, identities)
    wanted = mate_ranks(queries, vectors, asked, identities, exclude)
    same(mate_ranks(queries, kept, asked, identities, exclude), wanted)
    same(mate_ranks(queries, torch.as_tensor(on_grid(vectors)), asked, identities, exclude), wanted)
    same(mate_ranks(queries, torch.as_tensor(vectors), asked, identities, exclude), wanted)


@pytest.mark.parametrize("metric", ["ip", "l2"])
def test_each_query_alone_as_in_a_batch(metric):
    queries, vectors, exclude = mixture(queries=13, n=1500)
    whole = topk(queries, vectors, 20, exclude, **options(metric))
    for query in range(len(queries)):
        alone = topk(queries[query : query + 1], vectors, 20, exclude[query : query + 1], **options(metric))
        np.testing.assert_array_equal(alone.rows[0], whole.rows[query])
        np.testing.assert_array_equal(alone.scores[0], whole.scores[query])


def test_each_query_ranks_alone_as_in_a_batch():
    queries, vectors, exclude = mixture(queries=13, n=1500)
    asked, identities = people_of(queries, vectors, 30)
    whole = mate_ranks(queries, vectors, asked, identities, exclude)
    for query in range(len(queries)):
        part = slice(query, query + 1)
        alone = mate_ranks(queries[part], vectors, asked[part], identities, exclude[part])
        for name in COLUMNS[1:]:
            np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name)[whole.probe == query])


@pytest.mark.parametrize("metric", ["ip", "l2"])
def test_the_order_of_the_gallery(metric):
    queries, vectors, _ = mixture(n=1500)
    order = np.random.default_rng(1).permutation(len(vectors))
    straight = topk(queries, vectors, len(vectors), **options(metric))
    mixed = topk(queries, vectors[order], len(vectors), **options(metric))
    np.testing.assert_array_equal(mixed.scores, straight.scores)
    by_row = [np.lexsort((order[rows], -scores)) for rows, scores in zip(mixed.rows, mixed.scores, strict=True)]
    for query, places in enumerate(by_row):
        np.testing.assert_array_equal(order[mixed.rows[query]][places], straight.rows[query])


def test_the_order_of_the_gallery_changes_no_rank():
    queries, vectors, exclude = mixture(n=1500)
    asked, identities = people_of(queries, vectors, 30)
    order = np.random.default_rng(1).permutation(len(vectors))
    moved = np.where(exclude >= 0, np.argsort(order)[exclude], -1)
    wanted = mate_ranks(queries, vectors, asked, identities, exclude)
    same(mate_ranks(queries, vectors[order], asked, identities[order], moved), wanted)


def test_the_inputs_stay_as_they_are():
    queries, vectors, exclude = mixture(n=700)
    asked, identities = people_of(queries, vectors, 9)
    arrays = [queries, vectors, exclude, asked, identities]
    before = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    topk(queries, vectors, 9, exclude)
    topk(queries, vectors, 9, exclude, metric="l2")
    mate_ranks(queries, vectors, asked, identities, exclude)
    pair_scores(queries, vectors, np.zeros(4, int), np.arange(4))
    for array, old in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, old)
