"""Candidates hold the best rows, between bounds that hold."""

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import SCORES

from vfsearch.kernels.cpu import candidates
from vfsearch.kernels.cpu.packing import pack_queries, pack_rows
from vfsearch.kernels.cpu.rowwise import scan_rows
from vfsearch.kernels.cpu.survivors import survivors
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8, ROWS
from vfsearch.kernels.rows import Rows

KINDS = [kind for kind in (INT8, BF16, FLOAT32) if kind.here]


def scanned(kind, queries, vectors, k, distances, exclude=None):
    """What one thread finds."""
    exclude = np.full(len(queries), -1) if exclude is None else exclude
    store = candidates.new_store(1, -(-len(queries) // ROWS) * ROWS, k)
    candidates.empty(store, k, len(queries))
    if kind is None:
        bad = scan_rows(queries, vectors, store, 0, k, exclude, 0, distances, 1e15)
        assert bad == -1
        return store
    panels = pack_rows(kind, Rows(vectors).read, 0, len(vectors), vectors.shape[1], distances, 1e15)
    assert panels.bad == -1
    probes = pack_queries(kind, queries, distances)
    whole = (0, (0, len(probes.words) // ROWS), (0, len(panels.words)))
    candidates.scan(probes, panels, store, *whole, k, exclude, 0, vectors.shape[1], distances)
    return store


def rows_of(name, count, dimension, seed):
    random = np.random.default_rng(seed)
    rows = unit_rows(count, dimension, seed)
    if name == "one entry of each rules":
        rows[:] *= 0.01
        rows[np.arange(count), random.integers(0, dimension, count)] = 0.99
    elif name == "of all lengths":
        rows *= random.uniform(1e-3, 1, (count, 1)).astype(np.float32)
    elif name == "all near one":
        rows = rows[:1] + random.normal(0, 1e-3, rows.shape).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows, dtype=np.float32)


@pytest.mark.parametrize("name", ["random", "one entry of each rules", "of all lengths", "all near one"])
@pytest.mark.parametrize("metric", ["ip", "l2"])
@pytest.mark.parametrize("kind", [*KINDS, None], ids=lambda kind: kind.name if kind else "rowwise")
@settings(deadline=None, max_examples=8)
@given(st.integers(1, 9), st.sampled_from([3, 64, 130]), st.sampled_from([1, 7]), st.integers(0, 99))
def test_bounds_and_best(kind, metric, name, count, dimension, k, seed):
    if kind is INT8 and metric == "l2":
        return
    queries, vectors = unit_rows(count, dimension, seed + 100), rows_of(name, 900, dimension, seed)
    if metric == "l2":
        queries = queries * np.float32(3)
    store = scanned(kind, queries, vectors, k, metric == "l2")
    exact = SCORES[metric](queries, vectors)
    # The sums of distances leave out the query's own square, and count half.
    sums = exact if metric == "ip" else (exact + (queries.astype(np.float64) ** 2).sum(axis=1)[:, None]) / 2
    best = np.argsort(-exact, axis=1, kind="stable")[:, :k]
    for query in range(count):
        if store.crowded[0, query]:
            continue
        held = slice(store.counts[0, query])
        rows = store.rows[0, query, held]
        assert (store.lower[0, query, held] <= sums[query, rows]).all()
        assert (store.upper[0, query, held] >= sums[query, rows]).all()
        assert set(best[query]) <= set(rows.tolist())
        if np.isfinite(store.threshold[0, query]):
            assert (sums[query] >= store.threshold[0, query]).sum() >= k
    offsets, rows = survivors(store, slice(0, count), k)
    for query in range(count):
        left = rows[offsets[query] : offsets[query + 1]]
        assert (np.diff(left) > 0).all()
        assert store.crowded[0, query] or set(best[query]) <= set(left.tolist())


@pytest.mark.parametrize("kind", [*KINDS, None], ids=lambda kind: kind.name if kind else "rowwise")
def test_equal_rows_crowd_and_harm_no_other(kind):
    vectors = unit_rows(5000, 16, 1)
    vectors[1000:] = vectors[0]
    queries = np.concatenate([vectors[:1], unit_rows(3, 16, 2), -vectors[:1]])
    store = scanned(kind, queries, vectors, 2, False)
    assert store.crowded[0, 0] and np.isposinf(store.threshold[0, 0])
    assert not store.crowded[0, 4]


def test_what_pads_a_tile_finds_nothing():
    store = scanned(FLOAT32, unit_rows(1, 8), unit_rows(100, 8, 1), 3, False)
    assert not store.counts[0, 1:].any()


def test_an_excluded_row_is_no_candidate():
    vectors = unit_rows(300, 8, 1)
    for kind in [*KINDS, None]:
        store = scanned(kind, vectors[5:6], vectors, 3, False, np.array([5]))
        assert 5 not in store.rows[0, 0, : store.counts[0, 0]]


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.data())
def test_kth_greatest(values, data):
    k = data.draw(st.integers(1, len(values)))
    assert candidates.kth_greatest(np.array(values, np.float32), len(values), k) == sorted(values)[-k]


@pytest.mark.parametrize("dimension", [1, 3, 128, 4096])
def test_the_error_of_a_sum_in_order_is_covered(dimension):
    # All entries equal and positive: the rounding of a running sum piles up, the worst that a sum in order can do.
    left = np.full(dimension, 1 / dimension**0.5, np.float32)
    running = np.cumsum(left * left, dtype=np.float32)[-1]
    exact = float(left.astype(np.float64) @ left.astype(np.float64))
    assert abs(float(running) - exact) < candidates.relative_error(FLOAT32, dimension)
