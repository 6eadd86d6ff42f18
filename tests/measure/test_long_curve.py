import numpy as np
import pytest
from builders import rounds
from plain_verification import FIGURES
from verification_lists import measure, points_of, random_trials

from vfsearch.measure.long_curve import LongCurve, Needs, blocks_of
from vfsearch.measure.operating_points import OperatingPoints

MEASURES = {name: measure(name) for name in FIGURES}
RATES = np.array([each.parameter for each in MEASURES.values() if each.kind.parameter == "rate"])
# Of FMR@T=0.5, FNMR@T=1 and actDCF(0.3).
SCORES = np.array([0.5, np.log(0.7 / 0.3), 1.0])


def long_curve(scores, mated, sizes) -> OperatingPoints:
    """The curve of trials that come in pieces of such sizes, again and again."""
    order = np.argsort(-scores, kind="stable")
    curve = LongCurve(Needs(mated=int(mated.sum()), other=int((~mated).sum()), rates=RATES, scores=SCORES))
    ends = np.cumsum(np.resize(sizes, len(scores)))
    for part in np.split(order, ends[ends < len(scores)]):
        curve.add(blocks_of(scores[part], mated[part]))
    return curve.finish()


@pytest.mark.parametrize("sizes", [[1], [2, 1], [5], [1000]], ids=["singly", "in twos and ones", "in fives", "at once"])
def test_every_figure_is_that_of_all_points(sizes):
    for seed in range(rounds(300, 3000)):
        scores, mated = random_trials(seed, most=90)
        thinned, whole = long_curve(scores, mated, sizes), points_of(scores, mated)
        for name, each in MEASURES.items():
            wanted = each.figure()(whole)
            assert each.figure()(thinned) == pytest.approx(wanted, abs=1e-12, rel=1e-12, nan_ok=True), (seed, name)


def test_what_is_kept_does_not_grow_with_the_list():
    random, sizes = np.random.default_rng(1), []
    for count in (1_000, 10_000, 100_000):
        mated = random.random(count) < 0.3
        sizes.append(len(long_curve(random.normal(size=count) + mated, mated, [5_000]).fmr))
    assert sizes[2] < 2 * sizes[1] < 300


def test_a_run_of_one_kind_that_is_longer_than_a_piece():
    scores, mated = np.arange(400.0)[::-1], np.arange(400) // 100 % 2 == 0
    thinned, whole = long_curve(scores, mated, [7]), points_of(scores, mated)
    for name, each in MEASURES.items():
        assert each.figure()(thinned) == pytest.approx(each.figure()(whole), abs=1e-12, rel=1e-12), name


def test_no_trial_is_one_point():
    assert len(LongCurve(Needs(mated=0, other=0, rates=RATES, scores=SCORES)).finish().fmr) == 1
