"""Indices on a GPU against each other, and against our exact kernel there: one table, in Markdown.

    python benchmarks/gpu_indices.py [--rows 1000000] [--probes 10000] [--out benchmarks/gpu-indices.md]

Rows and probes are of two modalities that do not follow one distribution, as voices and faces do not. Recall is
against our exact kernel; each index is timed at each step of its first search setting, in one run.
"""

import argparse
import datetime
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import rows_in_memory
from vfsearch.data.space import Space
from vfsearch.errors import VfsearchError
from vfsearch.index.backends import open_index
from vfsearch.index.base import Index
from vfsearch.index.building import build_index
from vfsearch.index.presets import PRESETS, Preset
from vfsearch.index.recall import recalls
from vfsearch.kernels.search_gallery import search_gallery
from vfsearch.kernels.topk import topk
from vfsearch.timing import machine

K, RUNS, SINGLES = 10, 3, 200
HEAD = (
    "| index | build | searched with | R@10 | probes/s | one probe, median | p95 | p99 |\n"
    "|---|---|---|---|---|---|---|---|"
)


def cross_modal(rows: int, probes: int, dimension: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows of a gallery, and probes that lie apart from them: people, a shift between modalities, noise."""
    random = np.random.default_rng(seed)
    people = random.normal(size=(max(1, rows // 10), dimension)).astype(np.float32)
    shift = 0.7 * random.normal(size=dimension).astype(np.float32)

    def sides(count: int, noise: float) -> np.ndarray:
        made = people[random.integers(0, len(people), count)]
        made += noise * random.standard_normal((count, dimension), dtype=np.float32)
        return made

    gallery, asked = sides(rows, 0.6), sides(probes, 0.9) + shift
    return tuple(each / np.linalg.norm(each, axis=1, keepdims=True) for each in (gallery, asked))


def median_seconds(work: Callable[[], object]) -> float:
    """The median time of several runs after a warm-up."""
    work()
    return float(np.median([seconds_of(work) for _ in range(RUNS)]))


def seconds_of(work: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def speeds(search: Callable[[np.ndarray], object], probes: np.ndarray) -> str:
    """Cells of a row: probes a second in one batch, then one probe at a time."""
    batch = len(probes) / median_seconds(lambda: search(probes))
    search(probes[:1])
    singles = [seconds_of(lambda row=row: search(probes[row : row + 1])) for row in range(min(SINGLES, len(probes)))]
    late = " | ".join(f"{1e6 * each:,.0f} µs" for each in np.percentile(singles, [50, 95, 99]))
    return f"{batch:,.0f} | {late}"


def steps(index: Index) -> Iterator[dict[str, int]]:
    """Settings to try: each step of the first knob, the others at their default; what is exhaustive last."""
    first = next((knob for knob in index.knobs if knob.name != "refine"), None)
    yield from ([{}] if first is None else [{first.name: value} for value in first.ladder])


def of_preset(preset: Preset, source, folder: Path, truth, probes: np.ndarray) -> Iterator[str]:
    """The rows of the table that one kind of index gives."""
    built = seconds_of(lambda: build_index(folder / preset.name, source, preset.settings(), "cuda"))
    index = open_index(folder / preset.name, "cuda")
    for settings in steps(index):
        index.use(settings)
        recall = recalls(index.search(probes, K), truth, probes, index.vectors).mean()
        said = ", ".join(f"{name} {value}" for name, value in index.settings.items())
        cells = speeds(lambda asked: index.search(asked, K), probes)
        yield f"| {preset.name} | {built:.1f} s | {said} | {recall:.4f} | {cells} |"


def table(rows: int, count: int, dimension: int, seed: int) -> Iterator[str]:
    """The lines of the table."""
    vectors, probes = cross_modal(rows, count, dimension, seed)
    facts = machine()
    yield f"# Indices on a GPU, {datetime.date.today().isoformat()}\n"
    yield (
        f"{torch.cuda.get_device_name()}, {facts['processor']}, {facts['cores']} cores; {rows:,} x {dimension} rows, "
        f"{count:,} probes in one batch, k = {K}; median of {RUNS} runs, of {SINGLES} probes one at a time.\n"
    )
    yield HEAD
    kept = search_gallery(vectors, "cuda")
    truth = topk(probes, kept, K)
    yield f"| vfsearch, exact | - | - | 1.0000 | {speeds(lambda asked: topk(asked, kept, K), probes)} |"
    space = Space(name="benchmark", fingerprint="0" * 64, dimension=dimension)
    ids = [str(row) for row in range(rows)]
    embeddings = Embeddings(ids=ids, identities=ids, vectors=vectors, modality="face", space=space)
    with tempfile.TemporaryDirectory() as folder:
        for preset in (preset for preset in PRESETS.values() if preset.device == "cuda"):
            try:
                yield from of_preset(preset, rows_in_memory(embeddings, "0" * 64), Path(folder), truth, probes)
            except VfsearchError as error:
                yield f"| {preset.name} | left out: {error} | | | | | | |"


def main() -> None:
    """Print the table line by line; write it, if asked, once it is whole."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--probes", type=int, default=10_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    lines = []
    for line in table(asked.rows, asked.probes, asked.dimension, asked.seed):
        print(line, flush=True)
        lines.append(line)
    if asked.out:
        asked.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
