"""The compiled loops beneath ranks and crowds: bounds of products, bins, and counts between any thresholds."""

from itertools import pairwise

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.kernels.cpu.counting import FEW, count
from vfsearch.kernels.cpu.gallery import stretch
from vfsearch.kernels.cpu.hard import count_by_sorting
from vfsearch.kernels.cpu.packing import aligned
from vfsearch.kernels.cpu.places import BINS, EDGE, bin_of, bins_in_all, bins_of, bounds, first_from, place_from, table
from vfsearch.kernels.cpu.strips import lengths, margins, products
from vfsearch.kernels.cpu.tiles import PANEL, ROWS
from vfsearch.kernels.exact import grid
from vfsearch.kernels.rows import Rows


def packed(queries, vectors):
    """Operands of a product: queries padded to whole tiles, and a stretch of the gallery in the order of its rows."""
    left = aligned((-(-len(queries) // ROWS) * ROWS, queries.shape[1]), np.float32)
    left[: len(queries)] = grid(queries).numpy()
    return left, stretch(Rows(vectors), np.arange(len(vectors)), 0, len(vectors))


def scores_of(left, part):
    strip = aligned((len(left), len(part.panels) * PANEL), np.float32)
    products(left, part.panels, 0, len(part.panels), strip)
    return strip


def hard_rows(kind, n, d, seed=0):
    random = np.random.default_rng(seed)
    rows = unit_rows(n, d, seed)
    if kind == "one sign":
        # No error cancels another: the sums grow all the way.
        rows = np.abs(rows)
    elif kind == "heavy end":
        rows *= np.linspace(0.01, 1, d, dtype=np.float32)
    elif kind == "heavy start":
        rows *= np.linspace(1, 0.01, d, dtype=np.float32)
    elif kind == "sparse":
        rows *= random.random((n, d)) < 0.05
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1)).astype(np.float32)


@pytest.mark.parametrize("kind", ["random", "one sign", "heavy end", "heavy start", "sparse"])
@pytest.mark.parametrize("d", [1, 7, 128, 1000])
def test_the_margin_covers_every_product(kind, d):
    queries, vectors = hard_rows(kind, 12, d), hard_rows(kind, 500, d, 1)
    left, part = packed(queries, vectors)
    exact = (grid(queries) @ grid(vectors).T).numpy()
    reach, length = np.empty((2, len(queries)))
    lengths(left, reach, length)
    margin = margins(reach, length, part.reach, part.length, d)
    errors = np.abs(scores_of(left, part)[: len(queries), : len(vectors)] - exact)
    assert (errors <= margin[:, None]).all()
    # A margin that is many times too wide would be safe and slow.
    assert (margin < (d + 4) * 2.0**-24).all()


def test_where_there_are_no_rows_scores_count_nowhere():
    left, part = packed(unit_rows(ROWS, 5), unit_rows(PANEL + 1, 5))
    assert (scores_of(left, part)[:, PANEL + 1 :] == -np.inf).all()


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=60, unique=True), st.sampled_from([1e-7, 1e-3, 0.3]),
    st.sampled_from([256, 1024, 4096]), st.integers(0, 999),
)  # fmt: skip
def test_a_bin_that_is_not_near_holds_scores_of_one_place(thresholds, margin, wanted, seed):
    thresholds = np.sort(np.array(thresholds))
    low, high = np.empty((2, len(thresholds) + 1), np.float32)
    bounds(thresholds, margin, low, high)
    near, first, clear = np.empty(BINS, np.uint8), np.empty(BINS, np.int32), np.empty((BINS, 3), np.int32)
    *line, runs = table(low, high, len(thresholds), wanted, near, first, clear)
    # Between compiled functions they are float32; on the way through Python they become float64.
    line = [np.float32(each) for each in line]
    random = np.random.default_rng(seed)
    close = random.choice(thresholds, 200) + random.normal(size=200) * margin
    beside = np.nextafter(np.concatenate([low[:-1], high[:-1]]), random.choice([-2, 2]), dtype=np.float32)
    scores = np.concatenate([random.uniform(-1.5, 1.5, 200), close, low[:-1], high[:-1], beside, [-np.inf, 2]])
    scores = scores.astype(np.float32)
    bins = np.empty(len(scores), np.uint16)
    bins_of(scores, *line, bins)
    covered = np.concatenate([np.arange(start, stop) for start, stop, _ in clear[:runs]])
    assert np.array_equal(covered, np.flatnonzero(near[: bins_in_all(wanted)] == 0))
    place = np.zeros(BINS, int)
    for start, stop, number in clear[:runs]:
        place[start:stop] = number
    above, not_below = np.searchsorted(high[:-1], scores), np.searchsorted(low[:-1], scores, side="right")
    for score, each, least, most in zip(scores, bins, above, not_below, strict=True):
        if near[each]:
            assert each == bin_of(score, *line)
            assert place_from(first[each], score, high) == least
        else:
            assert place[each] == least == most


def test_scores_beyond_the_thresholds_take_turns():
    bins = np.empty(2 * EDGE, np.uint16)
    bins_of(np.full(2 * EDGE, -5, np.float32), np.float32(0), np.float32(256), np.float32(EDGE + 256), bins)
    assert bins.tolist() == [*range(EDGE)] * 2
    bins_of(np.full(2 * EDGE, 5, np.float32), np.float32(0), np.float32(256), np.float32(EDGE + 256), bins)
    assert bins.tolist() == [*range(EDGE + 257, 2 * EDGE + 257)] * 2
    assert bins.max() < bins_in_all(256)


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), max_size=40), st.integers(-1, 31), st.data())
def test_first_from(values, score, data):
    values = np.sort(np.array(values, dtype=np.float64))
    wanted = int(np.searchsorted(values, score))
    assert first_from(data.draw(st.integers(0, wanted)), float(score), values) == wanted


def counted(queries, vectors, thresholds, own=None, skip=None, span=None, shape=(ROWS, 3 * PANEL)):
    """(above, tied) of each threshold of each query."""
    left, part = packed(queries, vectors)
    number = len(queries)
    own = np.zeros((number, 2), np.int64) if own is None else own
    skip = np.full(number, -1) if skip is None else skip
    span = span or (0, len(part.panels))
    sizes = np.array([len(each) for each in thresholds])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    reach, length = np.empty((2, number))
    lengths(left, reach, length)
    margin = margins(reach, length, part.reach, part.length, queries.shape[1])
    beyond, equal = np.zeros((2, starts[-1]), dtype=np.int64)
    sides = (left, left[:number].astype(np.float64), part.panels, part.rows)
    lines = (np.concatenate([*thresholds, []]), starts, sizes)
    hard, strip = np.zeros(number, np.bool_), aligned(shape, np.float32)
    facts = (*sides, *lines, own, skip, margin)
    count(*facts, span, strip, beyond, equal, hard)
    count_by_sorting(np.flatnonzero(hard), facts, span, strip, beyond, equal)
    each = list(pairwise(starts))
    return [beyond[a:b][::-1].cumsum()[::-1].tolist() for a, b in each], [equal[a:b].tolist() for a, b in each]


def by_hand(queries, vectors, thresholds, kept):
    scores = (grid(queries) @ grid(vectors).T).numpy()
    above = [
        [int((own[keep] > t).sum()) for t in mine] for own, keep, mine in zip(scores, kept, thresholds, strict=True)
    ]
    tied = [
        [int((own[keep] == t).sum()) for t in mine] for own, keep, mine in zip(scores, kept, thresholds, strict=True)
    ]
    return above, tied


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 2 * ROWS + 1), st.integers(1, 5 * PANEL), st.integers(1, 40), st.integers(0, 3 * FEW),
    st.integers(0, 999),
)  # fmt: skip
def test_counts_between_any_thresholds(queries, rows, d, most, seed):
    random = np.random.default_rng(seed)
    vectors, asked = unit_rows(rows, d, seed)[random.integers(0, rows, rows)], unit_rows(queries, d, seed + 1)
    scores = (grid(asked) @ grid(vectors).T).numpy()
    # Scores that are there, others within the margin of one, others anywhere.
    thresholds = [
        np.unique(np.concatenate([own[:most], own[: most // 2] + 1e-8, random.uniform(-2, 2, most // 3)]))
        for own in scores
    ]
    own = np.sort(random.integers(0, rows + 1, (queries, 2)), axis=1)
    skip = random.integers(-1, rows, queries)
    kept = np.ones((queries, rows), bool)
    for query in range(queries):
        kept[query, own[query, 0] : own[query, 1]] = False
        if skip[query] >= 0:
            kept[query, skip[query]] = False
    assert counted(asked, vectors, thresholds, own, skip) == by_hand(asked, vectors, thresholds, kept)


def test_some_panels_only():
    queries, vectors = unit_rows(4, 8), unit_rows(5 * PANEL - 3, 8, 1)
    scores = (grid(queries) @ grid(vectors).T).numpy()
    thresholds = [np.sort(own[:20]) for own in scores]
    kept = np.zeros(scores.shape, bool)
    kept[:, PANEL : 3 * PANEL] = True
    assert counted(queries, vectors, thresholds, span=(1, 3)) == by_hand(queries, vectors, thresholds, kept)
    none = [[0] * 20] * 4
    assert counted(queries, vectors, thresholds, span=(2, 2)) == (none, none)


@pytest.mark.parametrize("size", [FEW, FEW + 1], ids=["by comparing", "by bins"])
def test_ties_in_both_ways_of_counting(size):
    queries, vectors = unit_rows(3, 16), np.repeat(unit_rows(100, 16, 1), 3, axis=0)
    scores = (grid(queries) @ grid(vectors).T).numpy()
    thresholds = [np.unique(own)[:size] for own in scores]
    above, tied = counted(queries, vectors, thresholds)
    assert (above, tied) == by_hand(queries, vectors, thresholds, np.ones(scores.shape, bool))
    assert tied == [[3] * size] * 3


def test_many_thresholds_in_one_bin():
    # One threshold far away makes the bins wide.
    query = np.eye(1, 3, dtype=np.float32)
    close = 0.5 + np.arange(3000) * 2.0**-24
    vectors = np.stack([np.append(close, -1), np.zeros(3001), np.zeros(3001)], axis=1).astype(np.float32)
    thresholds = [np.unique((grid(query) @ grid(vectors).T).numpy())]
    assert len(thresholds[0]) == 3001
    kept = np.ones((1, 3001), bool)
    assert counted(query, vectors, thresholds) == by_hand(query, vectors, thresholds, kept)
