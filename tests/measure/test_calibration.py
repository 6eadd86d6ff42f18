import numpy as np
import pytest
from plain_verification import bits
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss
from verification_lists import points_of, random_trials

from vfsearch.measure.calibration import cllr, min_cllr


def test_cllr_is_the_log_loss_at_even_odds():
    random = np.random.default_rng(1)
    mated = np.arange(90) % 3 == 0
    scores = random.normal(size=90)
    weights = np.where(mated, 1 / 30, 1 / 60)
    loss = log_loss(mated, 1 / (1 + np.exp(-scores)), sample_weight=weights) / np.log(2)
    assert cllr(points_of(scores, mated)) == pytest.approx(loss, abs=1e-12)


def test_min_cllr_is_that_of_isotonic_regression():
    for seed in range(200):
        scores, mated = random_trials(seed)
        if mated.all() or not mated.any():
            continue
        ranks = np.unique(scores, return_inverse=True)[1].astype(float)
        weights = np.where(mated, 1 / mated.sum(), 1 / (~mated).sum())
        posterior = IsotonicRegression().fit_transform(ranks, mated.astype(float), sample_weight=weights)
        right = np.where(mated, posterior, 1 - posterior)
        wanted = -np.sum(weights * np.log2(np.maximum(right, 1e-300))) / 2
        assert min_cllr(points_of(scores, mated)) == pytest.approx(wanted, abs=1e-9), seed


def test_calibration_never_costs():
    for seed in range(100):
        points = points_of(*random_trials(seed))
        if points.defined:
            assert min_cllr(points) <= cllr(points) + 1e-12
            assert 0.0 <= min_cllr(points) <= 1.0 + 1e-12


@pytest.mark.parametrize(
    ("scores", "mated", "wanted"),
    [
        ([2.0, -1.0], [True, False], (bits(2.0) + bits(1.0)) / 2),
        ([800.0, -800.0], [True, False], 0.0),
        ([-800.0, 800.0], [True, False], 800 / np.log(2)),
        ([-np.inf, 0.0], [True, False], np.inf),
        ([0.0, -np.inf], [True, False], 0.5),
    ],
    ids=["plain", "sure", "surely wrong", "missing mate", "missing other"],
)
def test_cllr_golden(scores, mated, wanted):
    assert cllr(points_of(scores, mated)) == pytest.approx(wanted)


def test_a_missing_mate_costs_the_calibrated_scores_no_more_than_a_bad_one():
    points = points_of([-np.inf, 5.0, 0.0], [True, True, False])
    # Half of the mated stand alone below the other, which is the worst order: pooled with it.
    assert min_cllr(points) == pytest.approx((0.5 * bits(np.log(0.5)) + bits(-np.log(0.5))) / 2)
