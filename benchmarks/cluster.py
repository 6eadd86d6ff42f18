"""What a cluster costs and gives: overhead of shards and queries, work of partitions, and a model of more nodes.

    python benchmarks/cluster.py [--rows 300000] [--dimension 128] [--probes 1024] [--shards 64]

Everything runs on one machine, on a Ray cluster of its own, whose workers have one core each and share the machine's.
So that scaling is seen nevertheless, one worker holds all partitions and answers for one after another: the seconds of
each partition are then those of a node of its own. The model of time against nodes takes what was measured for one
partition and for the ways between, is held against the runs with 2 and 4 workers (on as many cores as there are), and
is then taken to other numbers of nodes and rows. Prints Markdown tables; those that it gave last are in cluster.md.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import Neighbors
from vfsearch.data.row_source import RowSource
from vfsearch.data.space import Space
from vfsearch.devices import set_threads
from vfsearch.distributed.cluster import cluster
from vfsearch.distributed.crew import Record, Wanted
from vfsearch.distributed.embedding import RayEngine
from vfsearch.distributed.searching import RaySearcher
from vfsearch.files import make_folder
from vfsearch.index.backends import open_index
from vfsearch.index.base import Index
from vfsearch.index.layout import read_index_artefact
from vfsearch.index.partitions import spans
from vfsearch.index.settings import BuildSettings
from vfsearch.index.sharded import merged
from vfsearch.index.sharded_ranking import ShardedRanking
from vfsearch.index.sharding import PartitionJob, build_partition, build_sharded
from vfsearch.pipeline.decoding import Decoding
from vfsearch.pipeline.embed import embed_manifest
from vfsearch.pipeline.encoders import Encoders
from vfsearch.pipeline.workspace import Workspace
from vfsearch.protocol.ranking import RankingHere
from vfsearch.timing import machine

BUILT = "clustered"
PARTITIONS, NODES = (1, 2, 4), (1, 4, 10, 100)
ITEMS_A_PERSON, ITEMS_A_SHARD, K = 20, 4, 10
NETWORK_BYTES = 1.25e9
"""Of the driver, a second: 10 Gbit/s, which nothing here measures."""


def main() -> None:
    """Measure and print."""
    asked = parsed()
    set_threads(1)
    about = machine()
    print(f"{about['processor']}, {about['cores']} cores; {asked.rows:,} rows x {asked.dimension}, {asked.probes:,} "
          f"probes, top {K}, exact; one thread a worker\n")  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        with cluster() as ray:
            started = time.perf_counter() - begun
            print(f"The cluster starts in {started:.1f} s.\n")
            shards(ray, asked, Path(folder), started)
            searches(ray, asked, Path(folder))


def parsed() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--probes", type=int, default=1024)
    parser.add_argument("--shards", type=int, default=64)
    return parser.parse_args()


def median(work: Callable[[], object], times: int = 7) -> float:
    """Seconds of the median run, after one that does not count."""
    work()
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


class Answers(Record):
    """The seconds of each partition."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: Counter = Counter()

    def note(self, node: str, task: str, seconds: float) -> None:
        """It answered."""
        super().note(node, task, seconds)
        self.answers[task] += seconds


def shards(ray, asked: argparse.Namespace, folder: Path, started: float) -> None:
    """What a shard costs on a cluster beyond what it costs here; encoders that do nothing make it all of the time."""
    hashes, settings = Encoders(voice="id-hash-voice", face="id-hash-face"), {"decoding": Decoding(workers=0)}

    def seconds(name: str, count: int, **more) -> float:
        place = Workspace(folder=folder / f"{name}-{count}")
        place.folder.mkdir()
        lines = [f"{n}.wav,voice,p{n % 9}" for n in range(count * ITEMS_A_SHARD)]
        place.manifest_path.write_text("\n".join(["path,modality,identity", *lines]) + "\n")
        begun = time.perf_counter()
        embed_manifest(place, frozen=hashes, rows_per_part=ITEMS_A_SHARD, **settings, **more)
        return time.perf_counter() - begun

    few, many = asked.shards, 4 * asked.shards
    seconds("warm", few)
    here = [seconds("here", count) for count in (few, many)]
    there = [seconds("there", count, engine=RayEngine(ray=ray, cpus=1, most=1)) for count in (few, many)]
    each = [(long - short) / (many - few) for short, long in (here, there)]
    start = there[0] - here[0] - few * (each[1] - each[0])
    print(f"| {few} and {many} shards of {ITEMS_A_SHARD} items that cost nothing to embed | |\n|---|---|")
    print(f"| here | {here[0]:.2f} and {here[1]:.2f} s, {each[0] * 1e3:.1f} ms a shard |")
    print(f"| on a cluster, one worker | {there[0]:.2f} and {there[1]:.2f} s, {each[1] * 1e3:.1f} ms a shard |")
    print(f"| more for each shard | {(each[1] - each[0]) * 1e3:+.1f} ms |")
    print(f"| more once, until a worker is there | {start:.1f} s |")
    print(f"| break-even of two workers with this process, shards of a second | {2 * start:.1f} s of work, "
          f"{2 * (start + started):.1f} s with the start of a cluster |\n")  # fmt: skip


def made(asked: argparse.Namespace) -> tuple[RowSource, np.ndarray, np.ndarray, np.ndarray]:
    """A gallery, whose its rows are, probes and whose they are; alike enough that search is no different from real."""
    random = np.random.default_rng(1)
    people = asked.rows // ITEMS_A_PERSON
    centres = random.normal(size=(people, asked.dimension)).astype(np.float32)
    space = Space(name="made-up", fingerprint="0" * 64, dimension=asked.dimension)

    def unit(identities: np.ndarray, seed: int) -> np.ndarray:
        own = np.random.default_rng(seed).normal(size=(len(identities), asked.dimension))
        rows = centres[identities] + 2 * own.astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def read(block: int) -> Embeddings:
        numbers = np.arange(block * step, min(asked.rows, (block + 1) * step))
        return Embeddings(
            ids=[f"face/{number}.jpg" for number in numbers], identities=[f"p{n % people}" for n in numbers],
            vectors=unit(numbers % people, block), modality="face", space=space,
        )  # fmt: skip

    step = 50_000
    sizes = [min(step, asked.rows - first) for first in range(0, asked.rows, step)]
    source = RowSource(modality="face", space=space, origin="0" * 64, sizes=sizes, read=read)
    whose = random.integers(0, people, asked.probes)
    return source, np.arange(asked.rows) % people, unit(whose, 10**6), whose


def searches(ray, asked: argparse.Namespace, folder: Path) -> None:
    """Overhead, scaling and the model."""
    source, identities, queries, whose = made(asked)
    none, rows = np.full(len(queries), -1), np.arange(asked.rows)
    for count in PARTITIONS:
        build_sharded(folder / str(count), source, BuildSettings(backend="exact"), count)
    whole: Index = open_index(folder / "1")
    (part,) = whole.answering._open
    alone = part._index
    ranking = RankingHere(np.array(alone.vectors), identities, "cpu", None)
    local = {
        "search": median(lambda: alone.search(queries, K)),
        "one probe": median(lambda: alone.search(queries[:1], K), 200),
        "ranks": median(lambda: ranking.ranks(queries, whose, none), 3),
    }
    mates = int(ranking.ranks(queries, whose, none).mates.sum())
    found, work = {}, {}
    for count in PARTITIONS:
        artefact = read_index_artefact(folder / str(count))
        for most in sorted({1, count}):
            record = Answers()
            wanted = Wanted(cpus=1, most=most)
            with RaySearcher(ray=ray, wanted=wanted, records={str(count): record}) as searcher:
                begun = time.perf_counter()
                index = searcher.open(artefact, "cpu")
                opened = time.perf_counter() - begun
                told = ShardedRanking(index, rows, identities)
                (answering,) = searcher._open
                asks = {
                    "nothing": (lambda a=answering, c=count: a.ask("inspect", dict.fromkeys(range(c), ())), 50),
                    "search": (lambda i=index: i.search(queries, K), 7),
                    "one probe": (lambda i=index: i.search(queries[:1], K), 100),
                    "ranks": (lambda t=told: t.ranks(queries, whose, none), 3),
                }
                for name, (ask, times) in asks.items():
                    seconds = median(ask, times)
                    if most == count:
                        found[count, name] = seconds
                    if most == 1:
                        # The last answers: each partition's own, one after another.
                        record.answers.clear()
                        ask()
                        work[count, name] = dict(record.answers)
                if most == count:
                    found[count, "opened"] = opened
    overheads(local, found)
    builds(asked, source, folder)
    scaling(asked, work, mates)
    model(asked, local, found, work)


def builds(asked: argparse.Namespace, source: RowSource, folder: Path) -> None:
    """Seconds to build each partition, one after another."""
    print(f"| partitions | building {BUILT}: the longest | all |\n|--:|--:|--:|")
    for count in PARTITIONS:
        seconds = []
        for place, (first, last) in enumerate(spans(asked.rows, count)):
            job = PartitionJob(folder=make_folder(folder / f"built-{count}-{place}"), first=first, last=last)
            begun = time.perf_counter()
            build_partition(job, source, BuildSettings(backend=BUILT))
            seconds.append(time.perf_counter() - begun)
        print(f"| {count} | {max(seconds):.1f} s | {sum(seconds):.1f} s |")
    print()


def overheads(local: dict, found: dict) -> None:
    """One partition on a cluster beside the same index here."""
    print("| one partition, one worker | here | on a cluster | more |\n|---|--:|--:|--:|")
    for name, seconds in local.items():
        there = found[1, name]
        print(f"| {name} | {seconds * 1e3:,.2f} ms | {there * 1e3:,.2f} ms | {(there - seconds) * 1e3:+,.2f} ms |")
    print(f"| a question that costs nothing | | {found[1, 'nothing'] * 1e3:.2f} ms | |")
    print(f"| the same of 4 partitions | | {found[4, 'nothing'] * 1e3:.2f} ms | |\n")
    opened = ", ".join(f"{found[count, 'opened']:.1f}" for count in PARTITIONS)
    print(f"Workers load what they need and open {', '.join(map(str, PARTITIONS))} partitions in {opened} s.\n")


def scaling(asked: argparse.Namespace, work: dict, mates: int) -> None:
    """Operations, bytes and seconds of each partition."""
    print("| partitions | rows, the largest | multiplications and bytes of a search | search: each, all | ranks: each, "
          "all |\n|--:|--:|--:|--:|--:|")  # fmt: skip
    for count in PARTITIONS:
        rows = -(-asked.rows // count)
        done = rows * asked.probes * asked.dimension
        texts = [f"{max(parts.values()) * 1e3:,.1f}, {sum(parts.values()) * 1e3:,.1f} ms"
                 for parts in (work[count, name] for name in ("search", "ranks"))]  # fmt: skip
        print(f"| {count} | {rows:,} | {done / 1e9:,.2f} G, {rows * asked.dimension * 4 / 2**20:,.0f} MiB | "
              f"{texts[0]} | {texts[1]} |")  # fmt: skip
    print(f"\nThe probes have {mates:,} mates; ranks send {16 * mates / 2**20:.1f} MiB of counts back from each "
          "partition.\n")  # fmt: skip


def model(asked: argparse.Namespace, local: dict, found: dict, work: dict) -> None:
    """Time against nodes: checked, then taken further."""
    here, queries = len(os.sched_getaffinity(0)), asked.probes
    # What the driver does for each partition, in turn: a question, and its answer taken in.
    ask = max(0.0, (found[4, "nothing"] - found[1, "nothing"]) / 3)
    first = found[1, "nothing"] - ask
    # What a partition does for a probe however few rows it has, and for each row: by the largest and the smallest.
    large, small = (max(work[count, "search"].values()) for count in (PARTITIONS[0], PARTITIONS[-1]))
    rate = (large - small) / (asked.rows - asked.rows / PARTITIONS[-1])
    always = large - rate * asked.rows
    sent = found[1, "search"] - found[1, "nothing"] - max(work[1, "search"].values())

    def merging(count: int) -> float:
        random = np.random.default_rng(0)
        scores = -np.sort(-random.random((queries, K)), axis=1)
        lists = [(n * K, Neighbors(rows=np.tile(np.arange(K), (queries, 1)), scores=scores)) for n in range(count)]
        return median(lambda: merged(lists, queries, K), 3)

    def predicted(nodes: int, rows: float, at_once: int, network: bool = False) -> float:
        turns = -(-nodes // at_once)
        ways = nodes * queries * (4 * asked.dimension + 16 * K) / NETWORK_BYTES if network else 0.0
        return first + ask * nodes + max(0.0, sent) + (always + rate * rows / nodes) * turns + merging(nodes) + ways

    print(f"Model, for {queries:,} probes: {first * 1e3:.2f} ms + nodes x {ask * 1e3:.2f} ms to ask + "
          f"{max(0.0, sent) * 1e3:.1f} ms for probes and answers on their way + on each node {always * 1e3:.1f} ms and "
          f"{rate / queries * 1e12:,.1f} ps a probe and row + merging.\n")  # fmt: skip
    print("| nodes | rows | predicted | measured |\n|--:|--:|--:|--:|")
    for count in PARTITIONS:
        guess = predicted(count, asked.rows, min(count, here))
        print(f"| {count} on {min(count, here)} cores | {asked.rows:,} | {guess * 1e3:,.1f} ms | "
              f"{found[count, 'search'] * 1e3:,.1f} ms |")  # fmt: skip
    print(f"\nExtrapolated: one core a node, the probes and answers of all over {NETWORK_BYTES / 1e9:.2f} GB/s.\n")
    print("| rows | " + " | ".join(f"{nodes} nodes" for nodes in NODES) + " |\n|--:|" + "--:|" * len(NODES))
    for rows in (10**6, 10**7, 10**8, 10**9):
        cells = [f"{predicted(nodes, rows, nodes, network=True):,.2f} s, "
                 f"{rows / nodes * asked.dimension * 4 / 2**30:,.1f} GiB" for nodes in NODES]  # fmt: skip
        print(f"| {rows:,} | {' | '.join(cells)} |")
    overhead = found[2, "nothing"] + max(0.0, sent)
    even, single = (overhead + always) / (rate / 2), found[2, "nothing"] / (local["one probe"] / asked.rows / 2)
    print(f"\nBreak-even of two nodes with one, cores alike: {even:,.0f} rows for {queries:,} probes at a time, "
          f"{single:,.0f} rows for one probe.")  # fmt: skip


if __name__ == "__main__":
    main()
