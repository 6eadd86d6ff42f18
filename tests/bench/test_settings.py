import pytest

from vfsearch.bench.settings import KernelBench, tasks
from vfsearch.errors import SettingsError


def test_tasks_in_order():
    settings = KernelBench(kernels=("ranks", "topk"), rows=(100, 200), k=(1, 10), probes=7)
    assert [(each.kernel, each.rows, each.k) for each in tasks(settings)] == [
        ("ranks", 100, 0), ("ranks", 200, 0),
        ("topk", 100, 1), ("topk", 100, 10), ("topk", 200, 1), ("topk", 200, 10),
    ]  # fmt: skip
    assert tasks(settings)[3].name == "topk 7 × 100, k 10"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kernels": ("topk", "sort")}, "kernels: 'sort' is unknown, it must be one of topk, ranks, pairs, single"),
        ({"metric": "cosine"}, "metric: 'cosine' is unknown, it must be one of ip, l2"),
        ({"dtype": "int8"}, "dtype: 'int8' is unknown"),
        ({"rows": ()}, "rows is (), it must name at least one value, each once"),
        ({"k": (1, 1)}, "k is (1, 1), it must name at least one value, each once"),
        ({"rows": (10, 0)}, "rows is 0, it must be at least 1"),
        ({"probes": -1}, "probes is -1"),
        ({"runs": 0}, "runs is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"max_memory": 0}, "max_memory is 0"),
        ({"seed": -1}, "seed is -1, it must be at least 0"),
    ],
)
def test_out_of_range(wrong, said):
    with pytest.raises(SettingsError) as caught:
        KernelBench(**wrong)
    assert said in str(caught.value)
