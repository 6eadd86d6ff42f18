"""What a benchmark of the kernels found: values that tables and JSON are made of."""

from dataclasses import asdict, dataclass, field

from vfsearch.bench.contender import Way
from vfsearch.bench.floors import Floor
from vfsearch.bench.rates import Rates
from vfsearch.bench.settings import KernelBench, Task
from vfsearch.data.outcome import nulls


@dataclass(frozen=True, kw_only=True)
class KernelResult:
    """One task in every way, in one run.

    Args:
        task: its sizes.
        floors: the least times it can take; that which ratios are taken to first.
        ways: ours first.
        left_out: ways that could not do it, with the reason.
    """

    task: Task
    floors: tuple[Floor, ...]
    ways: tuple[Way, ...]
    left_out: tuple[str, ...]

    def ratio_of_ours(self, way: Way) -> float:
        """How many times as quick our first way is."""
        return way.seconds / self.ways[0].seconds

    def ratio_to_floor(self, way: Way) -> float:
        """How many times the floor a way takes."""
        return way.seconds / self.floors[0].seconds


@dataclass(frozen=True, kw_only=True)
class GrowthPoint:
    """One size.

    Args:
        probes, rows: compared, each with each.
        seconds: median.
        kept_bytes: by which memory rose for the gallery made ready; NaN if not known.
        peak_bytes: by which memory rose at most during one run; NaN if not known.
        result_bytes: of these, what the results take.
        exact: whether the answers of a sample of probes were the oracle's.
    """

    probes: int
    rows: int
    seconds: float
    kept_bytes: float
    peak_bytes: float
    result_bytes: int
    exact: bool

    @property
    def scores(self) -> float:
        """Probes times rows."""
        return float(self.probes) * self.rows


@dataclass(frozen=True, kw_only=True)
class Growth:
    """How time and memory of one kernel grow with probes times gallery.

    Args:
        kernel: topk or ranks.
        points: by size.
        exponent: of seconds = a scores^exponent, least squares of the logarithms; NaN for fewer than two points.
    """

    kernel: str
    points: tuple[GrowthPoint, ...]
    exponent: float


@dataclass(frozen=True, kw_only=True)
class KernelReport:
    """All of it.

    Args:
        settings: what was asked.
        machine: processor, cores, threads, versions, day.
        rates: what the machine can do at most: the better of before and after.
        results: one a task.
        growth: one a kernel, where that was asked.
    """

    settings: KernelBench
    machine: dict
    rates: Rates | None = None
    results: tuple[KernelResult, ...] = ()
    growth: tuple[Growth, ...] = field(default=())

    @property
    def all_exact(self) -> bool:
        """Every answer of ours that was checked was the oracle's."""
        ours = [way.agreement for each in self.results for way in each.ways if way.ours]
        points = [point.exact for growth in self.growth for point in growth.points]
        return all(each is None or each.exact for each in ours) and all(points)

    def to_json(self) -> dict:
        """One document, with the ratios beside the seconds."""
        document = {"settings": asdict(self.settings), "machine": self.machine, "all_exact": self.all_exact}
        if self.rates is not None:
            reading = [{"bytes": size, "rate": rate} for size, rate in self.rates.reading.items()]
            document["rates"] = {"products": dict(self.rates.products), "reading": reading}
        document["results"] = [_result(each) for each in self.results]
        growth = [asdict(each) for each in self.growth]
        return nulls({**document, "growth": growth})


def _result(result: KernelResult) -> dict:
    ways = [
        {**asdict(way), "ratio_of_ours": result.ratio_of_ours(way), "ratio_to_floor": result.ratio_to_floor(way)}
        for way in result.ways
    ]
    floors = [{**asdict(floor), "seconds": floor.seconds} for floor in result.floors]
    return {**asdict(result.task), "floors": floors, "ways": ways, "left_out": list(result.left_out)}
