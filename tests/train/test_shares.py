import numpy as np
import pytest

from vfsearch.errors import SettingsError
from vfsearch.train.shares import share


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 7])
def test_shares_are_those_of_array_split(ranks):
    for n in range(ranks, 30):
        parts = [np.arange(n)[share(n, rank, ranks)] for rank in range(ranks)]
        for found, wanted in zip(parts, np.array_split(np.arange(n), ranks), strict=True):
            assert found.tolist() == wanted.tolist()


def test_every_process_needs_a_pair():
    with pytest.raises(SettingsError, match="a batch of 3 pairs cannot be shared among 4 processes: start fewer"):
        share(3, 0, 4)
