import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from verification_lists import points_of, random_trials

from vfsearch.measure.equal_error import equal_error_rate
from vfsearch.measure.verification import auc, fmr_at_score, fnmr_at_fmr, fnmr_at_score, tar_at_far


def figures(scores, mated, weights=None):
    points = points_of(scores, mated, weights)
    return auc(points), equal_error_rate(points)


def test_auc_equals_that_of_scikit_learn():
    for seed in range(200):
        scores, mated = random_trials(seed)
        if mated.any() and not mated.all():
            ranks = np.unique(scores, return_inverse=True)[1]
            assert auc(points_of(scores, mated)) == pytest.approx(roc_auc_score(mated, ranks), abs=1e-12), seed


@pytest.mark.parametrize(
    ("mated", "other", "area", "error"),
    [
        ([3, 2], [1, 0], 1.0, 0.0),
        ([1, 0], [3, 2], 0.0, 1.0),
        ([1, 1], [1, 1, 1], 0.5, 0.5),
        # Points (FMR, TMR): (0, 1/2), (1/2, 1/2): FNMR = 1/2 is met exactly.
        ([4, 1], [2, 0], 0.75, 0.5),
        # (0, 2/3), (1/2, 2/3): the gap goes from -1/3 to 1/6, so the rate is 1/3.
        ([9, 8, 1], [5, 0], 5 / 6, 1 / 3),
        # One block of both kinds: from (0, 0) to (1/2, 1), the gap goes from -1 to 1/2: FMR 1/3.
        ([2, 2], [2, 0], 0.75, 1 / 3),
        ([3, -np.inf], [-np.inf, -np.inf], 0.75, 1 / 3),
    ],
    ids=["apart", "reversed", "all tied", "on a point", "on a step", "within a tie", "missing probes"],
)
def test_golden(mated, other, area, error):
    labels = np.arange(len(mated) + len(other)) < len(mated)
    assert figures([*mated, *other], labels) == pytest.approx((area, error), abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "mated", "weights"),
    [([], [], None), ([1, 2], [True, True], None), ([1, 2], [False, False], None), ([1, 2], [True, False], [0.0, 1.0])],
    ids=["empty", "all mated", "none mated", "no weight on the mated"],
)
def test_one_kind_missing_gives_no_figure(scores, mated, weights):
    assert np.isnan(figures(scores, mated, weights and np.array(weights))).all()


def test_tar_at_far_is_an_operating_point_and_not_between_two():
    # (FMR, TMR): (0, 1/2), (1/2, 1/2), (1/2, 1), (1, 1).
    points = points_of([4, 3, 2, 1], [True, False, True, False])
    assert [tar_at_far(points, rate) for rate in (0.001, 0.25, 0.499, 0.5, 0.75)] == [0.5, 0.5, 0.5, 1.0, 1.0]
    assert [fnmr_at_fmr(points, rate) for rate in (0.25, 0.5)] == [0.5, 0.0]


def test_a_tie_with_an_other_is_not_accepted_below_its_rate():
    assert tar_at_far(points_of([1, 1, 0, 0], [True, False, True, False]), 0.4) == 0.0


@pytest.mark.parametrize("threshold", [-0.5, 0.0, 0.7, 2.0])
def test_counted_missing_sides_make_the_error_rates_of_transactions(threshold):
    """FRR = FTA + FNMR (1 - FTA) and FAR = FMR (1 - FTA), FTA the share of trials with a missing side."""
    random = np.random.default_rng(3)
    mated, scores = np.arange(400) % 2 == 0, random.normal(size=400)
    acquired = np.arange(400) % 8 >= 2  # a quarter of either kind is missing
    counted = points_of(np.where(acquired, scores, -np.inf), mated)
    compared = points_of(scores[acquired], mated[acquired])
    fta = 0.25
    frr, far = fnmr_at_score(counted, threshold), fmr_at_score(counted, threshold)
    assert frr == pytest.approx(fta + fnmr_at_score(compared, threshold) * (1 - fta), abs=1e-12)
    assert far == pytest.approx(fmr_at_score(compared, threshold) * (1 - fta), abs=1e-12)
