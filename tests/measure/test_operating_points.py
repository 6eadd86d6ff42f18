import numpy as np
import pytest
from plain_verification import FIGURES
from sklearn.metrics import det_curve, roc_curve
from verification_lists import measure, points_of, random_trials

from vfsearch.errors import InputError, SettingsError
from vfsearch.measure.operating_points import OperatingPoints, ScoredTrials


def test_the_points_are_those_of_scikit_learn():
    for seed in range(200):
        scores, mated = random_trials(seed)
        scores = np.unique(scores, return_inverse=True)[1].astype(float)
        if mated.all() or not mated.any():
            continue
        points = points_of(scores, mated)
        fmr, tmr, thresholds = roc_curve(mated, scores, drop_intermediate=False)
        for ours, theirs in ((points.fmr, fmr), (points.tmr, tmr), (points.thresholds, thresholds)):
            assert ours == pytest.approx(theirs, abs=1e-12)
        assert points.thresholds[points.corner_places()] == pytest.approx(roc_curve(mated, scores)[2])
        fmr, fnmr, thresholds = det_curve(mated, scores, drop_intermediate=False)
        places = [points.at_score(threshold) for threshold in thresholds]
        assert points.fmr[places] == pytest.approx(fmr, abs=1e-12)
        assert points.fnmr[places] == pytest.approx(fnmr, abs=1e-12)


def test_points_rise_from_accept_none_to_accept_all():
    points = points_of(np.random.default_rng(1).integers(0, 30, 200), np.arange(200) % 3 == 0)
    assert points.thresholds[0] == np.inf and (np.diff(points.thresholds) < 0).all() and len(points.thresholds) == 31
    for rates in (points.fmr, points.tmr, 1 - points.fnmr):
        assert (rates[0], rates[-1]) == (0.0, pytest.approx(1.0)) and (np.diff(rates) >= 0).all()


def test_weights_are_repetitions():
    for seed in range(100):
        scores, mated = random_trials(seed)
        weights = np.random.default_rng(seed).integers(0, 4, len(scores))
        weighted = points_of(scores, mated, weights.astype(float))
        repeated = points_of(np.repeat(scores, weights), np.repeat(mated, weights))
        for name in set(FIGURES) - {"EER(nearest-max)"}:  # its corners are of steps, and a step may weigh nothing
            assert measure(name).figure()(weighted) == pytest.approx(
                measure(name).figure()(repeated), abs=1e-12, nan_ok=True
            ), (seed, name)


def test_left_out_points_keep_the_area_and_the_costs():
    for seed in range(100):
        points = points_of(*random_trials(seed))
        random = np.random.default_rng(seed)
        places = np.flatnonzero(random.random(len(points.fmr)) < 0.3)
        places = np.unique([0, *places, len(points.fmr) - 1])
        once = points.kept(places)
        twice = once.kept(np.unique([0, len(places) // 2, len(places) - 1]))
        for thinned in (once, twice):
            for name in ("AUC", "Cllr"):
                figure = measure(name).figure()
                assert figure(thinned) == pytest.approx(figure(points), abs=1e-12, nan_ok=True)
            assert np.isin(thinned.thresholds, points.thresholds).all()


def test_at_score_accepts_the_score_itself():
    points = points_of([1.0, 2.0, 2.0, 3.0], [True, False, True, False])
    assert [points.at_score(each) for each in (3.5, 3.0, 2.5, 2.0, 1.0, -9.0)] == [0, 1, 1, 2, 3, 3]


def test_at_fmr_takes_the_last_point_that_holds_it():
    points = points_of([5, 4, 3, 2, 1], [True, False, True, False, True])
    assert [points.at_fmr(each) for each in (0.0, 0.4999, 0.5, 0.99, 1.0)] == [1, 1, 3, 3, 5]


def test_a_rate_that_is_met_exactly_is_met():
    # 0.001 of 3,000 is 3: no rounding may make it 2.
    points = points_of(np.arange(6000.0)[::-1], np.arange(6000) % 2 == 1)
    assert points.other[points.at_fmr(0.001)] == 3


def test_what_is_not_a_score_is_refused():
    with pytest.raises(InputError, match=r"score of trial 2 of 3 is NaN: give every trial a score, -inf where"):
        ScoredTrials(np.array([1.0, np.nan, 2.0]), np.ones(3, bool))


def test_unequal_lengths_are_refused():
    with pytest.raises(SettingsError, match="2 thresholds, but 2 mated and 3 other weights"):
        OperatingPoints(thresholds=np.zeros(2), mated=np.zeros(2), other=np.zeros(3))
