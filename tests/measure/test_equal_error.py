import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn.metrics import roc_curve
from verification_lists import points_of, random_trials

from vfsearch.measure import equal_error
from vfsearch.measure.equal_error import eer_convex_hull, eer_kaldi, eer_nearest, eer_nearest_max, equal_error_rate

DEFINITIONS = [getattr(equal_error, name) for name in dir(equal_error) if name.startswith(("eer_", "equal_error"))]


def both_kinds(seeds, **more):
    for seed in seeds:
        scores, mated = random_trials(seed, **more)
        scores = np.unique(scores, return_inverse=True)[1].astype(float)
        if mated.any() and not mated.all():
            yield seed, scores, mated


def test_the_root_of_the_interpolated_curve_is_the_same_number():
    for seed, scores, mated in both_kinds(range(300)):
        fmr, tmr, _ = roc_curve(mated, scores)
        curve = interp1d(fmr, tmr)
        root = brentq(lambda x, curve=curve: 1.0 - x - curve(x), 0.0, 1.0)
        assert equal_error_rate(points_of(scores, mated)) == pytest.approx(root, abs=1e-11), seed


def test_the_nearest_point_is_that_of_torchmetrics():
    torch = pytest.importorskip("torch")
    binary_eer = pytest.importorskip("torchmetrics.functional.classification").binary_eer

    compared = 0
    for seed, scores, mated in both_kinds(range(200)):
        gaps = np.sort(np.abs(points_of(scores, mated).gaps))
        if len(gaps) > 1 and gaps[0] == gaps[1]:
            continue  # of two equally near points, rounding to float32 decides there
        theirs = float(binary_eer(torch.tensor(scores / 64), torch.tensor(mated.astype(int))))
        assert eer_nearest(points_of(scores, mated)) == pytest.approx(theirs, abs=1e-6), seed
        compared += 1
    assert compared > 50


def test_no_definition_leaves_the_rates_around_the_crossing():
    for _, scores, mated in both_kinds(range(200)):
        points = points_of(scores, mated)
        after = int(np.searchsorted(points.gaps, 0.0))
        low, high = points.fmr[after - 1], points.fmr[after]
        assert low - 1e-12 <= equal_error_rate(points) <= high + 1e-12
        assert eer_convex_hull(points) <= equal_error_rate(points) + 1e-12
        assert eer_nearest(points) <= eer_nearest_max(points) + 1e-12 or len(points.corner_places()) < len(points.fmr)


def test_definitions_come_together_on_long_lists():
    random = np.random.default_rng(1)
    mated = np.arange(60_000) % 2 == 0
    points = points_of(random.normal(size=60_000) + 1.5 * mated, mated)
    found = [definition(points) for definition in DEFINITIONS]
    assert len(found) == 7 and max(found) - min(found) < 0.0021


@pytest.mark.parametrize(
    ("own", "others", "wanted"),
    [
        ([2.0, 3.0], [0.0, 1.0], 0.0),
        ([0.0, 1.0], [2.0, 3.0], 0.5),  # no mated score is above enough others: the search ends at the last, 1/2
        ([1.0, 2.0, 2.0, 2.0], [2.0, 0.0], 0.5),  # the lowest 2 wants FMR <= 1/4, the second 2/4, which it has
        ([5.0], [1.0], 0.0),
    ],
    ids=["apart", "reversed", "within a tie", "one each"],
)
def test_kaldi_golden(own, others, wanted):
    labels = np.arange(len(own) + len(others)) < len(own)
    assert eer_kaldi(points_of([*own, *others], labels)) == pytest.approx(wanted)


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda each: each.__name__)
def test_perfect_scores_have_no_error(definition):
    assert definition(points_of([3, 2, 1, 0], [True, True, False, False])) == 0.0
