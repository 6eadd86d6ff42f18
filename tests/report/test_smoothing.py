import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import NAN

from vfsearch.report.smoothing import extremes, local_means, spread

series = st.lists(st.floats(-1e6, 1e6) | st.just(NAN) | st.just(math.inf), max_size=60)


def mean_by_loop(values, place, window):
    near = [value for row, value in enumerate(values) if abs(row - place) <= window // 2 and math.isfinite(value)]
    return math.fsum(near) / len(near) if near else NAN


@settings(deadline=None, max_examples=60)
@given(series, st.integers(0, 9))
def test_means_are_those_of_a_plain_loop(values, window):
    found = local_means(np.array(values), np.arange(len(values)), window)
    np.testing.assert_allclose(found, [mean_by_loop(values, row, window) for row in range(len(values))], atol=1e-6)


def test_a_window_of_one_gives_the_values_themselves():
    values = np.random.default_rng(0).normal(size=9)
    assert local_means(values, np.array([2, 5]), 1).tolist() == values[[2, 5]].tolist()


@pytest.mark.parametrize("length, most, rows", [(0, 5, []), (1, 5, [0]), (4, 9, [0, 1, 2, 3]), (9, 2, [0, 8])])
def test_spread_rows(length, most, rows):
    assert spread(length, most).tolist() == rows


@settings(deadline=None, max_examples=60)
@given(series, st.integers(1, 12))
def test_extremes_keep_the_band(values, buckets):
    values = np.array(values, dtype=float)
    rows = extremes(values, buckets)
    assert len(rows) <= 2 * buckets and (np.diff(rows) > 0).all()
    finite = values[np.isfinite(values)]
    if len(finite):
        kept = values[rows][np.isfinite(values[rows])]
        assert kept.min() == finite.min() and kept.max() == finite.max()


def test_extremes_of_each_stretch():
    assert extremes(np.array([3.0, 1, 2, NAN, 7, 5, 9, 8]), 2).tolist() == [0, 1, 5, 6]
    assert extremes(np.array([3.0, 1, 2, NAN]), 2).tolist() == [0, 1, 2, 3]
    assert extremes(np.full(9, NAN), 2).tolist() == []
