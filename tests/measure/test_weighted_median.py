import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.measure.weighted_median import weighted_medians


@given(st.lists(st.tuples(st.sampled_from([1.0, 2.0, 2.5, 7.0, np.inf]), st.integers(0, 3)), min_size=1, max_size=12))
def test_like_repeating_each_value(entries):
    values, weights = np.array(entries).T
    repeated = np.repeat(values, weights.astype(int))
    found = weighted_medians(values, np.arange(len(values)), weights[None, :])[0]
    if len(repeated):
        assert found == np.median(repeated)
    else:
        assert np.isnan(found)


def test_values_of_one_unit_are_drawn_together():
    values, units = np.array([1.0, 9.0, 5.0]), np.array([0, 0, 1])
    assert weighted_medians(values, units, np.array([[1, 0], [0, 2], [1, 1]])).tolist() == [5.0, 5.0, 5.0]
    assert weighted_medians(np.zeros(0), units[:0], np.ones((2, 1))).shape == (2,)
