import numpy as np
import pytest

from vfsearch.data.neighbors import Neighbors
from vfsearch.index.targets import Target
from vfsearch.pipeline.task_figures import mates_of, task_figure

RANDOM = np.random.default_rng(4)
GALLERY, PROBES = RANDOM.integers(0, 12, 80), RANDOM.integers(0, 14, 30)
FOUND = np.argsort(RANDOM.random((30, 80)), axis=1)[:, :10]
FOUND[3, 6:] = -1
FOUND[5, :] = -1
SCORES = np.where(FOUND >= 0, np.arange(10, 0, -1.0), -np.inf)


def figure(measure: str, k: int) -> np.ndarray:
    target = Target(measure=measure, k=k, least=0.5)
    mates = mates_of(GALLERY, PROBES, None)
    return task_figure(target, GALLERY, PROBES, mates)(Neighbors(rows=FOUND, scores=SCORES))


def of_a_list(rows, person: int, measure: str) -> float:
    """One probe, by the definition."""
    mates = int(np.equal(GALLERY, person).sum())
    if not mates:
        return float("nan")
    hits = [row >= 0 and GALLERY[row] == person for row in rows]
    if measure == "acc":
        return float(any(hits))
    return sum(sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit) / mates


@pytest.mark.parametrize("measure", ["mAP", "acc"])
@pytest.mark.parametrize("k", [1, 4, 10])
def test_figures_of_lists_are_those_of_a_plain_loop(measure, k):
    wanted = [of_a_list(rows[:k], person, measure) for rows, person in zip(FOUND, PROBES, strict=True)]
    assert figure(measure, k) == pytest.approx(np.array(wanted), nan_ok=True, abs=1e-12)
    assert np.isnan(wanted).any()


def test_a_probe_is_no_mate_of_its_own():
    gallery, probes = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert mates_of(gallery, probes, None).tolist() == [2, 1, 2]
    assert mates_of(gallery, probes, np.array([0, 2, -1])).tolist() == [1, 0, 2]
