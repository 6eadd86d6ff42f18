"""Indices: what `index tune` picks beside a hand sweep of every library, ours beside the library itself, wrong probes.

    python benchmarks/indices.py [--rows 300000] [--probes 4000] [--threads 2] [--folder DIR] [--people-workspace DIR]

Rows and probes are those of benchmarks/cross_modal.py; with --people-workspace, the store and the faces of a workspace
of generated people are looked at too (see `vfsearch corpus generate`). All that is compared runs in one process, with
the same threads, by turns; probes that a setting was tuned with are not those that it is judged with. Indices are kept
in --folder, so that a second run starts at once. Prints Markdown tables; those that it gave last are in indices.md.
"""

import argparse
import importlib.metadata
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cross_modal import CrossModal, write_store
from libraries import LIBRARIES, Library, native_call

from vfsearch.bench.same_threads import same_threads
from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import Neighbors
from vfsearch.errors import VfsearchError
from vfsearch.index.backends import open_index
from vfsearch.index.base import Index
from vfsearch.index.recall import recalls
from vfsearch.index.sweep import measure_setting
from vfsearch.index.targets import Target
from vfsearch.index.tuning import Goal, settings_text
from vfsearch.kernels.topk import topk
from vfsearch.pipeline.index import IndexRequest, build_indices
from vfsearch.pipeline.searched_index import true_index
from vfsearch.pipeline.tune_index import TuneSettings, tune_index
from vfsearch.pipeline.tune_presets import PresetsTuning, tune_presets
from vfsearch.pipeline.tuning_problem import Problems
from vfsearch.pipeline.workspace import Workspace
from vfsearch.store.store import open_store
from vfsearch.timing import machine

K = 10
WARM_UP, SINGLES, TOO_SLOW = 32, 300, 900
DIRECT = ("hnsw", "ivf", "hnswlib", "svs")
PRESETS = ("clustered", "ivf", "ivf-sq8", "hnsw", "hnswlib", "svs", "svs-int8")
VERSIONS = ("faiss-cpu", "hnswlib", "usearch", "scalable-vs", "numpy", "torch")


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to search.

    Args:
        name: what it is called.
        ready: puts its setting in force.
        ask: (q, k) rows of queries, or Neighbors.
        recall: of the judging probes.
    """

    name: str
    ready: Callable[[], None]
    ask: Callable[[np.ndarray, int], object]
    recall: float = float("nan")


@dataclass(frozen=True, kw_only=True)
class Timed:
    """Medians of one way.

    Args:
        rates: (turns,) probes a second.
        singles: (turns,) median seconds of a probe that comes alone.
    """

    rates: np.ndarray
    singles: np.ndarray

    @property
    def rate(self) -> float:
        """Median probes a second."""
        return float(np.median(self.rates))

    @property
    def single(self) -> float:
        """Median seconds of a probe that comes alone."""
        return float(np.median(self.singles))


def say(text: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def by_turns(ways: Sequence[Way], queries: np.ndarray, turns: int, modes: Sequence[str]) -> list[Timed]:
    """Every way, one after the other, several times over, each in a new order."""
    rates, singles = ([[] for _ in ways] for _ in range(2))
    random = np.random.default_rng(1)
    for _ in range(turns):
        for place in random.permutation(len(ways)):
            ways[place].ready()
            if "batch" in modes:
                ways[place].ask(queries[: max(WARM_UP, len(queries) // 4)], K)
                rates[place].append(len(queries) / seconds(lambda way=ways[place]: way.ask(queries, K)))
            if "single" in modes:
                singles[place].append(one_by_one(ways[place], queries))
    return [Timed(rates=np.array(rate), singles=np.array(single)) for rate, single in zip(rates, singles, strict=True)]


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def one_by_one(way: Way, queries: np.ndarray) -> float:
    """Median seconds of a probe."""
    chosen = np.linspace(0, len(queries) - 1, SINGLES).astype(int)
    parts = [np.ascontiguousarray(queries[each : each + 1]) for each in chosen]
    for part in parts[:WARM_UP]:
        way.ask(part, K)
    return float(np.median([seconds(lambda part=part: way.ask(part, K)) for part in parts]))


class Judge:
    """Probes that nothing was tuned with, and their exact neighbours.

    Args:
        probes: the probes.
        vectors: (n, d) rows that are searched.
    """

    def __init__(self, probes: Embeddings, vectors: np.ndarray) -> None:
        self.queries, self._vectors = probes.vectors, vectors
        self._truth = topk(self.queries, vectors, K)

    def recall(self, found: object) -> float:
        """R@10 of rows or Neighbors."""
        rows = found.rows if isinstance(found, Neighbors) else np.asarray(found, np.int64)
        neighbors = Neighbors(rows=rows, scores=np.zeros(rows.shape))
        return float(recalls(neighbors, self._truth, self.queries, self._vectors).mean())


def of_index(name: str, index: Index, settings: dict) -> Way:
    """One of our indices with a setting."""
    return Way(
        name=f"{name} {settings_text(settings) if settings else ''}".strip(),
        ready=lambda: index.use(settings),
        ask=lambda queries, k: index.search(queries, k),
    )


def of_library(library: Library, value: int) -> Way:
    """A library with a setting."""
    return Way(name=f"{library.name} {value}", ready=lambda: library.set(value), ask=library.ask)


def judged(way: Way, judge: Judge) -> Way:
    """The way with its recall."""
    way.ready()
    return replace(way, recall=judge.recall(way.ask(judge.queries, K)))


def swept(library: Library, judge: Judge, least: float) -> list[tuple[Way, float]]:
    """What a hand sweep finds: recall and rate of each step, until recall is well above what is wanted."""
    found = []
    for value in library.ladder:
        way = judged(of_library(library, value), judge)
        rate = len(judge.queries) / seconds(lambda way=way: way.ask(judge.queries, K))
        found.append((way, rate))
        if way.recall >= least or rate < TOO_SLOW:
            break
    return found


def best_of_sweep(sweep: Sequence[tuple[Way, float]], target: float) -> Way | None:
    """The first step that reaches the target on the judging probes themselves; what finds less is never slower."""
    return next((way for way, _ in sweep if way.recall >= target), None)


def report_sweeps(sweeps: dict[str, list[tuple[Way, float]]], seconds_: dict[str, float]) -> None:
    """All steps of the hand sweeps."""
    print("\n**Hand sweeps, libraries called directly** (recall of the judging probes, probes/s in one run)\n")
    print("| library | built in s | setting: R@10, probes/s |\n|---|---|---|")
    for name, sweep in sweeps.items():
        steps = "; ".join(f"{way.name.rsplit(' ', 1)[1]}: {way.recall:.3f}, {rate:,.0f}" for way, rate in sweep)
        print(f"| {name} | {seconds_[name]:.0f} | {steps} |", flush=True)


def report_against_hands(
    picks: dict[tuple[str, float], tuple[PresetsTuning, Way]],
    sweeps: dict[str, list[tuple[Way, float]]],
    judge: Judge,
    turns: int,
) -> None:
    """What tune picks beside the best of each hand sweep, timed by turns."""
    for mode, column in (("batch", "probes/s"), ("single", "µs a probe")):
        print(f"\n**What `index tune --for {mode}` picks, beside the best of each hand sweep** ({column}, by turns)\n")
        print(
            "| target | tuned: setting | R@10 | ours | fastest by hand | R@10 | theirs | ours to theirs | the others |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for (of_mode, target), (_, pick) in picks.items():
            if of_mode != mode:
                continue
            hands = [way for sweep in sweeps.values() if (way := best_of_sweep(sweep, target))]
            say(f"timing {pick.name} beside {len(hands)} libraries, {mode}, R@10 >= {target}")
            timed = by_turns([pick, *hands], judge.queries, turns, [mode])
            print(_row(mode, target, pick, timed[0], hands, timed[1:]), flush=True)


def _row(mode: str, target: float, pick: Way, mine: Timed, hands: list[Way], theirs: list[Timed]) -> str:
    def figure(timed: Timed) -> float:
        return timed.rate if mode == "batch" else 1 / timed.single

    def shown(timed: Timed) -> str:
        return f"{timed.rate:,.0f}" if mode == "batch" else f"{timed.single * 1e6:,.0f}"

    ranked = sorted(zip(hands, theirs, strict=True), key=lambda each: -figure(each[1]))
    if not ranked:
        return f"| {target:g} | {pick.name} | {pick.recall:.4f} | {shown(mine)} | none reaches it | | | | |"
    (best, timed), *others = ranked
    rest = "; ".join(f"{way.name} {shown(each)}" for way, each in others)
    ratio = figure(mine) / figure(timed)
    return (
        f"| {target:g} | {pick.name} | {pick.recall:.4f} | {shown(mine)} | {best.name} | {best.recall:.4f} | "
        f"{shown(timed)} | {ratio:.2f} | {rest} |"
    )


def report_overhead(places: Workspace, presets: Sequence[str], targets: Sequence[float], judge: Judge, turns: int,
                    probes: int) -> None:  # fmt: skip
    """Ours through the interface beside the library's own object inside it, with the same settings."""
    print("\n**Through the interface and directly: the same native object, the same settings, by turns**\n")
    print(
        "| index | setting | directly, probes/s | through ours | slower | directly, µs a probe | through ours | more |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for preset in presets:
        folder = places.index_folder(f"face-{preset}")
        goal = Goal(targets=(Target(measure="R", k=K, least=targets[len(targets) // 2]),))
        found = tune_index(places, str(folder), TuneSettings(goal=goal, probes=probes), save=False)
        index, settings = open_index(folder), found.tuned.chosen.settings
        index.use(settings)
        native = native_call(index)
        if native is None:
            continue
        say(f"timing {preset} through the interface and directly")
        ready = lambda index=index, settings=settings: index.use(settings)  # noqa: E731
        ways = [Way(name="directly", ready=ready, ask=native), of_index(preset, index, settings)]
        directly, ours = by_turns(ways, judge.queries, 3 * turns, ["batch", "single"])
        slower = float(np.median(directly.rates / ours.rates)) - 1
        more = float(np.median(ours.singles - directly.singles)) * 1e6
        print(
            f"| {preset} | {settings_text(settings)} | {directly.rate:,.0f} | {ours.rate:,.0f} | {slower:.1%} | "
            f"{directly.single * 1e6:,.0f} | {ours.single * 1e6:,.0f} | {more:+.0f} |", flush=True,
        )  # fmt: skip


def report_wrong_probes(
    places: Workspace, presets: Sequence[str], targets: Sequence[float], probes: int, judging: str, title: str
) -> None:
    """What tuning with gallery rows promises and gives, beside what tuning with probes does."""
    print(f"\n**Tuned with the wrong modality's rows: {title}**\n")
    print("| index | target | tuned with gallery rows | promised | given | tuned with voices | promised | given |")
    print("|---|---|---|---|---|---|---|---|")
    store = open_store(places.store_folder)
    voices = _some(store.load("voice", judging), probes)
    for preset in presets:
        folder = places.index_folder(f"face-{preset}")
        index = open_index(folder)
        for target in targets:
            goal = Goal(targets=(Target(measure="R", k=K, least=target),))
            say(f"{preset}: tuned with the wrong probes and with the right ones, R@10 >= {target}")
            try:
                found = tune_index(places, str(folder), TuneSettings(goal=goal, probes=probes), save=False)
            except VfsearchError as error:
                print(f"| {preset} | {target:g} | {error} | | | | | |")
                continue
            problem = Problems(index, true_index(index, "cpu"), goal.targets).of_probes(voices)
            chosen = found.tuned.chosen
            right = measure_setting(index, chosen.settings, problem, "recall").recall.value
            print(f"| {preset} | {target:g} | {_wrong(found, index, problem)} | {settings_text(chosen.settings)} | "
                  f"{chosen.recall.value:.3f} | {right:.3f} |", flush=True)  # fmt: skip


def _wrong(found, index: Index, problem) -> str:
    if found.misled is None:
        return "not reached | |"
    given = measure_setting(index, found.misled.settings, problem, "recall").recall.value
    return f"{settings_text(found.misled.settings)} | {found.misled.promised[f'R@{K}'].value:.3f} | {given:.3f}"


def _some(rows: Embeddings, count: int) -> Embeddings:
    if len(rows) <= count:
        return rows
    return rows.take(np.sort(np.random.default_rng(9).choice(len(rows), count, replace=False)))


def cross_modal_tables(options: argparse.Namespace, folder: Path) -> None:
    """All tables of the cross-modal problem."""
    say(f"writing a store of {options.rows:,} rows")
    problem = CrossModal(rows=options.rows)
    places = Workspace(folder=folder)
    # Of the split val, half of the probes tune and half check; those of the split test judge.
    store = write_store(places.store_folder, problem, 2 * options.probes)
    for preset in ("exact", *options.presets):
        (built,) = build_indices(places, ["face"], [IndexRequest(preset=preset)])
        say(f"{built.folder.name}: {'built' if built.built_now else 'kept'}, {built.seconds:.0f} s")
    vectors = np.array(open_index(places.index_folder("face")).vectors)
    judge = Judge(_some(store.load("voice", "test"), options.probes), vectors)
    if "hands" in options.parts:
        against_hands(options, places, judge, vectors)
    if "overhead" in options.parts:
        report_overhead(places, [each for each in options.presets if each in DIRECT], options.targets, judge,
                        options.turns, options.probes)  # fmt: skip
    if "wrong" in options.parts:
        report_wrong_probes(places, options.presets, options.targets, options.probes, "test",
                            f"{options.rows:,} cross-modal rows")  # fmt: skip


def against_hands(options: argparse.Namespace, places: Workspace, judge: Judge, vectors: np.ndarray) -> None:
    """The hand sweeps, what tune picks, and the two beside each other."""
    sweeps, built = {}, {}
    for kind in LIBRARIES:
        if kind.module not in options.libraries or kind.missing():
            say(f"{kind.name} left out: {kind.missing() or 'not asked for'}")
            continue
        start = time.perf_counter()
        library = kind(vectors)
        built[kind.name] = time.perf_counter() - start
        say(f"{kind.name}: built in {built[kind.name]:.0f} s; sweeping")
        sweeps[kind.name] = swept(library, judge, max(options.targets))
    report_sweeps(sweeps, built)
    picks = {}
    for mode in ("batch", "single"):
        for target in options.targets:
            say(f"tuning all kinds of index, {mode}, R@10 >= {target}")
            goal = Goal(targets=(Target(measure="R", k=K, least=target),), mode=mode)
            found = tune_presets(places, "face", options.presets, TuneSettings(goal=goal, probes=options.probes),
                                 save=False)  # fmt: skip
            best = found.fastest
            way = of_index(best.folder.name, open_index(best.folder), dict(best.tuned.chosen.settings))
            picks[mode, target] = (found, judged(way, judge))
    report_tunings(picks)
    report_against_hands(picks, sweeps, judge, options.turns)


def report_tunings(picks: dict[tuple[str, float], tuple[PresetsTuning, Way]]) -> None:
    """Every kind of index, tuned."""
    print("\n**Every kind of index, tuned** (R@10 of the checking probes; times as fast as the exact engine)\n")
    print("| for | target | index: setting, R@10, times exact |\n|---|---|---|")
    for (mode, target), (found, _) in picks.items():
        each = "; ".join(
            f"{one.folder.name}: {settings_text(one.tuned.chosen.settings)}, {one.tuned.chosen.recall.value:.4f}, "
            f"{found.gain(one):.2f}" for one in found.tunings
        )  # fmt: skip
        print(f"| {mode} | {target:g} | {each} |", flush=True)


def people_tables(options: argparse.Namespace) -> None:
    """Wrong probes on generated people."""
    places = Workspace(folder=options.people_workspace)
    store = open_store(places.store_folder)
    rows = store.count("rows", "face")
    presets = []
    for preset in options.presets:
        try:
            build_indices(places, ["face"], [IndexRequest(preset=preset)])
            presets.append(preset)
        except VfsearchError as error:
            say(f"{preset} left out: {error}")
    report_wrong_probes(places, presets, options.targets, options.probes, "test",
                        f"{rows:,} faces of generated people")  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--probes", type=int, default=4000, help="To tune, to check and to judge with, each.")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--targets", type=float, nargs="+", default=[0.9, 0.95, 0.99])
    parser.add_argument("--presets", nargs="+", default=list(PRESETS))
    parser.add_argument("--libraries", nargs="*", default=sorted({kind.module for kind in LIBRARIES}))
    parser.add_argument("--parts", nargs="+", default=["hands", "overhead", "wrong"],
                        choices=["hands", "overhead", "wrong"])  # fmt: skip
    parser.add_argument("--folder", type=Path, default=None, help="Where store and indices are kept.")
    parser.add_argument("--people-workspace", type=Path, default=None, help="Of generated people, with a store.")
    options = parser.parse_args()
    with same_threads(options.threads) as threads, tempfile.TemporaryDirectory() as scratch:
        versions = {name: _version(name) for name in VERSIONS}
        print("; ".join(f"{name} {value}" for name, value in {**machine(), **versions, "threads": threads}.items()))
        print(f"\n{options.rows:,} x 128 rows; {options.probes:,} probes each to tune, to check and to judge with.")
        cross_modal_tables(options, options.folder or Path(scratch))
        if options.people_workspace is not None:
            people_tables(options)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    main()
