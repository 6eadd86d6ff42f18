"""The paper's published retrieval list: AP of every probe in the whole gallery, both directions.

    python benchmarks/retrieval_list.py [--threads 2] [--shared ../shared] [--sample 200] [--whole] [--check 21850]

The vectors are those of reference/synthetic_embeddings.py for the names of the published lists; where the shared folder
is absent, random ones of the same sizes. Prints Markdown tables; those that it gave last are in retrieval_list.md.
"""

import argparse
import gzip
import importlib.util
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vfsearch.bench.alternation import Times, by_turns
from vfsearch.bench.memory import rise
from vfsearch.bench.same_threads import same_threads
from vfsearch.data.embeddings import numbered
from vfsearch.data.ranks import MateRanks
from vfsearch.kernels.ranks import mate_ranks, rank_gallery
from vfsearch.kernels.threads import shared
from vfsearch.measure.ranking import average_precision, tied_with_others
from vfsearch.timing import machine

BLOCK_SCORES = 2**24
"""Scores of a product that are held at once; a matrix of all would be slower to write."""
SIZES = {"v2f": (21_850, 20_076), "f2v": (20_076, 21_850)}
PEOPLE = 189
PRODUCTS = ("numpy", "torch")


@dataclass(frozen=True, kw_only=True, eq=False)
class Retrieval:
    """One direction of the list.

    Args:
        name: v2f or f2v.
        queries, vectors: (q, 128) and (n, 128) float32 unit rows.
        asked, identities: (q,) and (n,) int64.
        published: mAP that the authors' evaluation gives on these vectors; NaN where it is not known.
    """

    name: str
    queries: np.ndarray
    vectors: np.ndarray
    asked: np.ndarray
    identities: np.ndarray
    published: float = math.nan

    def save(self, path: Path) -> None:
        """Write it where a process of its own can read it."""
        np.savez(path, queries=self.queries, vectors=self.vectors, asked=self.asked, identities=self.identities)


def unit(rows: np.ndarray) -> np.ndarray:
    """float32 rows of length one."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def published_list(shared_folder: Path, name: str) -> Retrieval:
    """One direction, with the vectors of the reference."""
    spec = importlib.util.spec_from_file_location("reference", shared_folder / "reference/synthetic_embeddings.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    lists = shared_folder / "data/wen2021_lists"
    table = reference.identities(lists / "vox1_test.csv")
    with gzip.open(lists / f"reterival_{name}_test.txt.gz", "rt", encoding="utf-8") as lines:
        sides = [reference.embeddings(line.split(), table) for line in lines if line.strip()]
    (queries, probe_people), (vectors, gallery_people) = sides
    asked, identities = numbered(probe_people, gallery_people)
    expected = json.loads((shared_folder / "reference/expected.json").read_text(encoding="utf-8"))
    return Retrieval(
        name=name, queries=unit(queries), vectors=unit(vectors), asked=asked, identities=identities,
        published=expected[f"reterival_{name}_test"]["value"],
    )  # fmt: skip


def random_list(name: str) -> Retrieval:
    """As many random rows: a person's centre and three times as much noise."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((PEOPLE, 128))
    people = [random.integers(0, PEOPLE, size) for size in SIZES[name]]
    queries, vectors = (unit(centres[each] + 3 * random.standard_normal((len(each), 128))) for each in people)
    return Retrieval(name=name, queries=queries, vectors=vectors, asked=people[0], identities=people[1])


def ranks_of(task: Retrieval, gallery: object = None) -> MateRanks:
    """Ours, from plain rows or from what was kept of them."""
    vectors = task.vectors if gallery is None else gallery
    return mate_ranks(task.queries, vectors, task.asked, task.identities)


def product(task: Retrieval, library: str) -> Callable[[], None]:
    """All float32 scores, block by block into the same memory, and nothing done to them."""
    step = BLOCK_SCORES // len(task.vectors)
    out = np.empty((step, len(task.vectors)), dtype=np.float32)
    rows, block = (torch.from_numpy(each) for each in (task.vectors, out))

    def work() -> None:
        for start in range(0, len(task.queries), step):
            part = task.queries[start : start + step]
            if library == "numpy":
                np.matmul(part, task.vectors.T, out=out[: len(part)])
            else:
                torch.matmul(torch.from_numpy(part), rows.T, out=block[: len(part)])

    return work


def as_published(task: Retrieval, probes: np.ndarray) -> None:
    """AP of some probes with the operations of the paper's program.

    For each probe the whole gallery is divided by its lengths, multiplied entry by entry and added up; the scores are
    sorted whole by torch, and a loop goes over the mates.

    Source: Wen et al., CVPR 2021, the released evaluation of retrieval lists (its operations, not its text).
    """
    queries, gallery = torch.from_numpy(task.queries), torch.from_numpy(task.vectors)
    identities = torch.from_numpy(task.identities)
    for probe in probes:
        lengths = gallery.norm(dim=1, keepdim=True)
        scores = (gallery / lengths * (queries[probe] / queries[probe].norm())).sum(dim=1)
        order = torch.argsort(scores, descending=True)
        one_mate_after_the_other(torch.nonzero(identities[order] == task.asked[probe])[:, 0])


def as_lean_as_can_be(task: Retrieval, probes: np.ndarray) -> None:
    """The same where rows are known to be of length one: a product of a matrix and a vector, sorted by numpy."""
    for probe in probes:
        order = np.argsort(-(task.vectors @ task.queries[probe]))
        one_mate_after_the_other(np.flatnonzero(task.identities[order] == task.asked[probe]))


def one_mate_after_the_other(places: np.ndarray | torch.Tensor) -> float:
    """AP of one probe whose mates stand at these places."""
    total, hits = 0.0, 0
    for place in places:
        hits += 1
        total += hits / (int(place) + 1)
    return total / hits if hits else math.nan


def on_grid(rows: np.ndarray) -> np.ndarray:
    """float64 multiples of 2^-26, whose products every order of summation gives alike."""
    return np.rint(rows.astype(np.float64) * 2**26) / 2**26


def by_definition(scores: np.ndarray, is_mate: np.ndarray) -> float:
    """AP from exact scores, as its mean over all orders of equal ones: a loop over the mates in the sorted gallery."""
    order = np.argsort(-scores, kind="stable")
    descending, places = -scores[order], np.flatnonzero(is_mate[order])
    firsts, ends = (np.searchsorted(descending, descending[places], side) for side in ("left", "right"))
    parts, hits = [], 0
    while hits < len(places):
        first, count = int(firsts[hits]), int(ends[hits] - firsts[hits])
        mates = int(np.searchsorted(places, ends[hits]) - hits)
        slope = (mates - 1) / (count - 1) if count > 1 else 0.0
        parts += [mates / count * (hits + 1 + j * slope) / (first + j + 1) for j in range(count)]
        hits += mates
    return math.fsum(parts) / hits if hits else math.nan


def checked(task: Retrieval, probes: np.ndarray) -> np.ndarray:
    """(s,) AP of some probes by definition, in float64."""
    left, right = on_grid(task.queries), on_grid(task.vectors)

    def several(part: np.ndarray) -> list[float]:
        return [by_definition(right @ left[probe], task.identities == task.asked[probe]) for probe in part]

    return np.concatenate(shared(several, np.array_split(probes, max(1, len(probes) // 200))))


def memory_of_ours(task: Retrieval, threads: int) -> tuple[float, float]:
    """Bytes that ours takes in a process that does nothing else: above what was there before, and in all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.npz"
        task.save(path)
        command = [sys.executable, __file__, "--threads", str(threads), "--only-ours", str(path)]
        above, total = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return above, total


def only_ours(path: Path) -> None:
    """Print the two figures of `memory_of_ours`, after a small warm-up that compiles what there is to compile."""
    with np.load(path) as columns:
        task = Retrieval(name="", **dict(columns))
    average_precision(mate_ranks(task.queries[:400], task.vectors, task.asked[:400], task.identities))
    _, above = rise(lambda: average_precision(ranks_of(task)))
    # The greatest memory of the process itself: getrusage would tell that of the process that started it, if greater.
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    total = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    print(json.dumps([above, total]))


def report(task: Retrieval, options: argparse.Namespace, above: float, total: float) -> None:
    """Measure one direction and print what was found."""
    random = np.random.default_rng(2)
    count = len(task.queries)
    sample = np.arange(count) if options.whole else np.sort(random.permutation(count)[: options.sample])
    share = len(sample) / count
    kept = rank_gallery(task.vectors, task.identities)
    ways = {
        "vfsearch mate_ranks and AP": (lambda: average_precision(ranks_of(task)), 1.0),
        "the same, gallery kept from before": (lambda: average_precision(ranks_of(task, kept)), 1.0),
        **{f"float32 product alone, {library}": (product(task, library), 1.0) for library in PRODUCTS},
        "one by one: as the paper's program": (lambda: as_published(task, sample), share),
        "one by one: product, argsort, loop over mates": (lambda: as_lean_as_can_be(task, sample), share),
    }
    for work, _ in ways.values():
        work()
    times = by_turns([[work] for work, _ in ways.values()], options.runs, lambda: None, lambda: None)
    shares = [share for _, share in ways.values()]
    table(task, dict(zip(ways, map(whole, times, shares), strict=True)))
    print(f"\nOne by one: {'all' if options.whole else f'{len(sample):,}'} of the probes were timed.")
    ranks = ranks_of(task)
    found = average_precision(ranks)
    probes = np.sort(random.permutation(count)[: options.check])
    error = np.nanmax(np.abs(found[probes] - checked(task, probes)))
    print(f"\nAP of {len(probes):,} probes: differs by at most {error:.1e} from that by definition in float64.")
    known = "" if math.isnan(task.published) else f"; the authors' program: {task.published:.12f}"
    print(f"mAP {np.nanmean(found):.12f}{known}. Probes with ties: {tied_with_others(ranks).mean():.2%}.")
    print(f"Peak memory of ours: {above / 2**20:,.0f} MiB above rows and libraries, {total / 2**20:,.0f} MiB in all.")


def whole(times: Times, share: float) -> tuple[float, float]:
    """Seconds, and processor seconds, of all probes where some were timed."""
    return times.median / share, times.processor / share


def table(task: Retrieval, seconds: dict[str, tuple[float, float]]) -> None:
    """Seconds of every way beside ours and beside the quicker product."""
    ours = next(iter(seconds.values()))[0]
    quickest = min(each for name, (each, _) in seconds.items() if name.startswith("float32 product"))
    print(f"\n**{task.name}: {len(task.queries):,} probes, {len(task.vectors):,} gallery items**\n")
    print("| | seconds | processor seconds | of the quicker product | times ours |\n|---|---|---|---|---|")
    for name, (each, processor) in seconds.items():
        print(f"| {name} | {each:.3f} | {processor:.3f} | {each / quickest:.2f} | {each / ours:.2f} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sample", type=int, default=200, help="Probes of the argsort loop; times are extrapolated.")
    parser.add_argument("--whole", action="store_true", help="The argsort loop over all probes.")
    parser.add_argument("--check", type=int, default=10**9, help="Probes whose AP is checked; all if not said.")
    parser.add_argument("--directions", nargs="+", default=["v2f", "f2v"], choices=["v2f", "f2v"])
    parser.add_argument("--only-ours", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    with same_threads(options.threads) as threads:
        if options.only_ours:
            only_ours(options.only_ours)
            return
        facts = {**machine(), "torch": torch.__version__, "numpy": np.__version__, "threads": threads}
        here = (options.shared / "reference/synthetic_embeddings.py").exists()
        print("; ".join(f"{name} {value}" for name, value in facts.items()))
        print(f"\nVectors: {'those of reference/synthetic_embeddings.py' if here else 'random, of the same sizes'}.")
        for name in options.directions:
            task = published_list(options.shared, name) if here else random_list(name)
            report(task, options, *memory_of_ours(task, threads))


if __name__ == "__main__":
    main()
