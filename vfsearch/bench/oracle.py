"""What the answers of a sample of probes are: float64 scores and whole sorts, no kernel."""

from functools import cached_property

import numpy as np

from vfsearch.bench.contender import Agreement
from vfsearch.bench.problem import Problem
from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.ranks import MateRanks
from vfsearch.kernels.exact import grid, score_block

MOST_PROBES, LEAST_PROBES, MOST_SCORES = 16, 2, 2**25
ROWS_AT_ONCE = 2**15
PAIRS = 2000


class Oracle:
    """The right answers of some probes, spread evenly over all of them.

    Args:
        problem: what is asked.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        count = max(LEAST_PROBES, min(MOST_PROBES, MOST_SCORES // problem.task.rows))
        self.probes = np.unique(np.linspace(0, problem.task.probes - 1, count).astype(np.int64))
        self.pairs = np.unique(np.linspace(0, max(0, len(problem.rows) - 1), PAIRS).astype(np.int64))

    @cached_property
    def scores(self) -> np.ndarray:
        """(s, n) float64."""
        queries, vectors = self.problem.queries[self.probes], self.problem.vectors
        of = _products if self.problem.metric == "ip" else _minus_squared_distances
        parts = [of(queries, vectors[first : first + ROWS_AT_ONCE]) for first in range(0, len(vectors), ROWS_AT_ONCE)]
        return np.concatenate(parts, axis=1)

    @cached_property
    def best(self) -> tuple[np.ndarray, np.ndarray]:
        """(s, k) rows and scores, padded as Neighbors are."""
        k = self.problem.task.k
        rows, scores = np.full((len(self.probes), k), NO_ROW), np.full((len(self.probes), k), -np.inf)
        for place, own in enumerate(self.scores):
            order = np.argsort(-own, kind="stable")[:k]
            rows[place, : len(order)], scores[place, : len(order)] = order, own[order]
        return rows, scores

    def of_neighbors(self, probes: np.ndarray, rows: np.ndarray, scores: np.ndarray) -> Agreement:
        """How near neighbours are.

        Args:
            probes: (m,) ascending; those of the oracle are among them.
            rows, scores: (m, at most k).
        """
        chosen = np.searchsorted(probes, self.probes)
        width = rows.shape[1]
        right_rows, right_scores = (each[:, :width] for each in self.best)
        found_rows, found_scores = rows[chosen], scores[chosen]
        same, there = found_rows == right_rows, np.isfinite(right_scores)
        differences = np.abs(found_scores[there] - right_scores[there])
        return Agreement(
            exact=width == self.problem.task.k and bool(same.all()) and np.array_equal(found_scores, right_scores),
            same=float(same.mean()),
            error=float(differences.max(initial=0)),
        )

    def of_ranks(self, ranks: MateRanks) -> Agreement:
        """Whether all that is said of the oracle's probes is right."""
        columns = np.stack([ranks.above, ranks.tied, ranks.mates_above, ranks.mates_tied], axis=1)
        found = [columns[ranks.probe == probe] for probe in self.probes]
        right = [_blocks(scores, mates) for scores, mates in zip(self.scores, self._mates, strict=True)]
        mates = np.array([each.sum() for each in self._mates])
        exact = all(map(np.array_equal, found, right)) and np.array_equal(ranks.mates[self.probes], mates)
        equal = [len(a) if np.array_equal(a, b) else 0 for a, b in zip(right, found, strict=True)]
        return Agreement(exact=exact, same=sum(equal) / max(1, sum(map(len, right))))

    def of_places(self, probes: np.ndarray, places: list[np.ndarray]) -> Agreement:
        """How many mates stand at their place when the gallery is sorted.

        Args:
            probes: (m,) ascending; those of the oracle are among them.
            places: of each probe, those of its mates, ascending, from 0.
        """
        right = [
            np.flatnonzero(mates[np.argsort(-scores, kind="stable")])
            for scores, mates in zip(self.scores, self._mates, strict=True)
        ]
        same = np.concatenate([
            places[number] == each for number, each in zip(np.searchsorted(probes, self.probes), right, strict=True)
        ])  # fmt: skip
        return Agreement(exact=bool(same.all()), same=float(same.mean()) if len(same) else 1.0)

    def of_pair_scores(self, scores: np.ndarray) -> Agreement:
        """How near the scores of pairs are."""
        problem = self.problem
        left, right = problem.query_rows[self.pairs], problem.rows[self.pairs]
        exact = (grid(problem.queries[left]) * grid(problem.vectors[right])).sum(dim=1).numpy()
        found = scores[self.pairs]
        return Agreement(exact=np.array_equal(found, exact), error=float(np.abs(found - exact).max()))

    @cached_property
    def _mates(self) -> np.ndarray:
        """(s, n) bool."""
        return self.problem.query_identities[self.probes][:, None] == self.problem.identities


def _products(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return score_block(grid(queries), grid(vectors)).numpy()


def _minus_squared_distances(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    left, right = queries.T.astype(np.float64), vectors.T.astype(np.float64)
    total = np.zeros((len(queries), len(vectors)))
    for ours, theirs in zip(left, right, strict=True):
        total += (ours[:, None] - theirs) ** 2
    return -total


def _blocks(scores: np.ndarray, mates: np.ndarray) -> np.ndarray:
    """(m, 4) above, tied, mates above, mates tied of each distinct score of a mate, best first."""
    everyone, own = np.sort(scores), np.sort(scores[mates])
    values = np.unique(own)[::-1]
    columns = []
    for ascending in (everyone, own):
        above = len(ascending) - np.searchsorted(ascending, values, side="right")
        columns += [above, len(ascending) - np.searchsorted(ascending, values, side="left") - above]
    return np.stack(columns, axis=1)
