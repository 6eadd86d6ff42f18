"""Measures kinds of index at several sizes, and prints the lines that `vfsearch.index.rates` estimates from.

    python benchmarks/index_rates.py --rows 10000,50000,300000 --run NAME [--presets hnsw,svs] [--folder SCRATCH]

Indices are built and asked by hard and by easy probes (see `vfsearch.index.rates`). Other work on the machine is kept
out as far as can be: building counts processor seconds (of one thread, with --threads 1), and rates are those by turns
with the exact engine, times what that does undisturbed.
"""

import argparse
import shutil
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cross_modal import CrossModal, write_store

from vfsearch.devices import set_threads, threads
from vfsearch.index.backends import open_index
from vfsearch.index.base import Index
from vfsearch.index.presets import buildable
from vfsearch.index.rates import Floors
from vfsearch.index.sweep import measure_setting
from vfsearch.index.targets import Target
from vfsearch.pipeline.bench_indices import BenchSettings, bench_indices
from vfsearch.pipeline.calibration import floors_here
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.index_bench import BenchPoint, PresetBench
from vfsearch.pipeline.tuning_problem import Problems
from vfsearch.pipeline.workspace import Workspace

PROBES, TURNS = 2000, 7


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", default="10000,50000")
    asked.add_argument("--dimension", type=int, default=128)
    asked.add_argument("--run", default="run")
    asked.add_argument("--presets", default=",".join(each.name for each in buildable()))
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--folder", type=Path, default=Path("index-rates"))
    chosen = asked.parse_args()
    set_threads(chosen.threads)
    floors, lines = [floors_here() for _ in range(TURNS)], []
    for rows in map(int, chosen.rows.split(",")):
        place = Workspace(folder=chosen.folder / str(rows))
        write_store(place.store_folder, CrossModal(rows=rows, dimension=chosen.dimension), 2 * PROBES + PROBES // 2)
        rate = _exact_rate(build_indices(place, ["face"])[0].folder)
        for preset in chosen.presets.split(","):
            line, floor = _line(place, preset, rate), floors_here()
            floors.append(floor)
            lines.append(f"{chosen.run} {preset} {rows} {chosen.dimension} {line}")
            print(wrapped(lines[-1]), flush=True)
        shutil.rmtree(place.folder)
    print(f'"{chosen.run}": {_best(floors)},')
    print("\n".join(map(wrapped, lines)))


def wrapped(line: str) -> str:
    """A line as it goes into the table."""
    return textwrap.fill(line, 118, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _best(floors: list[Floors]) -> Floors:
    names = ("batch", "single", "pairs", "product")
    found = {name: float(f"{max(getattr(each, name) for each in floors):.3g}") for name in names}
    return Floors(**found, threads=floors[0].threads)


def _line(place: Workspace, preset: str, rate: float) -> str:
    """Seconds of building and points of one kind."""
    exact = place.index_folder("face")
    start = time.process_time()
    (built,) = build_indices(place, ["face"], [IndexRequest(preset=preset)], overwrite=True)
    seconds = time.process_time() - start
    settings = BenchSettings(modality="face", presets=(preset,), probe="voice", probes=PROBES, split="val")
    found = bench_indices(place, settings, place.folder / "out")
    if found.presets[-1].preset != preset:
        raise SystemExit(f"{preset}: {found.failed or found.left_out}")
    easy = _easy(open_index(built.folder), open_index(exact), found.presets[-1])
    points = list(zip(found.presets[-1].points, easy, strict=True))
    shown = [
        _point(*each, rate) for each in points if each[0].default or not _beaten(each[0], found.presets[-1].points)
    ]
    if built.folder != exact:
        shutil.rmtree(built.folder)
    return "; ".join([f"{seconds:.3g}", *shown])


def _beaten(one: BenchPoint, points: Sequence[BenchPoint]) -> bool:
    return any(each.recall.value >= one.recall.value and each.times_exact > one.times_exact for each in points)


def _easy(index: Index, exact: Index, measured: PresetBench) -> list[float]:
    """Recall of faces of the gallery, each less itself, with the settings that were timed."""
    problem = Problems(index, exact, [Target(measure="R", k=10, least=1.0)]).of_gallery_rows(PROBES, 1)
    return [measure_setting(index, each.settings, problem, "recall").recall.value for each in measured.points]


def _exact_rate(folder: Path) -> float:
    """Probes a processor second of the exact engine, with one thread."""
    index = open_index(folder)
    queries = np.array(index.vectors[np.linspace(0, len(index) - 1, PROBES).astype(int)])
    seconds = []
    for _ in range(3 * TURNS):
        start = time.process_time()
        index.search(queries, 10)
        seconds.append(time.process_time() - start)
    return threads() * PROBES / min(seconds)


def _point(point: BenchPoint, easy: float, undisturbed: float) -> str:
    single, rate = point.speed.latency_median_seconds * 1e6, point.times_exact * undisturbed
    return f"{point.recall.value:.4f} {easy:.4f} {rate:.4g} {single:.4g}{' *' if point.default else ''}"


if __name__ == "__main__":
    main()
