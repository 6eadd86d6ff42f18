from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vfsearch.kernels.cuda.finding import strides


@given(st.integers(1, 10**6), st.integers(1, 100), st.sampled_from([4, 16]))
def test_samples_grow_from_what_there_is_room_for_to_all(tiles, most, growth):
    found = strides(tiles, most, growth)
    assert found[-1] == 1 and -(-tiles // found[0]) <= most
    assert all(a == b * growth for a, b in pairwise(found))
    assert len(found) == 1 or -(-tiles // found[1]) > most
    # What the kernel visits: multiples of a stride that are no multiples of the one before.
    if tiles < 5000:
        seen = list(range(0, tiles, found[0]))
        for stride in found[1:]:
            count = -(-tiles // stride) - -(-tiles // (stride * growth))
            seen += [(index + index // (growth - 1) + 1) * stride for index in range(count)]
        assert sorted(seen) == list(range(tiles))
