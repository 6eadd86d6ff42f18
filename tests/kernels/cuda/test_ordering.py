import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vfsearch.kernels.cuda.ordering import first_best, merged, ordered

FEW_VALUES = st.sampled_from([-np.inf, 0.0, 0.25, 0.5, 1.0])


@settings(deadline=None)
@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 30)), elements=FEW_VALUES), st.data())
def test_first_best_are_those_of_a_stable_sort(scores, data):
    k = data.draw(st.integers(1, scores.shape[1]))
    wanted = np.sort(np.argsort(-scores, axis=1, kind="stable")[:, :k], axis=1)
    assert np.array_equal(first_best(torch.as_tensor(scores), k), wanted)


def test_golden_order_and_padding():
    rows, scores = ordered(torch.tensor([[7, 2, 9, 1]]), torch.tensor([[0.5, 0.9, 0.5, -torch.inf]]).double(), 5)
    assert rows.tolist() == [[2, 7, 9, -1, -1]]
    assert scores.tolist() == [[np.float32(0.9), 0.5, 0.5, -np.inf, -np.inf]]


def test_merged_lists_are_the_list_of_both():
    scores = torch.randint(0, 4, (5, 40)).double()
    numbers = torch.arange(40).expand(5, -1)
    parts = [ordered(numbers[:, part], scores[:, part], 6) for part in (slice(0, 3), slice(3, 40))]
    for found, wanted in zip(merged(*parts[0], *parts[1]), ordered(numbers, scores, 6), strict=True):
        assert torch.equal(found, wanted)
