"""What was found as tables: the same cells for a terminal and for Markdown."""

import math
from dataclasses import dataclass

from vfsearch.bench.contender import Agreement, Way
from vfsearch.bench.floors import Floor
from vfsearch.bench.memory import NOTE, NOTE_CUDA
from vfsearch.bench.report import Growth, KernelReport, KernelResult

WAYS = ("way", ">time", ">processor time", ">{}/s", ">ours is × as fast", ">× the floor", ">peak memory", ">kept",
        "equal to the oracle")  # fmt: skip
GROWTH = (">scores", ">probes", ">rows", ">seconds", ">scores/s", ">peak memory", ">of it results", ">kept", "equal")
METRICS = {"ip": "inner product", "l2": "L2"}


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table.

    Args:
        title: above it.
        columns: names; ">" in front: flush right.
        rows: texts.
        notes: below it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def sheets(report: KernelReport) -> list[Sheet]:
    """All tables of a report: rates, one a task, one a growth."""
    rates = [_rates(report)] if report.rates is not None else []
    return [*rates, *(_result(report, each) for each in report.results), *map(_growth, report.growth)]


def heading(report: KernelReport) -> str:
    """Where and with what it was measured."""
    facts = report.machine
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    place = f"{facts['processor']}, {facts['cores']} cores" + (f", {facts['gpu']}" if "gpu" in facts else "")
    place += "" if facts["load"] is None else f", load {facts['load']:.1f} before the run"
    return (
        f"{facts['day']}; {place}; {facts['threads']} threads for all; device {facts['device']}; {facts['system']}; "
        f"Python {facts['python']}; {versions}"
    )


def busy(report: KernelReport) -> bool:
    """Other work took more than a quarter of the cores when it began."""
    load = report.machine["load"]
    return load is not None and load > report.machine["cores"] / 4


def remarks(report: KernelReport) -> list[str]:
    """What a reader must know beside the tables."""
    runs = "one run" if report.settings.runs == 1 else f"medians of {report.settings.runs} runs"
    found = [f"{runs} of each way, taken by turns after a warm-up"]
    found.append(NOTE if report.settings.device == "cpu" else NOTE_CUDA)
    if busy(report):
        found.append(
            "other work ran on the machine: ratios of times may be off, since a way whose threads wait for one another "
            "is held up more than others are; processor times, of all threads together, say more"
        )
    if report.results:
        found.append("kept: the same while what a way keeps from call to call was made")
        found.append("equal to the oracle: float64 scores of a sample of probes, sorted whole, in the same run")
        found.append("floor: the larger of operations and bytes at the rates above; ratios are taken to the first one")
    return found


def markdown(report: KernelReport) -> str:
    """The report as a Markdown document."""
    parts = ["# Kernels", "Given by `vfsearch bench kernels`. " + heading(report) + "."]
    parts += ["\n".join(f"- {remark}" for remark in remarks(report))]
    for sheet in sheets(report):
        parts += [f"## {sheet.title}", _markdown_table(sheet), *sheet.notes]
    return "\n\n".join(parts) + "\n"


def _markdown_table(sheet: Sheet) -> str:
    marks = ["---:" if column.startswith(">") else "---" for column in sheet.columns]
    rows = [[column.lstrip(">") for column in sheet.columns], marks, *sheet.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rates(report: KernelReport) -> Sheet:
    products = [
        (f"product, {name}", f"{rate / 1e9:,.0f} G operations/s") for name, rate in report.rates.products.items()
    ]
    reading = [
        (f"reading {size / 2**20:.0f} MiB", f"{rate / 1e9:,.1f} GB/s") for size, rate in report.rates.reading.items()
    ]
    return Sheet(title="Rates of the machine", columns=("what", ">rate"), rows=(*products, *reading))


def _result(report: KernelReport, result: KernelResult) -> Sheet:
    unit = "pairs" if result.task.kernel == "pairs" else "probes"
    columns = tuple(column.format(unit) for column in WAYS)
    amount = {"pairs": report.settings.pairs, "single": 1}.get(result.task.kernel, result.task.probes)
    rows = [_way(result, way, amount) for way in result.ways] + [
        _floor(result, floor, amount) for floor in result.floors
    ]
    return Sheet(title=_title(report, result), columns=columns, rows=tuple(rows), notes=tuple(_notes(result, amount)))


def _title(report: KernelReport, result: KernelResult) -> str:
    settings, task = report.settings, result.task
    what = {
        "topk": f"Top {task.k} of {task.rows:,} rows for {task.probes:,} probes",
        "single": f"Top {task.k} of {task.rows:,} rows, one probe at a time",
        "ranks": f"Ranks of about {settings.mates} mates among {task.rows:,} rows for {task.probes:,} probes",
        "pairs": f"{settings.pairs:,} pairs of {task.probes:,} probes and {task.rows:,} rows",
    }[task.kernel]
    metric = METRICS[settings.metric] if task.kernel in ("topk", "single") else METRICS["ip"]
    return f"{what}, dimension {settings.dimension}, {metric}, gallery in {settings.dtype}"


def _way(result: KernelResult, way: Way, amount: int) -> tuple[str, ...]:
    times = _time(way.seconds)
    if result.task.kernel == "single":
        times += f", p95 {_time(way.times.p95)}"
    return (
        way.name + (" *" if way.share < 1 else ""),
        times,
        _time(way.times.processor / way.share),
        _count(amount / way.seconds),
        "1" if way is result.ways[0] else _ratio(result.ratio_of_ours(way)),
        _ratio(result.ratio_to_floor(way)),
        _size(way.peak_bytes),
        _size(way.kept_bytes),
        _agreement(way.agreement, way.ours),
    )


def _floor(result: KernelResult, floor: Floor, amount: int) -> tuple[str, ...]:
    counted = f"{_count(floor.operations)} operations, {_size(floor.bytes)}"
    ratio, first = floor.seconds / result.ways[0].seconds, floor.seconds / result.floors[0].seconds
    return (f"floor: {floor.name}, {counted}", _time(floor.seconds), "-", _count(amount / floor.seconds), _ratio(ratio),
            _ratio(first), "-", "-", "-")  # fmt: skip


def _notes(result: KernelResult, amount: int) -> list[str]:
    sampled = [f"{way.name}: {round(way.share * amount):,}" for way in result.ways if way.share < 1]
    notes = ["\\* extrapolated from a sample of the probes: " + "; ".join(sampled)] if sampled else []
    return notes + [f"left out: {each}" for each in result.left_out]


def _growth(growth: Growth) -> Sheet:
    rows = [
        (
            f"{point.scores:.2e}",
            f"{point.probes:,}",
            f"{point.rows:,}",
            f"{point.seconds:.3g}",
            _count(point.scores / point.seconds),
            _size(point.peak_bytes),
            _size(point.result_bytes),
            _size(point.kept_bytes),
            "yes" if point.exact else "NO",
        )
        for point in growth.points
    ]
    return Sheet(
        title=f"Growth of {growth.kernel}",
        columns=GROWTH,
        rows=tuple(rows),
        notes=(f"fitted: seconds grow as scores^{growth.exponent:.3f}; in galleries made ready beforehand",),
    )


def _agreement(agreement: Agreement | None, ours: bool) -> str:
    if agreement is None:
        return "-"
    if ours:
        return "yes" if agreement.exact else "NO"
    parts = [] if math.isnan(agreement.same) else [f"ids {_percent(agreement.same)}"]
    parts += [] if math.isnan(agreement.error) else [f"scores to {agreement.error:.0e}"]
    return ", ".join(parts)


def _percent(share: float) -> str:
    # What is not quite all must not look like it.
    return "100 %" if share == 1 else f"{math.floor(share * 1e4) / 100:.2f} %"


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1 or unit == "µs":
            break
    return f"{seconds * factor:.3g} {unit}"


def _count(number: float) -> str:
    """Three digits: no timing on a shared machine has more."""
    for unit, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 100 else f"{number:.3g}"


def _ratio(number: float) -> str:
    return f"{float(f'{number:.3g}'):,.0f}" if number >= 100 else f"{number:.2f}" if number >= 0.1 else f"{number:.2g}"


def _size(count: float) -> str:
    if math.isnan(count):
        return "?"
    return f"{count / 2**20:,.0f} MiB" if count >= 10 * 2**20 else f"{count / 2**20:.1f} MiB"
