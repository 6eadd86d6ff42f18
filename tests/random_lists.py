"""Random ranked lists with ties, and every ranking measure as a plain loop over one order of a list."""

import math
from dataclasses import dataclass
from itertools import groupby, permutations, product

import numpy as np

from vfsearch.data.ranks import MateRanks, mate_ranks_of_lists
from vfsearch.measure.kind import Measure
from vfsearch.measure.ranking_kinds import RANKING_KINDS


@dataclass(frozen=True, kw_only=True, eq=False)
class Lists:
    """Scored candidates of some probes, shuffled among each other.

    Args:
        probes, items, scores, relevant: (t,) probe, name's number, score, and whether it is a mate.
        mates: (q,) mates of each probe, retrieved or not.
        unseen: of each probe, names of mates that were not retrieved.
    """

    probes: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    relevant: np.ndarray
    mates: np.ndarray
    unseen: list[list[str]]

    def ranks(self, scores: np.ndarray | None = None) -> MateRanks:
        return mate_ranks_of_lists(self.probes, self.scores if scores is None else scores, self.relevant, self.mates)

    def of(self, probe: int) -> tuple[list[float], list[bool]]:
        """Scores and labels of one list."""
        rows = self.probes == probe
        return self.scores[rows].tolist(), self.relevant[rows].tolist()

    def run(self, scores: np.ndarray | None = None) -> dict[str, dict[str, float]]:
        """As TREC tools take it; a probe without candidates is not in it."""
        run: dict[str, dict[str, float]] = {}
        for probe, item, score in zip(self.probes, self.items, self.scores if scores is None else scores, strict=True):
            run.setdefault(f"q{probe}", {})[NAMES[item]] = float(score)
        return run

    def qrels(self) -> dict[str, dict[str, int]]:
        """As TREC tools take it; a probe without mates has grades of 0 alone."""
        qrels: dict[str, dict[str, int]] = {}
        for probe, item, relevant in zip(self.probes, self.items, self.relevant, strict=True):
            qrels.setdefault(f"q{probe}", {})[NAMES[item]] = int(relevant)
        for probe, names in enumerate(self.unseen):
            for name in names:
                qrels.setdefault(f"q{probe}", {})[name] = 1
        return qrels


NAMES = ["zoë", "b", "a/1", "a", "Ω", "B", "10", "9", "ab", "Z", "y", "x", "w", "v"]


def random_lists(seed: int, count: int, longest: int = 6, levels: int = 3, partly: bool = True) -> Lists:
    """Lists of 0 to `longest` candidates, scores of few levels (0: all different), some probes without mates."""
    random = np.random.default_rng(seed)
    lengths = random.integers(0 if partly else 1, longest + 1, count)
    probes = np.repeat(np.arange(count), lengths)
    items = np.concatenate([random.permutation(len(NAMES))[:length] for length in lengths]).astype(np.int64)
    scores = random.integers(0, levels, len(probes)) / 4 if levels else random.permutation(len(probes)) / 1024
    relevant = random.random(len(probes)) < random.choice([0.0, 0.3, 0.7, 1.0], count)[probes]
    extra = random.integers(0, 4, count) * (random.random(count) < 0.4) * partly
    mates = np.bincount(probes[relevant], minlength=count) + extra
    shuffled = random.permutation(len(probes))
    return Lists(
        probes=probes[shuffled], items=items[shuffled], scores=scores[shuffled].astype(float),
        relevant=relevant[shuffled], mates=mates, unseen=[[f"unseen{i}" for i in range(n)] for n in extra],
    )  # fmt: skip


def orders(scores: list[float], relevant: list[bool]):
    """Every order of a list that agrees with its scores, best first, as rows of "is a mate"."""
    best_first = sorted(zip(scores, relevant, strict=True), key=lambda each: -each[0])
    blocks = [[mate for _, mate in block] for _, block in groupby(best_first, key=lambda each: each[0])]
    for parts in product(*(permutations(block) for block in blocks)):
        yield [mate for part in parts for mate in part]


def average_precision(order, mates):
    return math.fsum(sum(order[: i + 1]) / (i + 1) for i, mate in enumerate(order) if mate) / mates


def reciprocal_rank(order, mates):
    return 1 / (order.index(True) + 1) if any(order) else 0.0


def best_rank(order, mates):
    return order.index(True) + 1 if any(order) else math.inf


def dcg(order):
    return math.fsum(1 / math.log2(i + 2) for i, mate in enumerate(order) if mate)


PLAIN = {
    "mAP": average_precision,
    "MRR": reciprocal_rank,
    "MedR": best_rank,
    "R-precision": lambda order, mates: sum(order[:mates]) / mates,
    **{f"R@{k}": lambda order, mates, k=k: float(any(order[:k])) for k in (1, 2, 5, 100)},
    **{f"recall@{k}": lambda order, mates, k=k: sum(order[:k]) / mates for k in (1, 2, 5, 100)},
    **{f"P@{k}": lambda order, mates, k=k: sum(order[:k]) / k for k in (1, 2, 5, 100)},
    **{f"nDCG@{k}": lambda order, mates, k=k: dcg(order[:k]) / dcg([True] * min(k, mates)) for k in (1, 2, 5, 100)},
}
"""Measure -> figure of one order of a list, given how many mates its probe has."""


def plain(name: str, lists: Lists) -> np.ndarray:
    """(q,) the mean of a measure over every order of ties; NaN for a probe without mates."""
    return np.array([_of_probe(name, lists, probe) for probe in range(len(lists.mates))])


def _of_probe(name: str, lists: Lists, probe: int) -> float:
    mates = int(lists.mates[probe])
    if not mates:
        return math.nan
    values = [PLAIN[name](order, mates) for order in orders(*lists.of(probe))]
    return math.inf if math.inf in values else math.fsum(values) / len(values)


def ranking_measure(name: str) -> Measure:
    return next(found for kind in RANKING_KINDS if (found := kind.parse(name)))


def figure(name: str, ranks: MateRanks) -> np.ndarray:
    return ranking_measure(name).figure()(ranks)
