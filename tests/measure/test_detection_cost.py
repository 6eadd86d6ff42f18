import numpy as np
import pytest
from verification_lists import points_of

from vfsearch.measure.detection_cost import act_dcf, bayes_threshold, min_dcf

POINTS = points_of([3.0, 1.0, -1.0, 2.0, -2.0, -3.0], [True, True, True, False, False, False])


@pytest.mark.parametrize(
    ("prior", "wanted"),
    [
        (0.5, 1 / 3),  # accept down to -1: FMR 1/3, FNMR 0
        (0.01, 2 / 3),  # accept 3 alone: FMR 0, FNMR 2/3
        (0.99, 1 / 3),  # accept down to -1: FMR 1/3, FNMR 0
    ],
)
def test_min_dcf_golden(prior, wanted):
    # (FMR, FNMR): (0, 1), (0, 2/3), (1/3, 2/3), (1/3, 1/3), (1/3, 0), (2/3, 0), (1, 0).
    assert min_dcf(POINTS, prior) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("prior", "wanted"),
    [
        (0.5, 1 / 3 + 1 / 3),  # from 0 on: FMR 1/3, FNMR 1/3
        (0.01, 1.0),  # from 4.6 on: nothing
        (0.9, (0.9 * 0 + 0.1 * 2 / 3) / 0.1),  # from -2.2 on: FMR 2/3, FNMR 0
    ],
)
def test_act_dcf_golden(prior, wanted):
    assert act_dcf(POINTS, prior) == pytest.approx(wanted)


@pytest.mark.parametrize("prior", [0.001, 0.3, 0.5, 0.95])
def test_the_best_threshold_is_no_worse_than_the_one_for_likelihood_ratios_nor_than_no_decision(prior):
    random = np.random.default_rng(5)
    mated = np.arange(500) % 2 == 0
    for scale in (0.1, 1.0, 5.0):
        points = points_of(scale * (random.normal(size=500) + mated), mated)
        assert 0.0 <= min_dcf(points, prior) <= min(act_dcf(points, prior), 1.0) + 1e-12


def test_calibrated_scores_decide_almost_best():
    random = np.random.default_rng(6)
    mated = np.arange(40_000) % 2 == 0
    # For unit normals two apart, 2 x is the log-likelihood ratio when x is measured from the middle.
    points = points_of(2.0 * (random.normal(size=40_000) + np.where(mated, 1.0, -1.0)), mated)
    assert act_dcf(points, 0.2) == pytest.approx(min_dcf(points, 0.2), abs=0.01)


def test_the_bayes_threshold_falls_with_the_prior():
    assert bayes_threshold(0.01) == pytest.approx(4.59512, abs=1e-5) and bayes_threshold(0.99) < 0
