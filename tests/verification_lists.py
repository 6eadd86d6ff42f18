"""Random verification trials for tests, and measures by name."""

import numpy as np

from vfsearch.data.scored import ScoredPairs
from vfsearch.measure.kind import Measure
from vfsearch.measure.operating_points import OperatingPoints, ScoredTrials
from vfsearch.measure.verification_kinds import VERIFICATION_KINDS

GRIDS = {
    "all different": lambda random, n: random.normal(size=n),
    "few values": lambda random, n: random.integers(-2, 3, n).astype(float),
    "ties and repeats": lambda random, n: random.normal(size=n).round(1),
    "all the same": lambda random, n: np.zeros(n),
}


def random_trials(seed: int, most: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Scores and labels of a random list: ties, missing sides, one kind alone, better or worse than chance."""
    random = np.random.default_rng(seed)
    n = int(random.integers(1, most))
    mated = random.random(n) < random.choice([0.1, 0.5, 0.9])
    scores = list(GRIDS.values())[seed % len(GRIDS)](random, n) + mated * random.choice([0.0, 1.0, 3.0, -1.0])
    scores[random.random(n) < random.choice([0.0, 0.2])] = -np.inf
    return scores, mated


def points_of(scores, mated, weights=None) -> OperatingPoints:
    return ScoredTrials(np.asarray(scores, float), np.asarray(mated, bool)).operating_points(weights)


def random_pairs(seed: int, most: int = 60, people: int = 6) -> ScoredPairs:
    """A random list with the identities of both sides; a few non-mated trials are of one identity."""
    scores, mated = random_trials(seed, most)
    random = np.random.default_rng([seed, 1])
    probes = random.integers(0, people, len(scores))
    items = np.where(mated, probes, random.integers(0, people, len(scores)))
    names = [f"person {number}" for number in range(people)]
    return ScoredPairs(scores=scores, mated=mated, probes=probes, items=items, identities=names)


def measure(name: str) -> Measure:
    return next(found for kind in VERIFICATION_KINDS if (found := kind.parse(name)))
