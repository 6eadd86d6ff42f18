"""The least time that a task can take here: operations and bytes counted, divided by measured rates."""

from dataclasses import dataclass

from vfsearch.bench.rates import Rates
from vfsearch.bench.settings import KernelBench, Task

NUMBER_BYTES = {"int8": 1, "bf16": 2, "float32": 4}
_HELD_BYTES = {"float32": 4, "float16": 2, "bf16": 2}


@dataclass(frozen=True, kw_only=True)
class Floor:
    """One way to count.

    Args:
        name: which numbers are multiplied; or what is read.
        operations: multiplications and additions.
        bytes: that must be read or written.
        operation_seconds, byte_seconds: what they take at the measured rates.
    """

    name: str
    operations: float
    bytes: float
    operation_seconds: float
    byte_seconds: float

    @property
    def seconds(self) -> float:
        """The larger of the two: the other can be done meanwhile."""
        return max(self.operation_seconds, self.byte_seconds)


def floors(task: Task, settings: KernelBench, rates: Rates) -> list[Floor]:
    """The floors of a task, the one that its ratios are taken to first.

    Top-k needs no more than enough of each score to pass most rows over, so the quickest numbers count. Ranks need
    each score as exactly as mates lie apart: float32. Pairs are bound by reading two rows each.
    """
    if task.kernel == "pairs":
        return [_of_pairs(task, settings, rates)]
    found = [_of_product(task, settings, rates, numbers) for numbers in rates.numbers()]
    if task.kernel != "ranks":
        return sorted(found, key=lambda floor: floor.seconds)
    return sorted(found, key=lambda floor: (floor.name != "float32", floor.seconds))


def _of_product(task: Task, settings: KernelBench, rates: Rates, numbers: str) -> Floor:
    probes = 1 if task.kernel == "single" else task.probes
    operations = 2.0 * probes * task.rows * settings.dimension
    gallery = float(task.rows) * settings.dimension * NUMBER_BYTES[numbers]
    size = gallery + probes * (16.0 * task.k if task.k else 8.0 * settings.mates)
    return Floor(
        name=numbers,
        operations=operations,
        bytes=size,
        operation_seconds=operations / rates.numbers()[numbers],
        byte_seconds=size / rates.read(gallery),
    )


def _of_pairs(task: Task, settings: KernelBench, rates: Rates) -> Floor:
    operations = 2.0 * settings.pairs * settings.dimension
    row_bytes = settings.dimension * 4.0, settings.dimension * float(_HELD_BYTES[settings.dtype])
    size = settings.pairs * (sum(row_bytes) + 24.0)
    # Pairs are anywhere: what is read again is still near only if all rows of both sides fit there.
    held = task.probes * row_bytes[0] + task.rows * row_bytes[1]
    return Floor(
        name="two rows a pair",
        operations=operations,
        bytes=size,
        operation_seconds=operations / rates.numbers()["float32"],
        byte_seconds=size / rates.read(held),
    )
