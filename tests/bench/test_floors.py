import pytest

from vfsearch.bench.floors import floors
from vfsearch.bench.rates import Rates
from vfsearch.bench.settings import KernelBench, Task

RATES = Rates(products={"int8 tiles": 4e9, "float32 tiles": 1e9, "bf16 torch": 2e9}, reading={10**4: 1e9, 10**9: 1e8})
SETTINGS = KernelBench(dimension=100, mates=5, pairs=1000)


def test_topk_is_bound_by_operations():
    first, second, third = floors(Task(kernel="topk", rows=1000, probes=500, k=2), SETTINGS, RATES)
    assert [each.name for each in (first, second, third)] == ["int8", "bf16", "float32"]
    assert first.operations == 2 * 500 * 1000 * 100 and first.seconds == pytest.approx(1e8 / 4e9)
    # 100,000 bytes of the gallery are more than the smaller working set, and 500 answers of 2 are written.
    assert first.bytes == 100_000 + 500 * 2 * 16 and first.byte_seconds == pytest.approx(116_000 / 1e8)


def test_one_probe_is_bound_by_bytes():
    first = floors(Task(kernel="single", rows=10_000, probes=500, k=2), SETTINGS, RATES)[0]
    assert first.operations == 2 * 10_000 * 100 and first.seconds == first.byte_seconds == (1e6 + 32) / 1e8


def test_ranks_need_float32():
    found = floors(Task(kernel="ranks", rows=1000, probes=500), SETTINGS, RATES)
    assert [each.name for each in found] == ["float32", "int8", "bf16"]
    assert found[0].bytes == 400_000 + 500 * 5 * 8


def test_pairs_read_two_rows():
    [floor] = floors(Task(kernel="pairs", rows=1000, probes=500), SETTINGS, RATES)
    assert floor.bytes == 1000 * (400 + 400 + 24) and floor.operations == 200_000
    assert floor.byte_seconds == pytest.approx(floor.bytes / 1e8)
    [near] = floors(Task(kernel="pairs", rows=10, probes=5), SETTINGS, RATES)
    assert near.byte_seconds == pytest.approx(floor.bytes / 1e9)
