"""`vfsearch index bench`."""

from pathlib import Path

import click
from vfsearch_cli.options import PATH, PLACE, SIZE, WORDS, common, computing, option
from vfsearch_cli.terminal import counted, size, table

EPILOG = """\b
Examples:
  vfsearch index bench
  vfsearch index bench --modality face --presets svs,hnsw,ivf-pq --k 10 --probes 1000
  vfsearch index bench --max-memory 4GiB --threads 1 --csv table.csv
"""
SIDES = click.Choice(["voice", "face"])


@click.command(epilog=EPILOG)
@option("--modality", type=SIDES, default=None, help="The rows to index.  [default: face]")
@option("--presets", "--preset", "presets", type=WORDS, default="all", show_default=True, help="Kinds of index: names "
        "of `vfsearch index plan`, or all; the exact engine is always among them.")  # fmt: skip
@option("--probe", type=SIDES, default=None, help="Modality that asks.  [default: the one that the rows are not of]")
@option("--probes", type=click.IntRange(min=1), default=2000, show_default=True, help="How many ask.")
@option("--split", default=None, help="Of the probes, or all.  [default: val, else train, never test if there is "
        "another]")  # fmt: skip
@option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="Neighbours to find.")
@option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Least turns of each timing.")
@option("--seed", type=int, default=1, show_default=True, help="Of the draw of probes, and of builds.")
@option("--max-memory", type=SIZE, default=None, help="Leave out kinds that want more to be built or searched, for "
        "example 4GiB.")  # fmt: skip
@option("--store", type=PLACE, default=None, help="Folder of the store.  [default: embeddings]")
@option("--index", type=PATH, default=None, help="Folder of the indices; what is up to date there is not built.  "
        "[default: index]")  # fmt: skip
@option("--out", type=PATH, default=None, help="Folder for the results.  [default: runs/index-bench-MODALITY-...]")
@option("--csv", "csv_path", type=PATH, default=None, help="Write the table here.  [default: in that folder]")
@computing(beside_decoders=False)
@common
def bench(terminal, workspace: Path, store, index, out, csv_path, device, **more):
    """Measure kinds of index and their search settings on this store.

    Each kind is built in a scratch folder, or used as it is where it is up to date, and asked with probes of the
    modality that will ask: recall of the exact neighbours, probes a second of a batch, latency of one that comes
    alone, beside the exact engine, by turns. The table goes to a CSV file, with a JSON document and a figure beside
    it. A kind that cannot be built is named with the reason, and the exit code is 4.
    """
    from vfsearch.bench.saved import require_writable
    from vfsearch.pipeline.bench_indices import BenchSettings, bench_folder, bench_indices
    from vfsearch.pipeline.index_bench import save_bench
    from vfsearch.pipeline.workspace import Workspace

    require_writable(csv_path)
    settings = BenchSettings(**more)
    places = Workspace(folder=workspace, embeddings=store, index=index)
    folder = out or bench_folder(places, settings)
    found = bench_indices(places, settings, folder, device, terminal.progress)
    files = save_bench(found, folder, csv_path)
    for warning in found.warnings:
        terminal.warn(warning)
    document = {**found.to_json(), "files": [str(path) for path in files]}
    terminal.result(document, _kinds(found), _settings(found), *_lines(found, files))
    for name, reason in found.failed.items():
        terminal.warn(f"{name} could not be measured: {reason}")
    return 4 if found.failed else 0


def _kinds(found):
    """What each kind of index takes."""
    columns = ["preset", "back end", ">disk", ">memory", ">mapped", ">build s", ">build memory"]
    rows = [
        (each.preset, each.backend, size(each.disk_bytes), _size(each.memory_bytes), _size(each.mapped_bytes),
         "was there" if each.build_seconds is None else f"{each.build_seconds:.1f}", _size(each.build_memory_bytes))
        for each in found.presets
    ]  # fmt: skip
    title = (
        f"{found.rows:,} {found.modality} rows of {found.dimension} dimensions, {found.probes:,} {found.probe} "
        f"probes of {'all splits' if found.split == 'all' else f'the split {found.split}'}"
    )
    return table(columns, rows, title=title)


def _size(count: float | None) -> str:
    return "-" if count is None or count != count else size(count)


def _settings(found):
    """The settings of each kind that none of the same kind beats, and the default."""
    best = {id(point) for _, point in found.frontier()}
    columns = [
        "preset",
        "setting",
        f">R@{found.k}",
        ">probes/s",
        ">times exact",
        ">median ms",
        ">p95 ms",
        ">p99 ms",
        "",
    ]
    rows = []
    for each in found.presets:
        for point in each.points:
            speed, settings = point.speed, ", ".join(f"{name}={value}" for name, value in point.settings.items())
            marks = [word for word, is_so in (("default", point.default), ("frontier", id(point) in best)) if is_so]
            milliseconds = (speed.latency_median_seconds, speed.latency_p95_seconds, speed.latency_p99_seconds)
            rows.append((each.preset, settings or "-", f"{point.recall.value:.4f}", f"{speed.probes_per_second:,.0f}",
                         f"{point.times_exact:.2f}", *(f"{1e3 * value:.3f}" for value in milliseconds),
                         ", ".join(marks)))  # fmt: skip
    return table(columns, rows)


def _lines(found, files) -> list[str]:
    machine = found.machine
    runs, threads = counted(found.settings["runs"], "run"), counted(machine["threads"], "thread")
    return [
        f"medians of {runs}, of more where they are short, by turns with the exact engine; {machine['processor']}, "
        f"{threads}",
        *(f"left out: {name}: {reason}" for name, reason in found.left_out.items()),
        *(f"failed: {name}: {reason}" for name, reason in found.failed.items()),
        f"saved: {', '.join(map(str, files))}",
    ]
