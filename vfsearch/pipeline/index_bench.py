"""What `vfsearch index bench` found."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vfsearch.data.csv_lines import CsvLines
from vfsearch.files import make_folder, write_file
from vfsearch.index.share import Share
from vfsearch.index.sweep import Speed
from vfsearch.report.frontier import FrontierLine, frontier_figure

CSV_NAME, JSON_NAME, FIGURE_NAME = "index-bench.csv", "index-bench.json", "frontier.png"
COLUMNS = (
    "preset", "backend", "settings", "default", "frontier", "recall", "recall_low", "recall_high", "probes_per_second",
    "times_exact", "latency_median_seconds", "latency_p95_seconds", "latency_p99_seconds", "build_seconds",
    "build_memory_bytes", "disk_bytes", "memory_bytes", "mapped_bytes",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BenchPoint:
    """One search setting.

    Args:
        settings: a value for each knob.
        recall: of the exact neighbours.
        speed: its own.
        exact: that of the exact engine, timed by turns with it.
        default: an index that was not tuned searches so.
    """

    settings: Mapping[str, int]
    recall: Share
    speed: Speed
    exact: Speed
    default: bool

    @property
    def times_exact(self) -> float:
        """How many times as many probes a second as the exact engine, by turns."""
        return self.speed.probes_per_second / self.exact.probes_per_second

    def to_json(self) -> dict:
        """The point as JSON."""
        return {
            "settings": dict(self.settings),
            "default": self.default,
            "recall": self.recall.to_json(),
            "times_exact": self.times_exact,
            **self.speed.to_json(),
        }


@dataclass(frozen=True, kw_only=True)
class PresetBench:
    """One kind of index.

    Args:
        preset, backend: what it is.
        disk_bytes: of its folder.
        build_seconds, build_memory_bytes: what building it took, memory as the most by which that of the process rose;
            None: it was there already.
        memory_bytes, mapped_bytes: by how much memory rose when it was opened and asked with a batch: the process's
            own, and pages of mapped files.
        parameters: it was built with.
        points: settings, least recall first.
    """

    preset: str
    backend: str
    disk_bytes: int
    build_seconds: float | None
    build_memory_bytes: float | None
    memory_bytes: float = float("nan")
    mapped_bytes: float = float("nan")
    parameters: Mapping[str, object] = field(default_factory=dict)
    points: tuple[BenchPoint, ...] = ()

    def to_json(self) -> dict:
        """The kind with its points."""
        numbers = {name: _there(getattr(self, name)) for name in (
            "disk_bytes", "build_seconds", "build_memory_bytes", "memory_bytes", "mapped_bytes")}  # fmt: skip
        return {
            "preset": self.preset,
            "backend": self.backend,
            "parameters": dict(self.parameters),
            **numbers,
            "points": [each.to_json() for each in self.points],
        }


def _there(number: float | None) -> float | None:
    """JSON has no NaN."""
    return None if number is None or number != number else number


@dataclass(frozen=True, kw_only=True)
class IndexBench:
    """Kinds of index, measured with the same rows and probes.

    Args:
        store: its folder.
        modality, rows, dimension: what was indexed.
        probe, probes, split: what was asked with.
        settings: that were asked for; JSON.
        presets: kinds that could be measured, the exact engine first.
        failed: kind -> why it could not be built or searched.
        left_out: kind -> why it was not tried.
        warnings: what a user should know of the probes.
        machine: processor, threads and versions.
    """

    store: str
    modality: str
    rows: int
    dimension: int
    probe: str
    probes: int
    split: str
    settings: dict
    presets: tuple[PresetBench, ...]
    failed: dict[str, str]
    left_out: dict[str, str]
    warnings: tuple[str, ...]
    machine: dict

    @property
    def k(self) -> int:
        """Neighbours looked for."""
        return self.settings["k"]

    def frontier(self) -> list[tuple[PresetBench, BenchPoint]]:
        """Settings that none of any kind beats both in recall and in probes a second, fastest first."""
        every = [(preset, point) for preset in self.presets for point in preset.points]
        kept: list[tuple[PresetBench, BenchPoint]] = []
        for each in sorted(every, key=lambda each: (-each[1].speed.probes_per_second, -each[1].recall.value)):
            if not kept or each[1].recall.value > kept[-1][1].recall.value:
                kept.append(each)
        return kept

    def rows_of_table(self) -> Iterator[tuple]:
        """A row of `COLUMNS` for each setting."""
        best = [point for _, point in self.frontier()]
        for preset in self.presets:
            for point in preset.points:
                low, high = point.recall.interval
                speed = point.speed
                yield (
                    preset.preset, preset.backend, settings_text(point.settings), point.default,
                    any(point is each for each in best), point.recall.value, low, high, speed.probes_per_second,
                    point.times_exact, speed.latency_median_seconds, speed.latency_p95_seconds,
                    speed.latency_p99_seconds, preset.build_seconds, preset.build_memory_bytes, preset.disk_bytes,
                    preset.memory_bytes, preset.mapped_bytes,
                )  # fmt: skip

    def to_json(self) -> dict:
        """All that was found."""
        shown = {name: value for name, value in vars(self).items() if name not in ("presets", "warnings")}
        best = [{"preset": preset.preset, "settings": dict(point.settings)} for preset, point in self.frontier()]
        return {
            **shown,
            "warnings": list(self.warnings),
            "presets": [each.to_json() for each in self.presets],
            "frontier": best,
        }


def settings_text(settings: Mapping[str, int]) -> str:
    """Settings in one cell.

    Example:
        >>> settings_text({"nprobe": 8, "refine": 4})
        'nprobe=8 refine=4'
    """
    return " ".join(f"{name}={value}" for name, value in settings.items())


def csv_text(bench: IndexBench) -> str:
    """The table, a line a setting; empty where there is no figure."""
    text = io.StringIO()
    table = CsvLines(text)
    table.writerow(COLUMNS)
    for row in bench.rows_of_table():
        table.writerow("" if cell is None or cell != cell else _plain(cell) for cell in row)
    return text.getvalue()


def _plain(cell: object) -> object:
    if isinstance(cell, bool):
        return int(cell)
    return f"{cell:.6g}" if isinstance(cell, float) and cell != int(cell) else int(cell) if isinstance(
        cell, float) else cell  # fmt: skip


def figure(bench: IndexBench) -> bytes:
    """The frontier as a PNG."""
    best = {id(point) for _, point in bench.frontier()}
    lines = [
        FrontierLine(
            name=each.preset,
            recall=[point.recall.value for point in each.points],
            probes_per_second=[point.speed.probes_per_second for point in each.points],
            best=[id(point) in best for point in each.points],
            default=[point.default for point in each.points],
        )
        for each in bench.presets
    ]
    title = (
        f"{bench.rows:,} {bench.modality} rows of {bench.dimension} dimensions, {bench.probes:,} {bench.probe} probes "
        f"in one batch, {bench.machine['threads']} thread{'s' * (bench.machine['threads'] != 1)}"
    )
    return frontier_figure(lines, bench.k, title)


def save_bench(bench: IndexBench, folder: Path, csv_path: Path | None = None) -> list[Path]:
    """Write the table, the document and the figure.

    Args:
        bench: what was found.
        folder: where to.
        csv_path: another place of the table; None: in the folder.
    Returns:
        The files.
    Raises:
        VfsearchError: the file system refuses.
    """
    make_folder(folder)
    contents = {
        csv_path or folder / CSV_NAME: csv_text(bench).encode(),
        folder / JSON_NAME: (json.dumps(bench.to_json(), indent=1) + "\n").encode(),
        folder / FIGURE_NAME: figure(bench),
    }
    for path, data in contents.items():
        write_file(path, data)
    return list(contents)
