import numpy as np
import pytest
import torch

from vfsearch.kernels.cuda.streaming import resident, stretches

CPU = torch.device("cpu")


@pytest.mark.parametrize("size", [1, 3, 10, 99])
@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor, lambda rows: rows[::-1]])
def test_stretches_are_the_rows_in_their_order(size, make):
    rows = make(np.arange(20, dtype=np.float32).reshape(10, 2))
    parts = list(stretches(rows, CPU, size))
    assert [first for first, _ in parts] == list(range(0, 10, size))
    assert np.array_equal(torch.cat([part for _, part in parts]), rows)


def test_float64_becomes_float32_and_shorter_types_stay():
    for given, wanted in ((np.float64, torch.float32), (np.float16, torch.float16)):
        assert resident(np.ones((3, 2), given), CPU).dtype == wanted
        ((_, rows),) = stretches(np.ones((3, 2), given), CPU, 5)
        assert rows.dtype == wanted


def test_rows_that_are_there_are_not_copied():
    rows = torch.ones((3, 2))
    assert resident(rows, CPU).data_ptr() == rows.data_ptr()
