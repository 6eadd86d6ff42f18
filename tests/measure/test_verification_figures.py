import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from vfsearch.measure.verification import ScoredTrials, auc, equal_error_rate

TRIALS = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=40)


def figures(scores, mated, weights=None):
    points = ScoredTrials(np.asarray(scores, float), np.asarray(mated, bool)).operating_points(weights)
    return auc(*points), equal_error_rate(*points)


def unzip(trials):
    scores, mated = zip(*trials, strict=True)
    assume(any(mated) and not all(mated))
    return np.array(scores, float), np.array(mated)


@settings(deadline=None, max_examples=60)
@given(TRIALS)
def test_auc_equals_that_of_scikit_learn_and_the_share_of_pairs(trials):
    scores, mated = unzip(trials)
    found, _ = figures(scores, mated)
    gaps = scores[mated][:, None] - scores[~mated][None, :]
    assert found == pytest.approx(np.mean((gaps > 0) + 0.5 * (gaps == 0)), abs=1e-12)
    assert found == pytest.approx(roc_auc_score(mated, scores), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(TRIALS, st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_weights_are_repetitions(trials, counts):
    scores, mated = unzip(trials)
    counts = np.array(counts[: len(scores)])
    assume(counts[mated].sum() and counts[~mated].sum())
    weighted = figures(scores, mated, counts.astype(float))
    assert weighted == pytest.approx(figures(np.repeat(scores, counts), np.repeat(mated, counts)), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(TRIALS, st.integers(-3, 3), st.randoms())
def test_shifted_scores_and_the_order_of_trials_change_nothing(trials, shift, random):
    scores, mated = unzip(trials)
    order = list(range(len(scores)))
    random.shuffle(order)
    assert figures(3 * scores[order] + shift, mated[order]) == figures(scores, mated)


@settings(deadline=None, max_examples=60)
@given(TRIALS)
def test_both_are_symmetric(trials):
    scores, mated = unzip(trials)
    area, error = figures(scores, mated)
    assert figures(-scores, ~mated) == pytest.approx((area, error), abs=1e-12)
    assert figures(-scores, mated) == pytest.approx((1 - area, 1 - error), abs=1e-12)


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


def test_operating_points_rise_from_accept_none_to_accept_all():
    scores = np.random.default_rng(1).integers(0, 30, 200).astype(float)
    fmr, tmr = ScoredTrials(scores, np.arange(200) % 3 == 0).operating_points()
    for rate in (fmr, tmr):
        assert (rate[0], rate[-1]) == (0.0, pytest.approx(1.0)) and (np.diff(rate) >= 0).all()
    assert len(fmr) == 31


@pytest.mark.parametrize(
    ("scores", "mated", "weights"),
    [([], [], None), ([1, 2], [True, True], None), ([1, 2], [False, False], None), ([1, 2], [True, False], [0.0, 1.0])],
    ids=["empty", "all mated", "none mated", "no weight on the mated"],
)
def test_one_kind_missing_gives_no_figure(scores, mated, weights):
    assert np.isnan(figures(scores, mated, weights and np.array(weights))).all()
