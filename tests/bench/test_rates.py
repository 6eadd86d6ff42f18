import numpy as np
import pytest

from vfsearch.bench import rates
from vfsearch.bench.loops import TileLoad, read
from vfsearch.bench.rates import Rates, measure_rates
from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8


@pytest.mark.parametrize("kind", [INT8, BF16, FLOAT32], ids=lambda kind: kind.name)
@pytest.mark.parametrize("dimension", [1, 7, 128])
def test_no_sum_reaches_its_threshold(kind, dimension):
    if not kind.here:
        pytest.skip(f"the processor has no quick products of {kind.name}")
    load = TileLoad(kind, dimension)
    assert load.run(2) == 0 and load.operations % (2 * dimension) == 0


def test_every_word_is_read():
    assert read(np.arange(1001, dtype=np.uint64), 1) == 500500
    # In the second turn the lowest bit of each word is the other one.
    assert read(np.array([2, 4], dtype=np.uint64), 2) == 6 + 8


def test_rates_of_this_machine(monkeypatch):
    monkeypatch.setattr(rates, "LEAST_SECONDS", 1e-4)
    monkeypatch.setattr(rates, "TURNS", 1)
    monkeypatch.setattr(rates, "TORCH_SHAPE", (8, 16))
    found = measure_rates(16, "cpu", ladder=(4096, 8192))
    assert {"float32 tiles", "bf16 torch", "float32 torch"} <= set(found.products)
    assert min([*found.products.values(), *found.reading.values()]) > 0


ONE = Rates(products={"bf16 tiles": 5.0, "bf16 torch": 7.0, "float32 tiles": 3.0}, reading={10: 4.0, 100: 2.0})
OTHER = Rates(products={"bf16 tiles": 9.0, "bf16 torch": 1.0, "float32 tiles": 1.0}, reading={10: 1.0, 100: 3.0})


def test_the_working_set_decides_how_fast_it_is_read():
    assert [ONE.read(size) for size in (1, 10, 11, 100, 1e9)] == [4.0, 4.0, 2.0, 2.0, 2.0]


def test_the_better_of_two_measurements():
    best = ONE.best(OTHER)
    assert best.products == {"bf16 tiles": 9.0, "bf16 torch": 7.0, "float32 tiles": 3.0}
    assert best.reading == {10: 4.0, 100: 3.0}
    assert best.numbers() == {"bf16": 9.0, "float32": 3.0}
