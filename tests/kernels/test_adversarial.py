"""Right answers on inputs made to mislead: every kernel against a whole sort of float64 scores."""

import functools

import numpy as np
import pytest
import torch
from against_oracles import check_ranks, check_topk, options, people_of
from builders import rounds, unit_rows
from hard_rows import ANY_ROWS, SHORT_ROWS, UNIT_ROWS, near_ties
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import (
    SCORES,
    crowd_blocks,
    inner_products,
    mate_blocks,
    minus_distance_by_floats,
    minus_squared_distances,
    score_by_integers,
    sorted_whole,
)

from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.pairs import pair_scores
from vfsearch.kernels.search_gallery import search_gallery

INNER = {**UNIT_ROWS, **SHORT_ROWS}
ALL = [("ip", name) for name in INNER] + [("l2", name) for name in {**ANY_ROWS, **INNER}]


@functools.cache
def rows_of(name):
    return {**INNER, **ANY_ROWS}[name]()


@functools.cache
def scores_of(metric, name):
    return SCORES[metric](*rows_of(name))


# The oracles, and how hard the inputs are


@pytest.mark.parametrize("name", ["ever closer", "sparse", "lengths mixed", "whole 8-bit steps, up to -1"])
def test_inner_products_are_those_of_integers(name):
    queries, vectors = rows_of(name)
    scores = inner_products(queries, vectors)
    for row in range(0, len(vectors), len(vectors) // 20):
        assert scores[-1, row] == score_by_integers(queries[-1], vectors[row])


@pytest.mark.parametrize("name", ["lengths of all sizes", "1e+06 from the origin, 1 apart", "rows of size 1e-30"])
def test_distances_are_those_of_a_plain_loop(name):
    queries, vectors = rows_of(name)
    scores = minus_squared_distances(queries, vectors)
    for row in range(0, len(vectors), len(vectors) // 20):
        assert scores[-1, row] == minus_distance_by_floats(queries[-1], vectors[row])


def misled(name, products):
    """How many of the 10 best rows are behind the 100 best by approximate products."""
    queries, vectors = rows_of(name)
    best = sorted_whole(inner_products(queries, vectors), 10)[0]
    approximate = sorted_whole(products(queries, vectors), 100)[0]
    return len(set(best[0]) - set(approximate[0]))


@pytest.mark.parametrize("name", [name for name in INNER if name.startswith(("bfloat16", "beside"))])
def test_bfloat16_loses_the_best(name):
    def products(*rows):
        left, right = (torch.tensor(each).bfloat16().double() for each in rows)
        return (left @ right.T).numpy()

    assert misled(name, products) == 10


@pytest.mark.parametrize("steps", [63, 64, 127, 128, 254, 255])
@pytest.mark.parametrize("many", [120, 3000])
def test_eight_bits_lose_the_best(steps, many):
    def products(queries, vectors):
        step = np.abs(vectors).max(axis=1, keepdims=True).astype(float) / steps
        return queries.astype(np.float64) @ (np.rint(vectors / step) * step).T

    assert misled(f"{steps} steps, {many} up", products) == 10


@pytest.mark.parametrize("where", ["first", "last"])
def test_running_sums_of_float32_lose_the_best(where):
    def products(queries, vectors):
        total = np.zeros((1, len(vectors)), np.float32)
        for column in range(queries.shape[1]):
            # Each product has few enough digits to be exact in float32.
            total = total + queries[:, column, None] * vectors[None, :, column]
        return total

    assert misled(f"running sums, best {where}", products) == 10


# Every kernel on every input


@pytest.mark.parametrize(("metric", "name"), ALL)
def test_topk(metric, name):
    queries, vectors = rows_of(name)
    check_topk(queries, vectors, (1, 10, 100), metric=metric, scores=scores_of(metric, name))


@pytest.mark.parametrize(("metric", "name"), ALL)
def test_topk_of_a_prepared_gallery(metric, name):
    queries, vectors = rows_of(name)
    prepared = search_gallery(vectors, **options(metric))
    scores = scores_of(metric, name)
    check_topk(queries, vectors, (1, 10, 100), metric=metric, gallery=prepared, scores=scores)
    check_topk(queries[-1:], vectors, (10,), metric=metric, gallery=prepared, scores=scores[-1:])


@pytest.mark.parametrize(("metric", "name"), [
    ("ip", "within 2^-9 of 0.8"), ("ip", "all rows equal"), ("ip", "few rows often"), ("ip", "zeros"),
    ("ip", "lengths mixed"), ("ip", "one dimension"), ("ip", "descending"), ("l2", "small integers"),
    ("l2", "lengths of all sizes"), ("l2", "zeros"),
])  # fmt: skip
def test_as_many_as_there_are_and_more(metric, name):
    queries, vectors = rows_of(name)
    n = len(vectors)
    check_topk(queries, vectors, (n - 1, n, n + 5), metric=metric)
    check_topk(queries, vectors, (n - 1, n), np.arange(len(queries)) * 3, metric=metric)


@pytest.mark.parametrize(("metric", "name"), ALL)
def test_topk_without_the_best_row(metric, name):
    queries, vectors = rows_of(name)
    scores = scores_of(metric, name)
    best = scores.argmax(axis=1)
    exclude = np.where(np.arange(len(best)) % 4 == 3, -1, best)
    check_topk(queries, vectors, (1, 7), exclude, metric, scores=scores)


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("people", [40, 1_000_000], ids=["several mates", "a mate or none"])
def test_mate_ranks(name, people):
    queries, vectors = rows_of(name)
    asked, identities = people_of(queries, vectors, people)
    if people > len(vectors):
        asked = identities[np.arange(len(asked)) * 5]
        asked[1::3] = -8
    check_ranks(queries, vectors, asked, identities, scores=scores_of("ip", name))


@pytest.mark.parametrize(
    "name", ["within 2^-9 of 0.8", "all rows equal", "few rows often", "ever closer", "zeros", "sparse"]
)
def test_mate_ranks_when_most_rows_are_mates(name):
    queries, vectors = rows_of(name)
    check_ranks(queries, vectors, *people_of(queries, vectors, 1), np.arange(len(queries)))


@pytest.mark.parametrize("name", INNER)
def test_mate_ranks_without_the_best_row(name):
    queries, vectors = rows_of(name)
    scores = scores_of("ip", name)
    best = scores.argmax(axis=1)
    exclude = np.where(np.arange(len(best)) % 4 == 3, -1, best)
    check_ranks(queries, vectors, *people_of(queries, vectors, 30, 1), exclude, scores)


@pytest.mark.parametrize("name", INNER)
def test_crowds(name):
    queries, vectors = rows_of(name)
    asked, identities = people_of(queries, vectors, 60, 2)
    asked[0] = identities[0]
    units, exclude = np.arange(61) % 23, np.arange(len(queries)) - 1
    rows = np.arange(len(queries))[:: max(1, len(queries) // 4)]
    found = list(crowds(queries, vectors, asked, identities, rows, units, exclude))
    blocks = [
        (int(crowd.rows[probe]), above.tolist(), tied.tolist())
        for crowd in found
        for probe, above, tied in zip(crowd.ranks.probe, crowd.above, crowd.tied, strict=True)
    ]
    scores = scores_of("ip", name)
    assert blocks == crowd_blocks(scores, asked, identities, rows, units, exclude)
    wanted, _, _ = mate_blocks(scores[rows], asked[rows], identities, exclude[rows])
    assert [count for crowd in found for count in crowd.ranks.above.tolist()] == [block[1] for block in wanted]


@pytest.mark.parametrize("name", INNER)
def test_pair_scores(name):
    queries, vectors = rows_of(name)
    random = np.random.default_rng(3)
    left, right = random.integers(0, len(queries), 1000), random.integers(0, len(vectors), 1000)
    found = pair_scores(queries, vectors, left, right)
    np.testing.assert_array_equal(found, scores_of("ip", name)[left, right])


# Mixtures


@st.composite
def scenes(draw):
    """Queries and a gallery of pieces of hard inputs in any order, with duplicates, and what is asked of them."""
    d = draw(st.sampled_from([2, 3, 31, 64, 128]))
    q = draw(st.integers(1, 9))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    asked = unit_rows(q, d, int(random.integers(2**31)))
    pieces = [asked, unit_rows(5, d, 1)]
    for _ in range(draw(st.integers(1, 4))):
        level, bits = draw(st.sampled_from([-0.9, 0.0, 0.5, 0.99])), draw(st.integers(4, 27))
        count = draw(st.sampled_from([3, 70, 600]))
        own = near_ties(2.0**-bits, level, count, d, 1, seed=int(random.integers(2**31)))
        pieces.append(own[1])
        asked[int(random.integers(q))] = own[0][0]
    scale = 10.0 ** -draw(st.sampled_from([0, 3, 8, 20, 41]))
    pieces.append((unit_rows(40, d, 3).astype(np.float64) * scale).astype(np.float32))
    vectors = np.concatenate(pieces)
    vectors = vectors[random.integers(0, len(vectors), draw(st.integers(1, len(vectors))))]
    exclude = random.integers(-1, len(vectors), q) if draw(st.booleans()) else None
    return asked, vectors, exclude


@settings(deadline=None, max_examples=rounds(60, 2000))
@given(scenes(), st.integers(1, 700), st.sampled_from(["ip", "l2"]), st.sampled_from([2**17, 2**30]))
def test_topk_of_mixtures(scene, k, metric, max_memory):
    queries, vectors, exclude = scene
    check_topk(queries, vectors, (k,), exclude, metric, max_memory=max_memory)


@settings(deadline=None, max_examples=rounds(40, 2000))
@given(scenes(), st.sampled_from([1, 5, 60, 1000]), st.sampled_from([2**17, 2**30]))
def test_mate_ranks_of_mixtures(scene, people, max_memory):
    queries, vectors, exclude = scene
    check_ranks(queries, vectors, *people_of(queries, vectors, people), exclude, max_memory=max_memory)


@settings(deadline=None, max_examples=rounds(30, 2000))
@given(st.integers(1, 300), st.integers(1, 200), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_rows_on_a_coarse_lattice(n, d, k, seed):
    # Entries that every kind of number holds exactly: scores a step apart, with ties, and no error to hide behind.
    random = np.random.default_rng(seed)
    vectors = random.integers(-2, 3, (n, d)) * 2.0 ** -np.ceil(np.log2(2 * d**0.5))
    check_topk(np.full((1, d), d**-0.5, np.float32), vectors.astype(np.float32), (k,))
