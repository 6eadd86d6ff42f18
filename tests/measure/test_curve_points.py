import numpy as np
import pytest
from scipy.stats import norm
from verification_lists import points_of, random_trials

from vfsearch.errors import SettingsError
from vfsearch.measure.curve_points import det_points, roc_points


def test_every_row_is_an_operating_point_and_the_ends_are_there():
    for seed in range(60):
        points = points_of(*random_trials(seed))
        if not points.defined:
            continue
        rows = roc_points(points, 10)
        known = set(zip(points.thresholds.tolist(), points.fmr.tolist(), points.tmr.tolist(), strict=True))
        assert {tuple(row) for row in rows.tolist()} <= known and len(rows) <= 10
        assert rows[0].tolist() == [np.inf, 0.0, 0.0] and rows[-1, 1:].tolist() == [1.0, 1.0]


def test_a_curve_with_fewer_corners_is_kept_whole_and_encloses_the_same_area():
    for seed in range(60):
        points = points_of(*random_trials(seed))
        if points.defined:
            rows = roc_points(points, 1000)
            assert np.trapezoid(rows[:, 2], rows[:, 1]) == pytest.approx(np.trapezoid(points.tmr, points.fmr))


def test_probits_are_those_of_the_rates():
    mated = np.arange(3000) % 2 == 0
    rows = det_points(points_of(np.random.default_rng(1).normal(size=3000) + mated, mated), 200)
    assert 100 < len(rows) <= 200
    assert rows[:, 3:] == pytest.approx(norm.ppf(rows[:, 1:3]), abs=1e-9)
    assert rows[0, 3] == -np.inf and rows[0, 4] == np.inf


def test_thinned_points_are_spread_along_the_drawn_curve():
    mated = np.arange(20_000) % 2 == 0
    rows = det_points(points_of(np.random.default_rng(1).normal(size=20_000) + mated, mated), 100)
    finite = rows[np.isfinite(rows[:, 3:]).all(axis=1), 3:]
    steps = np.abs(np.diff(finite, axis=0)).sum(axis=1)
    assert steps.max() < 0.5  # of about 14 from end to end


@pytest.mark.parametrize("scores", [[], [1.0, 2.0]], ids=["no trial", "one kind alone"])
def test_without_both_kinds_there_are_no_rates(scores):
    rows = det_points(points_of(scores, [True] * len(scores)))
    assert np.isnan(rows[:, 1]).all()


def test_one_point_is_no_curve():
    with pytest.raises(SettingsError, match="at least 2 points, got 1"):
        roc_points(points_of([1.0, 2.0, 3.0], [True, False, True]), 1)
