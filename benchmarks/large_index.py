"""One index of 1, 3 and 10 million rows: built from shards, searched from disk; time, memory and how they grow.

    python benchmarks/large_index.py [--rows 1000000 3000000 10000000] [--preset ivf-pq] [--threads 2] [--folder DIR]

Rows and probes are those of benchmarks/cross_modal.py, written to a store of shards first (512 bytes a row, and as much
again in the index). Each step is a process of its own whose greatest resident memory is told, pages of mapped files
included: write, build, tune (to R@10 >= --target with the probes of one split), search (with those of another split,
from disk), exact (the same probes by the exact engine). Steps that were done are kept in --folder, and so are their
figures. Prints Markdown tables; those that it gave last are in large_index.md.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cross_modal import CrossModal, write_store

from vfsearch.bench.same_threads import same_threads
from vfsearch.data.neighbors import Neighbors
from vfsearch.index.backends import open_index
from vfsearch.index.exact import ExactIndex
from vfsearch.index.recall import recalls
from vfsearch.index.targets import parse_target
from vfsearch.index.tuning import Goal
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.searched_index import SearchSettings, open_searched
from vfsearch.pipeline.tune_index import TuneSettings, tune_index
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.timing import machine

K, SINGLES, WARM_UP = 10, 300, 32
STEPS = ("write", "build", "tune", "search", "exact")
GIB = 2**30


def say(text: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def progress_on_stderr(what: str, done: int, total: int) -> None:
    """Progress of the library, a line every ten seconds."""
    now = time.monotonic()
    if now - progress_on_stderr.last > 10:
        progress_on_stderr.last = now
        say(f"  {what}: {done:,} of {total:,}")


progress_on_stderr.last = 0.0


def peak_bytes() -> int:
    """The greatest resident memory of this process itself, not of the one that started it."""
    return _of_status("VmHWM")


def _of_status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def index_name(preset: str) -> str:
    """Of an index, as `vfsearch index build` names it."""
    return "face" if preset == "exact" else f"face-{preset}"


def write(places: Workspace, options: argparse.Namespace) -> dict:
    """The store."""
    problem = CrossModal(rows=options.rows[0])
    start = time.perf_counter()
    store = write_store(places.store_folder, problem, 2 * options.probes)
    size = sum(facts["size"] for facts in store.artefact.files.values())
    return {"seconds": time.perf_counter() - start, "disk_bytes": size}


def build(places: Workspace, options: argparse.Namespace) -> dict:
    """The index."""
    start = time.perf_counter()
    (built,) = build_indices(places, ["face"], [IndexRequest(preset=options.preset)], progress=progress_on_stderr)
    return {
        "seconds": time.perf_counter() - start,
        "disk_bytes": built.size_bytes,
        "built_now": built.built_now,
        "without_rows_bytes": built.size_bytes - (built.folder / vectors_of(built.folder)).stat().st_size,
    }


def vectors_of(folder: Path) -> str:
    """The file of the rows themselves."""
    return next(path.name for path in folder.iterdir() if path.name.endswith("-vectors.npy"))


def tune(places: Workspace, options: argparse.Namespace) -> dict:
    """The search setting."""
    start = time.perf_counter()
    settings = TuneSettings(goal=Goal(targets=(parse_target(options.target),)), probes=options.probes)
    found = tune_index(places, index_name(options.preset), settings, progress=progress_on_stderr)
    loss = found.loss.to_json() if found.loss else None
    return {
        "seconds": time.perf_counter() - start,
        "settings": dict(found.tuned.chosen.settings),
        "recall": found.tuned.chosen.recall.value,
        "times_exact": found.tuned.times_exact,
        "loss": loss,
        "tried": len(found.tuned.tried),
    }


def search(places: Workspace, options: argparse.Namespace) -> dict:
    """The judging probes, in a process that does nothing else."""
    queries = judging(places, options)
    start = time.perf_counter()
    index = open_index(places.index_folder(index_name(options.preset)))
    opened = time.perf_counter() - start
    told = {"opened_seconds": opened, **timed(lambda part: index.search(part, K), queries)}
    found = index.search(queries, K)
    np.savez(places.folder / f"found-{options.preset}.npz", rows=found.rows, scores=found.scores)
    return {**told, "anonymous_bytes": _of_status("RssAnon"), "mapped_bytes": _of_status("RssFile")}


def exact(places: Workspace, options: argparse.Namespace) -> dict:
    """The same probes by the exact engine, and the recall of what was found."""
    queries = judging(places, options)
    index = open_searched(
        places.index_folder(index_name(options.preset)), SearchSettings(exact=True), "cpu"
    )  # fmt: skip
    told = timed(lambda part: index.search(part, K), queries)
    truth = index.search(queries, K)
    with np.load(places.folder / f"found-{options.preset}.npz") as found:
        neighbors = Neighbors(rows=found["rows"], scores=found["scores"])
    assert_exact(index)
    return {**told, "recall": float(recalls(neighbors, truth, queries, index.vectors).mean())}


def assert_exact(index: object) -> None:
    """The truth must be that of our own engine."""
    if not isinstance(index, ExactIndex):
        raise SystemExit(f"{type(index).__name__} is not the exact engine")


def judging(places: Workspace, options: argparse.Namespace) -> np.ndarray:
    """(q, d) probes that nothing was tuned with."""
    return open_store(places.store_folder).load("voice", "test").vectors[: options.probes]


def timed(ask: Callable[[np.ndarray], object], queries: np.ndarray) -> dict:
    """Medians: probes a second in batches, seconds of a probe that comes alone."""
    ask(queries[:WARM_UP])
    batches = [_seconds(lambda: ask(queries)) for _ in range(3)]
    parts = [queries[place : place + 1] for place in np.linspace(0, len(queries) - 1, SINGLES).astype(int)]
    for part in parts[:WARM_UP]:
        ask(part)
    singles = [_seconds(lambda part=part: ask(part)) for part in parts]
    median, late = np.percentile(singles, [50, 95])
    return {
        "seconds": sum(batches) + sum(singles),
        "probes_per_second": len(queries) / float(np.median(batches)),
        "first_batch_per_second": len(queries) / batches[0],
        "latency_median_seconds": float(median),
        "latency_p95_seconds": float(late),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def figures_of(step: str, rows: int, folder: Path, options: argparse.Namespace) -> dict:
    """What a step gave, in a process of its own; what was told before is told again."""
    place = folder / f"{step}{'' if step == 'write' else f'-{options.preset}'}.json"
    if place.exists() and step not in options.again:
        say(f"{rows:,} rows: {step}: done before")
        return json.loads(place.read_text(encoding="utf-8"))
    say(f"{rows:,} rows: {step}")
    command = [
        sys.executable, __file__, "--rows", str(rows), "--preset", options.preset, "--probes", str(options.probes),
        "--target", options.target, "--threads", str(options.threads), "--folder", str(folder), "--step", step,
    ]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the step {step} of {rows:,} rows ended with {done.returncode}; its message is above")
    told = json.loads(done.stdout.splitlines()[-1])
    place.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    say(f"{rows:,} rows: {step}: {told['seconds']:,.1f} s, {told['peak_bytes'] / GIB:.2f} GiB")
    return told


def one_step(step: str, options: argparse.Namespace) -> None:
    """Do a step and print its figures."""
    done = {"write": write, "build": build, "tune": tune, "search": search, "exact": exact}[step]
    with same_threads(options.threads):
        told = done(Workspace(folder=options.folder), options)
    print(json.dumps({**told, "peak_bytes": peak_bytes()}))


def report(found: dict[int, dict[str, dict]], options: argparse.Namespace) -> None:
    """Tables of time, memory and growth."""
    print(f"\n**{options.preset}: built** (greatest resident memory of the process, mapped pages included)\n")
    print("| rows | store GiB | built in s | rows/s | peak GiB | index GiB | of it not the rows |")
    print("|---|---|---|---|---|---|---|")
    for rows, steps in found.items():
        built = steps["build"]
        print(
            f"| {rows:,} | {steps['write']['disk_bytes'] / GIB:.2f} | {built['seconds']:,.0f} | "
            f"{rows / built['seconds']:,.0f} | {built['peak_bytes'] / GIB:.2f} | {built['disk_bytes'] / GIB:.2f} | "
            f"{built['without_rows_bytes'] / GIB:.2f} |"
        )
    print(
        f"\n**Searched from disk, tuned to {options.target}** ({options.probes:,} probes that nothing was tuned with)\n"
    )
    print(
        "| rows | tuned in s | setting | R@10 | probes/s | first batch | ms a probe | p95 | peak GiB | "
        "anonymous GiB, at the end | exact: probes/s | ms a probe | peak GiB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for rows, steps in found.items():
        tuned, mine, true = steps["tune"], steps["search"], steps["exact"]
        setting = ", ".join(f"{name}={value}" for name, value in tuned["settings"].items())
        print(
            f"| {rows:,} | {tuned['seconds']:,.0f} | {setting} | {true['recall']:.4f} | "
            f"{mine['probes_per_second']:,.0f} | {mine['first_batch_per_second']:,.0f} | "
            f"{mine['latency_median_seconds'] * 1e3:.2f} | {mine['latency_p95_seconds'] * 1e3:.2f} | "
            f"{mine['peak_bytes'] / GIB:.2f} | {mine['anonymous_bytes'] / GIB:.2f} | "
            f"{true['probes_per_second']:,.0f} | {true['latency_median_seconds'] * 1e3:.1f} | "
            f"{true['peak_bytes'] / GIB:.2f} |"
        )
    report_growth(found)


GROWING = {
    "time to build": lambda steps: steps["build"]["seconds"],
    "memory to build": lambda steps: steps["build"]["peak_bytes"],
    "time of a probe in batches": lambda steps: 1 / steps["search"]["probes_per_second"],
    "time of a probe alone": lambda steps: steps["search"]["latency_median_seconds"],
    "memory to search": lambda steps: steps["search"]["peak_bytes"],
    "time of a probe, exact engine": lambda steps: 1 / steps["exact"]["probes_per_second"],
}


def report_growth(found: dict[int, dict[str, dict]]) -> None:
    """Exponents of the number of rows."""
    if len(found) < 2:
        return
    print("\n**Growth** (figure about rows to the power of)\n\n| | exponent |\n|---|---|")
    logarithms = np.log(list(found))
    for name, figure in GROWING.items():
        values = np.array([figure(steps) for steps in found.values()])
        slope = float(np.polyfit(logarithms, np.log(values), 1)[0]) if (values > 0).all() else math.nan
        print(f"| {name} | {slope:.2f} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--preset", default="ivf-pq")
    parser.add_argument("--probes", type=int, default=2000)
    parser.add_argument("--target", default="R@10>=0.9")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--folder", type=Path, default=None, help="Where stores, indices and figures are kept.")
    parser.add_argument("--again", nargs="*", default=[], choices=STEPS, help="Steps to be done though they were.")
    parser.add_argument("--remove", action="store_true", help="Remove the files of a size once it is measured.")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        one_step(options.step, options)
        return
    with same_threads(options.threads) as threads, tempfile.TemporaryDirectory() as scratch:
        options.threads = threads
        facts = {**machine(), "threads": threads}
        print("; ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
        base = options.folder or Path(scratch)
        found = {}
        for rows in sorted(options.rows):
            folder = base / f"rows-{rows}"
            folder.mkdir(parents=True, exist_ok=True)
            found[rows] = {step: figures_of(step, rows, folder, options) for step in STEPS}
            if options.remove:
                remove_files(folder)
        report(found, options)


def remove_files(folder: Path) -> None:
    """Remove store and indices of a size; its figures stay."""
    import shutil

    for name in ("embeddings", "index"):
        shutil.rmtree(folder / name, ignore_errors=True)


if __name__ == "__main__":
    main()
