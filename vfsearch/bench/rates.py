"""What this machine can do at most, measured: products of data in the cache, and reading."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from vfsearch.bench.alternation import by_turns
from vfsearch.devices import threads
from vfsearch.kernels.threads import shared

LADDER = tuple(2**20 * 4**step for step in range(5))
"""Sizes that reading is measured at: 1 to 256 MiB."""
LEAST_SECONDS = 0.02
TURNS = 5
TORCH_SHAPE = (1024, 4096)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Measured rates.

    Args:
        products: name of the numbers -> multiplications and additions a second, all threads together.
        reading: bytes of a working set -> bytes read of it a second.
    """

    products: dict[str, float]
    reading: dict[int, float]

    def numbers(self) -> dict[str, float]:
        """Name of the numbers alone -> the greatest rate of a product of them, whoever multiplied."""
        found: dict[str, float] = {}
        for name, rate in self.products.items():
            kind = name.partition(" ")[0]
            found[kind] = max(rate, found.get(kind, 0.0))
        return found

    def read(self, size: float) -> float:
        """Bytes a second of a working set as large, or the next larger that was measured."""
        return self.reading[min((each for each in self.reading if each >= size), default=max(self.reading))]

    def best(self, other: "Rates") -> "Rates":
        """The greater of each of two measurements of the same."""
        return Rates(
            products={name: max(rate, other.products[name]) for name, rate in self.products.items()},
            reading={size: max(rate, other.reading[size]) for size, rate in self.reading.items()},
        )


def measure_rates(dimension: int, device: str, ladder: tuple[int, ...] = LADDER) -> Rates:
    """What this machine does now.

    Args:
        dimension: of the rows.
        device: cpu, cuda or cuda:N.
        ladder: sizes to read.
    """
    if device != "cpu":
        return Rates(products=_cuda_products(dimension, device), reading=_cuda_reading(device))
    products = {**_tile_products(dimension), **_torch_products(dimension)}
    return Rates(products=products, reading={size: _reading(size) for size in ladder})


def _rate(work: Callable[[int], object], amount: float, finish: Callable[[], None] = lambda: None) -> float:
    """The best of several measurements, as a floor wants it; each long enough for the clock."""
    times = 1
    while (seconds := _least(work, times, 1, finish)) < LEAST_SECONDS:
        times *= max(2, min(100, int(1.3 * LEAST_SECONDS / max(seconds, 1e-7))))
    return times * amount / _least(work, times, TURNS, finish)


def _least(work: Callable[[int], object], times: int, runs: int, finish: Callable[[], None]) -> float:
    return by_turns([[lambda: work(times)]], runs, finish, lambda: None)[0].least


def _tile_products(dimension: int) -> dict[str, float]:
    from vfsearch.bench.loops import TileLoad
    from vfsearch.kernels.cpu.tiles import BF16, FLOAT32, INT8

    found = {}
    for kind in (INT8, BF16, FLOAT32):
        if kind.here:
            loads = [TileLoad(kind, dimension) for _ in range(threads())]
            amount = sum(load.operations for load in loads)
            work = _each_of(loads)
            found[f"{kind.name} tiles"] = _rate(work, amount)
    return found


def _each_of(loads: list) -> Callable[[int], object]:
    return lambda times: shared(lambda load: load.run(times), loads)


def _torch_products(dimension: int) -> dict[str, float]:
    """torch's products with results that stay in the cache; a type that it cannot multiply quickly is slow here too."""
    found = {}
    for name, dtype in (("bf16", torch.bfloat16), ("float32", torch.float32)):
        left, right = (torch.ones((rows, dimension), dtype=dtype) for rows in TORCH_SHAPE)
        out = torch.empty(TORCH_SHAPE, dtype=dtype)
        found[f"{name} torch"] = _rate(_multiplying(left, right, out), 2.0 * out.numel() * dimension)
    return found


def _multiplying(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> Callable[[int], None]:
    def work(times: int) -> None:
        for _ in range(times):
            torch.mm(left, right.T, out=out)

    return work


def _reading(size: int) -> float:
    from vfsearch.bench.loops import read

    words = np.ones(size // 8, dtype=np.uint64)
    parts = np.array_split(words, threads())
    return _rate(lambda times: shared(lambda part: read(part, times), parts), float(words.nbytes))


def _cuda_products(dimension: int, device: str) -> dict[str, float]:
    found, finish = {}, lambda: torch.cuda.synchronize(device)
    for name, dtype in (("bf16", torch.bfloat16), ("float32", torch.float32)):
        # A device is busy only with more than fits its cache; a result of one row's size would be all writing.
        for depth in sorted({dimension, 4096}):
            left, right = (torch.ones((8192, depth), dtype=dtype, device=device) for _ in range(2))
            out = torch.empty((8192, 8192), dtype=dtype, device=device)
            found[f"{name} torch, {depth} dimensions"] = _rate(
                _multiplying(left, right, out), 2.0 * out.numel() * depth, finish
            )
    return found


def _cuda_reading(device: str) -> dict[int, float]:
    size = 2**30
    data = torch.ones(size // 4, device=device)

    def work(times: int) -> None:
        for _ in range(times):
            torch.sum(data)

    return {size: _rate(work, float(size), lambda: torch.cuda.synchronize(device))}
