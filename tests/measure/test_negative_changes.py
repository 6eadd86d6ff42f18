import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.negative_changes import negative_changes


@pytest.mark.parametrize("measure", ["accuracy", "rank-1", "rank-3"])
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 6), st.booleans())
def test_like_leaving_each_negative_out(measure, seed, trials, candidates, ties):
    random = np.random.default_rng(seed)
    scores = random.integers(0, 3, (trials, candidates)) * 1.0 if ties else random.random((trials, candidates))
    figure = parse_measure(measure).figure()
    found = np.zeros((trials, candidates))
    rows, columns, changes = negative_changes(figure, scores)
    assert (changes != 0).all()
    found[rows, columns] = changes
    for column in range(1, candidates):
        left = np.delete(scores, column, axis=1)
        assert found[:, column] == pytest.approx(figure(scores) - figure(left), abs=1e-12)
    assert (found[:, 0] == 0).all()


def test_no_trials():
    assert [len(each) for each in negative_changes(parse_measure("accuracy").figure(), np.zeros((0, 3)))] == [0, 0, 0]
