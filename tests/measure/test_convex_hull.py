import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from verification_lists import points_of, random_trials

from vfsearch.measure import convex_hull
from vfsearch.measure.convex_hull import hull, hull_places


def plain_hull(mated, other):
    """Points that no line between two others passes above or through."""
    points = sorted(set(zip(other.tolist(), mated.tolist(), strict=True)))
    inner = {
        b
        for i, a in enumerate(points)
        for j, b in enumerate(points[i + 1 :], i + 1)
        for c in points[j + 1 :]
        if (b[0] - a[0]) * (c[1] - a[1]) >= (c[0] - a[0]) * (b[1] - a[1])
    }
    return [point for point in points if point not in inner]


@pytest.mark.parametrize("passes", [64, 0], ids=["passes", "chain"])
def test_corners_are_those_of_a_plain_search(monkeypatch, passes):
    monkeypatch.setattr(convex_hull, "_PASSES", passes)
    for seed in range(60):
        scores, mated = random_trials(seed, most=30)
        weights = np.random.default_rng(seed).integers(0, 3, len(scores)).astype(float)
        points = points_of(scores, mated, weights)
        places = hull_places(points.mated, points.other)
        found = list(zip(points.other[places].tolist(), points.mated[places].tolist(), strict=True))
        assert found == plain_hull(points.mated, points.other), seed


def test_edges_are_the_blocks_of_isotonic_regression():
    for seed in range(100):
        scores, mated = random_trials(seed)
        if mated.all() or not mated.any():
            continue
        ranks = np.unique(scores, return_inverse=True)[1].astype(float)
        fitted = IsotonicRegression().fit_transform(ranks, mated.astype(float)).round(9)
        assert len(np.unique(fitted)) == len(hull(points_of(scores, mated)).fmr) - 1, seed


def test_a_curve_that_gives_up_its_points_one_by_one():
    # Each point is below the line of its neighbours only when those after it have gone.
    other = np.arange(300.0)
    mated = np.concatenate([other[:-1] ** 2, [299.0**2 * 2]])
    assert hull_places(mated, other).tolist() == [0, 299]


def test_nothing_at_all_is_its_own_hull():
    assert hull_places(np.zeros(1), np.zeros(1)).tolist() == [0]
