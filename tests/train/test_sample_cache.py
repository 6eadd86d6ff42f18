import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.errors import SettingsError
from vfsearch.train.sample_cache import SampleCache


def sample(nbytes: int) -> np.ndarray:
    return np.full(nbytes, nbytes, np.uint8)


@given(
    st.integers(0, 20),
    st.lists(st.tuples(st.sampled_from(["get", "put"]), st.integers(0, 6), st.integers(0, 12)), max_size=40),
)
def test_it_does_what_a_list_in_order_of_use_does(most, calls):
    cache, order = SampleCache(most), []  # order: [row, nbytes], used longest ago first
    for call, row, nbytes in calls:
        there = [each for each in order if each[0] == row]
        order = [each for each in order if each[0] != row]
        if call == "get":
            got = cache.get(row)
            assert (None if got is None else (row, len(got))) == (there[0] if there else None)
            order += there
        else:
            cache.put(row, sample(nbytes))
            if nbytes <= most:
                order.append((row, nbytes))
                while sum(size for _, size in order) > most:
                    order.pop(0)
        assert cache.bytes_held == sum(size for _, size in order) <= most
    assert {row for row in range(7) if cache.get(row) is not None} == {row for row, _ in order}


def test_the_sample_used_longest_ago_leaves_first():
    cache = SampleCache(10)
    for row in (1, 2):
        cache.put(row, sample(5))
    assert cache.get(1) is not None
    cache.put(3, sample(5))
    assert [cache.get(row) is None for row in (1, 2, 3)] == [False, True, False]


def test_a_sample_larger_than_the_cache_costs_no_other():
    cache = SampleCache(10)
    cache.put(1, sample(5))
    cache.put(2, sample(11))
    assert cache.get(1) is not None and cache.get(2) is None


def test_a_sample_put_again_counts_once():
    cache = SampleCache(10)
    for nbytes in (8, 8, 6):
        cache.put(1, sample(nbytes))
    assert cache.bytes_held == 6 and len(cache.get(1)) == 6


def test_a_part_of_an_array_does_not_keep_the_whole():
    cache, whole = SampleCache(100), sample(90)
    part = whole[:5]
    part.flags.writeable = False
    cache.put(1, part)
    kept = cache.get(1)
    assert kept.base is None and kept.nbytes == 5 and not kept.flags.writeable
    np.testing.assert_array_equal(kept, part)
    turned = whole.reshape(9, 10)  # of the same size: no copy
    cache.put(2, turned)
    assert cache.get(2) is turned


def test_threads_leave_it_whole():
    cache = SampleCache(50)

    def use(seed: int) -> None:
        random = np.random.default_rng(seed)
        for row in random.integers(20, size=2000).tolist():
            got = cache.get(row)
            assert got is None or len(got) == row
            cache.put(row, np.zeros(row, np.uint8))

    threads = [threading.Thread(target=use, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [cache.get(row) for row in range(20)]
    assert cache.bytes_held == sum(each.nbytes for each in held if each is not None) <= 50


def test_no_room_keeps_nothing():
    cache = SampleCache(0)
    cache.put(1, sample(1))
    assert cache.get(1) is None


def test_a_negative_size_is_refused():
    with pytest.raises(SettingsError, match="is to hold -1 bytes, it must be 0 or more"):
        SampleCache(-1)
