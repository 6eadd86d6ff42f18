"""Do the 95 % intervals cover the truth, where those of the ordinary bootstrap do not?

    python benchmarks/intervals.py [--corpora 500] [--designs WORD...] [--processes 2]

Simulates many small corpora of one population of people: some are easy to recognise, some look like everybody, and
some have a hundred times as many trials as others. Each corpus gives a figure with its interval; the truth is the mean
figure over all corpora. Prints a Markdown table; the one it gave last is in intervals.md.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from vfsearch.data.scored import ScoredMatching, ScoredPairs, ScoredRanking
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.measure.catalog import chosen
from vfsearch.measure.estimate import Estimate
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.operating_points import ScoredTrials
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.verification_values import verification_values

PER_TRIAL = 200
"""Resamples of the ordinary bootstrap."""


@dataclass(frozen=True, kw_only=True)
class People:
    """A corpus: how many people, how many trials (or items) each, evenly on a logarithmic scale, and their effects.

    Args:
        count: of identities.
        least, most: trials with each identity's probes.
        probe: standard deviation of what all scores of a probe identity share; the same for `item`.
        pair: of what a pair of identities shares.
    """

    count: int
    least: int
    most: int
    probe: float = 0.0
    item: float = 0.0
    pair: float = 0.0

    def sizes(self, random: np.random.Generator) -> np.ndarray:
        """(G,) trials of each identity."""
        drawn = np.exp(random.uniform(np.log(self.least), np.log(self.most + 1), self.count))
        return np.clip(drawn.astype(int), self.least, self.most)

    def others(self, probes: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
        """(t, count) identities other than the probes', some people standing in the gallery far more often."""
        sizes = self.sizes(random)
        drawn = random.choice(self.count, size=(len(probes), count), p=sizes / sizes.sum())
        same = drawn == probes[:, None]
        drawn[same] = (drawn[same] + random.integers(1, self.count, same.sum())) % self.count
        return drawn

    def scores(self, probes: np.ndarray, items: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """(t, c) scores of probe and item identities, without what being mates adds; noise has deviation 1."""
        own, others = (random.normal(size=self.count) * scale for scale in (self.probe, self.item))
        pairs = self.pair * random.normal(size=(self.count, self.count))
        noise = random.normal(size=items.shape)
        return own[probes][:, None] + others[items] + pairs[probes[:, None], items] + noise


@dataclass(frozen=True, kw_only=True)
class Design:
    """One population, one kind of trial.

    Args:
        name: what the table says.
        people: who they are.
        mated: what being mates adds to a score.
    """

    name: str
    people: People
    mated: float = 0.0

    def measured(self, seed: int) -> dict[str, tuple[Estimate, np.ndarray]]:
        """Name of the measure -> our estimate, and (r,) figures of the ordinary bootstrap over trials."""
        raise NotImplementedError

    def names(self) -> list[str]:
        """(G,) of the people."""
        return [f"person {number}" for number in range(self.people.count)]


class Verification(Design):
    """Pairs, half of them mated."""

    def measured(self, seed: int) -> dict[str, tuple[Estimate, np.ndarray]]:
        """AUC and EER."""
        random = np.random.default_rng([seed, 1])
        probes = np.repeat(np.arange(self.people.count), self.people.sizes(random))
        mated = random.random(len(probes)) < 0.5
        items = np.where(mated, probes, self.people.others(probes, 1, random)[:, 0])
        scores = self.people.scores(probes, items[:, None], random)[:, 0] + self.mated * mated
        pairs = ScoredPairs(scores=scores, mated=mated, probes=probes, items=items, identities=self.names())
        measures = chosen((), "verification")
        estimates = verification_values(pairs, measures, Resampling(seed=seed))
        trials = ScoredTrials(scores, mated)
        points = [trials.operating_points(weights) for weights in per_trial(len(pairs), random)]
        return {
            str(each): (estimates[str(each)], np.array([each.figure()(point) for point in points])) for each in measures
        }


@dataclass(frozen=True, kw_only=True)
class Matching(Design):
    """1:N matching.

    Args:
        candidates: N.
    """

    candidates: int = 2

    def measured(self, seed: int) -> dict[str, tuple[Estimate, np.ndarray]]:
        """Accuracy."""
        random = np.random.default_rng([seed, 2])
        probes = np.repeat(np.arange(self.people.count), self.people.sizes(random))
        others = self.people.others(probes, self.candidates - 1, random)
        candidates = np.concatenate([probes[:, None], others], axis=1)
        scores = self.people.scores(probes, candidates, random)
        scores[:, 0] += self.mated + self.people.probe * random.normal(size=self.people.count)[probes]
        trials = ScoredMatching(
            scores=scores, probes=probes, candidates=candidates, missing=np.zeros(len(probes), bool),
            identities=self.names(),
        )  # fmt: skip
        return with_means(matching_values, trials, scores, "matching", seed, random)


@dataclass(frozen=True, kw_only=True)
class Retrieval(Design):
    """A gallery of noisy items around a centre for each identity, and probes around another.

    Args:
        dimension: of the vectors.
        noise: deviation of an item about its centre, in each dimension, where centres have 1.
        shared: correlation between the two centres of one identity.
    """

    dimension: int = 16
    noise: float = 2.0
    shared: float = 1.0

    def measured(self, seed: int) -> dict[str, tuple[Estimate, np.ndarray]]:
        """mAP and R@1."""
        random = np.random.default_rng([seed, 3])
        centres = random.normal(size=(2, self.people.count, self.dimension))
        centres[1] = self.shared * centres[0] + np.sqrt(1 - self.shared**2) * centres[1]
        (vectors, probes), (items, gallery) = (self._side(centre, random) for centre in centres)
        ranks = mate_ranks(vectors, items, probes, gallery)
        ranking = ScoredRanking(
            ranks=ranks, probes=probes, missing=np.zeros(0, int), identities=self.names(),
            crowds=lambda rows, units: crowds(vectors, items, probes, gallery, rows, units),
        )  # fmt: skip
        return with_means(ranking_values, ranking, ranks, "ranking", seed, random, ("mAP", "R@1"))

    def _side(self, centres: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        identities = np.repeat(np.arange(self.people.count), self.people.sizes(random))
        rows = centres[identities] + self.noise * random.normal(size=(len(identities), self.dimension))
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), identities


def per_trial(trials: int, random: np.random.Generator) -> np.ndarray:
    """(r, t) how often each trial is drawn in the ordinary bootstrap."""
    return random.multinomial(trials, np.full(trials, 1 / trials), size=PER_TRIAL).astype(float)


def with_means(values, scored, measured, family, seed, random, names=()) -> dict[str, tuple[Estimate, np.ndarray]]:  # noqa: D103
    measures = chosen(names, family)
    estimates = values(scored, measures, Resampling(seed=seed))
    found = {}
    for each in measures:
        by_trial = each.figure()(measured)
        drawn = per_trial(len(by_trial), random)
        found[str(each)] = estimates[str(each)], drawn @ by_trial / len(by_trial)
    return found


MAIN = {"probe": 0.7, "item": 0.7, "pair": 0.5}
PAIRS = {"probe": 0.3, "item": 0.3, "pair": 1.0}
EVEN = People(count=100, least=12, most=12, **MAIN)
UNEVEN = People(count=100, least=3, most=300, **MAIN)
UNEVEN_PAIRS = People(count=100, least=3, most=300, **PAIRS)
MANY = People(count=190, least=12, most=12, **MAIN)
MANY_UNEVEN = People(count=190, least=3, most=100, **MAIN)
FEW = People(count=24, least=48, most=48, **MAIN)
DESIGNS = (
    Verification(name="verification: 100, 12", people=EVEN, mated=2),
    Verification(name="verification: 100, 3 to 300", people=UNEVEN, mated=2),
    Verification(name="verification: 190, 3 to 100", people=MANY_UNEVEN, mated=2),
    Verification(name="verification: 100, 3 to 300, effects of pairs", people=UNEVEN_PAIRS, mated=2),
    Matching(name="matching 1:2: 100, 12", people=EVEN, mated=1.5),
    Matching(name="matching 1:2: 100, 3 to 300", people=UNEVEN, mated=1.5),
    Matching(name="matching 1:2: 24, 48", people=FEW, mated=1.5),
    Matching(name="matching 1:10: 190, 12", people=MANY, mated=2, candidates=10),
    Matching(name="matching 1:10: 100, 3 to 300", people=UNEVEN, mated=2, candidates=10),
    Matching(name="matching 1:10: 100, 3 to 300, effects of pairs", people=UNEVEN_PAIRS, mated=2, candidates=10),
    Retrieval(name="retrieval: 100, 2 to 30 items", people=People(count=100, least=2, most=30)),
    Retrieval(name="retrieval: 100, 6 items, unlike", people=People(count=100, least=6, most=6), noise=1, shared=0.6),
    Retrieval(name="retrieval: 190, 4 items", people=People(count=190, least=4, most=4), dimension=32, noise=2.5),
)


def intervals(design: Design, seed: int) -> dict[str, tuple[float, ...]]:
    """Name of the measure -> the figure, our low and high, the ordinary bootstrap's low and high."""
    return {
        name: (estimate.value, *estimate.interval(), *np.percentile(by_trial, [2.5, 97.5]))
        for name, (estimate, by_trial) in design.measured(seed).items()
    }


def coverage(found: list[tuple[float, ...]]) -> dict[str, float]:
    """What many corpora say of one figure."""
    values, low, high, low_trial, high_trial = np.array(found).T
    truth = values.mean()
    return {
        "truth": truth,
        "ours": np.mean((low <= truth) & (truth <= high)),
        "below": np.mean(truth < low),
        "above": np.mean(truth > high),
        "per trial": np.mean((low_trial <= truth) & (truth <= high_trial)),
        "width": np.mean(high - low),
        "needed": 2 * 1.96 * values.std(),
        "width per trial": np.mean(high_trial - low_trial),
    }


def row(design: Design, measure: str, found: dict[str, float]) -> str:
    """One line of the table."""
    cells = [
        design.name, measure, f"{100 * found['truth']:.1f}", f"**{100 * found['ours']:.1f}**",
        f"{100 * found['below']:.1f} / {100 * found['above']:.1f}", f"{100 * found['per trial']:.1f}",
        f"{100 * found['width']:.2f}", f"{100 * found['needed']:.2f}", f"{100 * found['width per trial']:.2f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


HEAD = """\
| people, probes of each | measure | truth % | coverage % | truth below / above % | per-trial bootstrap % | mean width | 3.92 sd of the figure | width per trial |
|---|---|---:|---:|---:|---:|---:|---:|---:|"""  # noqa: E501


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=int, default=500, help="of each design")
    parser.add_argument("--designs", nargs="*", default=[""], help="only those whose name has one of these words")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    print(HEAD)
    with ProcessPoolExecutor(asked.processes) as pool:
        for design in (each for each in DESIGNS if any(word in each.name for word in asked.designs)):
            start = time.time()
            found = list(pool.map(intervals, [design] * asked.corpora, range(asked.corpora), chunksize=4))
            for measure in found[0]:
                print(row(design, measure, coverage([each[measure] for each in found])), flush=True)
            print(f"{design.name}: {time.time() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
