"""One search setting of an index, measured: what it finds, how many probes a second, how long one takes."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from vfsearch.data.neighbors import Neighbors
from vfsearch.index.base import Index
from vfsearch.index.recall import recalls
from vfsearch.index.share import Share, share_of

Mode = Literal["recall", "batch", "single", "both"]
Figure = Callable[[Neighbors], np.ndarray]
"""Gives a figure of each probe, (q,) of 0 to 1, NaN where it has none, from the neighbours of all."""
RUNS, SINGLES, WARM_UP = 3, 200, 32
ENOUGH_SECONDS, MOST_TURNS = 0.5, 15
"""Of each way, by turns: short batches are timed more often, so that ways can be told apart on a busy machine."""
LONG_SECONDS, FEWEST_SINGLES = 10.0, 20
NOT_TIMED = float("nan")


@dataclass(frozen=True, kw_only=True, eq=False)
class SearchProblem:
    """Probes, and what an exact search of the same rows finds for them.

    Args:
        queries: (q, d) float32 unit rows.
        truth: (q, k) their exact neighbours.
        groups: (q,) int64 identity of each probe, from 0: what is drawn together where errors are told.
        exclude: (q,) the row that each must not get (itself), -1 for none; None: none has one.
        cuts: lengths of lists whose recall is told, each at most k; (): k alone.
        figures: name -> figure of the end task, told as a share of what the exact neighbours give.
    """

    queries: np.ndarray
    truth: Neighbors
    groups: np.ndarray
    exclude: np.ndarray | None = None
    cuts: Sequence[int] = ()
    figures: Mapping[str, Figure] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def k(self) -> int:
        """How many neighbours are looked for."""
        return self.truth.rows.shape[1]

    def asked(self, index: Index, part: slice = slice(None)) -> Neighbors:
        """What an index gives for some of the probes."""
        exclude = None if self.exclude is None else self.exclude[part]
        return index.search(self.queries[part], self.k, exclude=exclude)

    def shares(self, found: Neighbors, vectors: np.ndarray) -> dict[str, Share]:
        """How good neighbours are, by name ("R@10", "mAP@10"): recall of every cut, share of every figure.

        Args:
            found: (q, k) neighbours.
            vectors: (n, d) rows of the index.
        """
        one = np.ones(len(self))
        told = {}
        for cut in self.cuts or (self.k,):
            values = recalls(first(found, cut), first(self.truth, cut), self.queries, vectors)
            told[f"R@{cut}"] = share_of(values, one, self.groups)
        for name, figure in self.figures.items():
            told[name] = share_of(figure(found), figure(self.truth), self.groups)
        return told


def first(found: Neighbors, k: int) -> Neighbors:
    """The first k of longer lists."""
    return Neighbors(rows=found.rows[:, :k], scores=found.scores[:, :k])


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast searches are; NaN where that was not measured.

    Args:
        probes_per_second: of probes that come all at once; the median of several runs.
        latency_median_seconds, latency_p95_seconds, latency_p99_seconds: of probes that come one at a time.
    """

    probes_per_second: float = NOT_TIMED
    latency_median_seconds: float = NOT_TIMED
    latency_p95_seconds: float = NOT_TIMED
    latency_p99_seconds: float = NOT_TIMED

    def to_json(self) -> dict:
        """The figures that there are."""
        return {name: value for name, value in vars(self).items() if not np.isnan(value)}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One search setting and what came out.

    Args:
        settings: a value for each knob.
        shares: by name ("R@10", "mAP@10").
        speed: how fast.
    """

    settings: Mapping[str, int]
    shares: Mapping[str, Share]
    speed: Speed

    @property
    def recall(self) -> Share:
        """The recall of the exact neighbours, of the longest list that was looked at."""
        return self.shares[max((name for name in self.shares if name.startswith("R@")), key=lambda name: int(name[2:]))]

    def to_json(self) -> dict:
        """The setting as JSON."""
        told = {name: share.to_json() for name, share in self.shares.items()}
        return {"settings": dict(self.settings), "shares": told, **self.speed.to_json()}


def measure_setting(
    index: Index, settings: Mapping[str, int], problem: SearchProblem, mode: Mode = "both", runs: int = RUNS
) -> Measured:
    """Search with a setting, which stays in force.

    Args:
        index: to be searched.
        settings: knob -> value.
        problem: probes and their exact neighbours.
        mode: "recall": batches once, their rate as it happened to be; "batch": several times; "single": one probe at a
            time; "both".
        runs: how often batches are timed; the median counts.
    Raises:
        SettingsError: the setting is none of the index's.
    """
    index.use(settings)
    problem.asked(index, slice(0, WARM_UP))
    seconds, found = _seconds(lambda: problem.asked(index))
    times = [seconds]
    if mode in ("batch", "both"):
        times += [_seconds(lambda: problem.asked(index))[0] for _ in range(runs - 1)]
    latencies = single_seconds(index, problem, SINGLES * runs) if mode in ("single", "both") else []
    return Measured(
        settings=dict(index.settings),
        shares=problem.shares(found, index.vectors),
        speed=speed(problem, times, latencies),
    )


def timed_by_turns(
    ways: Sequence[tuple[Index, Mapping[str, int]]], problem: SearchProblem, mode: Mode, runs: int = RUNS
) -> list[Speed]:
    """How fast several settings are, of one index or of several: A, B, A, B, so that other work hits all alike.

    Args:
        ways: indices with the settings to search with.
        problem: its probes are asked.
        mode: "batch", "single" or "both".
        runs: least turns of each; short ones are repeated more often.
    """
    batches: list[list[float]] = [[] for _ in ways]
    singles: list[list[float]] = [[] for _ in ways]
    for turn in range(MOST_TURNS):
        for place, (index, settings) in enumerate(ways):
            index.use(settings)
            # The caches hold what the way before has read.
            problem.asked(index, slice(None) if not turn else slice(0, WARM_UP))
            if mode in ("batch", "both"):
                batches[place].append(_seconds(lambda index=index: problem.asked(index))[0])
            if mode in ("single", "both") and turn < runs:
                singles[place] += single_seconds(index, problem, SINGLES)
        if turn + 1 >= runs and (mode == "single" or min(map(sum, batches), default=0.0) >= ENOUGH_SECONDS):
            break
    return [speed(problem, *times) for times in zip(batches, singles, strict=True)]


def single_seconds(index: Index, problem: SearchProblem, count: int) -> list[float]:
    """Seconds of each of some probes that come one at a time, spread evenly over all of them.

    Fewer than `count` where they take long: what is known after `LONG_SECONDS` is enough.
    """
    chosen = np.linspace(0, len(problem) - 1, min(len(problem), count)).astype(int)
    # Twice: the first call may have more to do.
    each = min(_seconds(lambda: problem.asked(index, slice(chosen[0], chosen[0] + 1)))[0] for _ in range(2))
    most = max(FEWEST_SINGLES, int(LONG_SECONDS / each))
    if most < len(chosen):
        chosen = chosen[np.linspace(0, len(chosen) - 1, most).astype(int)]
    else:
        for number in chosen[1:WARM_UP].tolist():
            problem.asked(index, slice(number, number + 1))
    return [_seconds(lambda one=one: problem.asked(index, slice(one, one + 1)))[0] for one in chosen.tolist()]


def speed(problem: SearchProblem, batches: Sequence[float], singles: Sequence[float]) -> Speed:
    """Figures of seconds; none where there are none."""
    rate = len(problem) / float(np.median(batches)) if len(batches) else NOT_TIMED
    latency = np.percentile(singles, [50, 95, 99]).tolist() if len(singles) else [NOT_TIMED] * 3
    return Speed(
        probes_per_second=rate,
        latency_median_seconds=latency[0],
        latency_p95_seconds=latency[1],
        latency_p99_seconds=latency[2],
    )


def _seconds(work: Callable[[], object]) -> tuple[float, object]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result
