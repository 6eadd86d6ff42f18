import numpy as np
import pytest
import torch

from vfsearch.kernels.cuda.ranks import mate_counts


@pytest.mark.parametrize(
    ("queries", "n", "p"), [(1, 1, 1), (6, 50, 3), (5, 2049, 17), (3, 1024, 64), (2, 0, 2), (0, 9, 2)]
)
def test_counts_are_those_of_comparing_all(queries, n, p):
    random = np.random.default_rng(n)
    scores = random.integers(0, 40, (queries, n)) / 40
    scores[:, : n // 5] = -np.inf
    thresholds = np.sort(random.integers(0, 40, (queries, p)) / 40, axis=1)
    thresholds[1::2, p // 2 :] = np.inf
    above, at_least = mate_counts(torch.as_tensor(scores), torch.as_tensor(thresholds))
    each, every = thresholds[:, :, None], scores[:, None, :]
    assert np.array_equal(above, (every > each).sum(axis=2))
    assert np.array_equal(at_least, (every >= each).sum(axis=2))
    assert above.dtype == at_least.dtype == torch.int64
