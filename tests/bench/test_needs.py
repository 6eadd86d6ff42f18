import pytest

from vfsearch.bench.needs import bytes_needed, free_memory, require_room
from vfsearch.bench.settings import KERNELS, KernelBench, Task
from vfsearch.errors import DoesNotFitError

SETTINGS = KernelBench(max_memory=2**30)


@pytest.mark.parametrize("kernel", KERNELS)
def test_more_rows_need_more(kernel):
    small, large = (Task(kernel=kernel, rows=rows, probes=10, k=5) for rows in (1000, 2000))
    assert 1000 * 128 * 4 < bytes_needed(small, SETTINGS) < bytes_needed(large, SETTINGS)


def test_the_largest_is_named():
    fits, too_large = (Task(kernel="topk", rows=rows, probes=10, k=5) for rows in (1000, 10**7))
    require_room([fits], SETTINGS)
    with pytest.raises(DoesNotFitError) as caught:
        require_room([fits, too_large], SETTINGS)
    assert "topk 10 × 10,000,000, k 5 of dimension 128 takes about" in str(caught.value)
    assert "but 1,024 MiB is the most that --max-memory allows: ask for fewer rows or probes" in str(caught.value)


def test_what_is_free_is_the_limit():
    assert 2**20 < free_memory() < 2**50
    with pytest.raises(DoesNotFitError, match="MiB are free here"):
        require_room([Task(kernel="pairs", rows=10**12, probes=1)], KernelBench())
