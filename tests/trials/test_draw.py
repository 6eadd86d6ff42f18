from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.errors import SettingsError
from vfsearch.trials.draw import Draw, repeated


def chi_square(counts) -> float:
    """Over its degrees of freedom: about 1 when the counts are even."""
    counts = np.asarray(counts, dtype=float)
    return float(((counts - counts.mean()) ** 2 / counts.mean()).sum() / (len(counts) - 1))


def test_these_very_numbers_on_every_machine():
    assert Draw(1).raw(3).tolist() == [16412783775159424549, 10277383025879800780, 14774146505460541886]
    assert Draw(1).below([10] * 8 + [10**6, 2**52]).tolist() == [8, 5, 8, 9, 0, 2, 7, 0, 725723, 2786677305069624]
    assert Draw(1, 2).below([10] * 8).tolist() == [9, 0, 7, 0, 4, 0, 6, 7]
    assert Draw(2**40, 7).raw(1).tolist() == [344338404946111793]
    assert Draw(5).permutation(10).tolist() == [8, 6, 4, 3, 0, 2, 9, 1, 5, 7]
    assert Draw(3).distinct(np.array([20, 7, 5, 100]), 5).tolist() == [
        [17, 18, 6, 10, 5], [3, 0, 1, 2, 4], [1, 4, 3, 0, 2], [68, 32, 72, 6, 16],
    ]  # fmt: skip


def test_every_name_is_a_stream_of_its_own():
    names = [(0,), (1,), (0, 0), (1, 0), (1, 0, 0), (0, 1), (1, 2), (2, 1), (2**32,), (0, 1, 0), (2**32 + 1,), (2**64,)]
    assert len({Draw(*name).raw(1)[0] for name in names}) == len(names)


def test_the_numbers_go_on_where_they_stopped():
    parts, whole = Draw(4), Draw(4)
    assert [*parts.raw(2), *parts.raw(3)] == whole.raw(5).tolist()
    assert [*parts.below([9, 9]), *parts.below([7])] == whole.below([9, 9, 7]).tolist()


@given(st.integers(0, 2**70), st.lists(st.integers(1, 2**52), max_size=20))
def test_below_its_limit_as_plain_arithmetic_says(seed, limits):
    fractions = [int(raw) >> 11 for raw in Draw(seed).raw(len(limits))]
    wanted = [int(fraction / 2**53 * limit) for fraction, limit in zip(fractions, limits, strict=True)]
    found = Draw(seed).below(limits).tolist()
    assert found == wanted and all(0 <= number < limit for number, limit in zip(found, limits, strict=True))


@pytest.mark.parametrize("limit", [1, 2, 3, 1000, 2**20 + 7, 2**51 + 1, 2**52])
def test_the_largest_fraction_stays_below_the_limit(limit, monkeypatch):
    monkeypatch.setattr(Draw, "raw", lambda self, count: np.full(count, 2**64 - 1, dtype=np.uint64))
    assert Draw(1).below(limit).tolist() == limit - 1


def test_shapes():
    assert Draw(1).below(np.full((2, 3), 5)).shape == (2, 3)
    assert Draw(1).below([]).shape == (0,) and Draw(1).below(4).shape == ()
    assert Draw(1).permutation(0).tolist() == []
    assert Draw(1).distinct(np.zeros(0), 3).shape == (0, 3) and Draw(1).distinct(np.array([4]), 0).shape == (1, 0)


def test_values_are_even():
    assert chi_square(np.bincount(Draw(1).below(np.full(60_000, 7)), minlength=7)) < 3
    orders = Counter(tuple(random.permutation(3)) for random in [Draw(2)] for _ in range(3000))
    assert len(orders) == 6 and chi_square(list(orders.values())) < 4


@pytest.mark.parametrize("limit", [3, 4, 5, 6, 7])
def test_every_row_of_distinct_numbers_is_equally_likely(limit):
    """Both ways to draw: 3 of 6 and 7 by drawing anew, 3 of 3 to 5 by ordering."""
    rows = Counter(map(tuple, Draw(9).distinct(np.full(200 * limit**3, limit), 3).tolist()))
    assert set(rows) == set(permutations(range(limit), 3))
    assert chi_square(list(rows.values())) < 2


@given(st.integers(0, 99), st.integers(0, 12), st.lists(st.integers(0, 60), max_size=30))
def test_distinct_rows_differ_and_stay_below_their_limits(seed, count, more):
    limits = np.array([count + 1 + extra for extra in more], dtype=np.int64)
    rows = Draw(seed).distinct(limits, count)
    assert all(len(set(row)) == count for row in rows.tolist())
    assert ((rows >= 0) & (rows < limits[:, None])).all()


def test_many_of_many_are_drawn_in_pieces(monkeypatch):
    import vfsearch.trials.draw as module

    whole = Draw(1).distinct(np.full(30, 40), 30)
    monkeypatch.setattr(module, "_KEYS_AT_ONCE", 100)
    assert np.array_equal(Draw(1).distinct(np.full(30, 40), 30), whole)


@given(st.lists(st.lists(st.integers(0, 4), min_size=5, max_size=5), min_size=1, max_size=6))
def test_repeated_as_a_loop_says(rows):
    wanted = [[value in row[:place] for place, value in enumerate(row)] for row in rows]
    assert repeated(np.array(rows)).tolist() == wanted


@pytest.mark.parametrize("name", [(-1,), (1, -1), (1, 2**32)])
def test_numbers_that_name_no_stream(name):
    with pytest.raises(SettingsError, match=r"a seed from 0 and stream numbers from 0 to 2\*\*32 - 1, got"):
        Draw(*name)


def test_limits_out_of_range():
    with pytest.raises(SettingsError, match=r"limits from 1 to 2\*\*52, got 0 to 3"):
        Draw(1).below([3, 0])
    with pytest.raises(SettingsError, match="3 numbers that differ want a limit of at least 3, got 2"):
        Draw(1).distinct(np.array([5, 2]), 3)
