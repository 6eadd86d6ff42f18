import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_searches import plain_detection, plain_fpir, plain_threshold, random_table, searches_of

from vfsearch.measure.identification import (
    detection_rate,
    error_rates,
    false_negative_rate,
    false_positive_rate,
    threshold_at,
)
from vfsearch.measure.ranking_kinds import IDENTIFICATION_KINDS

SEEDS = range(100)


def figure(name, searches):
    return next(found for kind in IDENTIFICATION_KINDS if (found := kind.parse(name))).figure()(searches)


def cases(levels):
    for seed in SEEDS:
        table, probes, missing = random_table(seed, levels=levels)
        yield table, probes, missing, searches_of(table, probes, missing, 12)


@pytest.mark.parametrize("levels", [0, 6], ids=["no ties", "ties"])
def test_rates_at_a_threshold_are_those_of_a_plain_loop(levels):
    for table, probes, missing, searches in cases(levels):
        for threshold in (-1.0, 0.5, 0.75, table.max(), 9.0):
            wanted = plain_fpir(table, probes, missing, threshold)
            assert false_positive_rate(searches, threshold) == pytest.approx(wanted, abs=1e-12)
            for rank in (1, 2, 5, None):
                wanted = plain_detection(table, probes, missing, threshold, rank or 10**9)
                assert detection_rate(searches, threshold, rank) == pytest.approx(wanted, abs=1e-12)
                assert false_negative_rate(searches, threshold, rank) == pytest.approx(1 - wanted, abs=1e-12)


@pytest.mark.parametrize("levels", [0, 6], ids=["no ties", "ties"])
@pytest.mark.parametrize("fpir", [0.01, 0.1, 0.25, 0.5, 0.95])
def test_measures_are_those_of_a_plain_loop(levels, fpir):
    for table, probes, missing, searches in cases(levels):
        threshold = plain_threshold(table, probes, missing, fpir)
        assert threshold_at(searches, fpir) == threshold
        for name, rank in (("DIR", 1), ("DIR-5", 5), ("DIR-10", 10), ("DIR-20", 20)):
            wanted = plain_detection(table, probes, missing, threshold, rank)
            assert figure(f"{name}@FPIR={fpir}", searches) == pytest.approx(wanted, abs=1e-12)
        wanted = 1 - plain_detection(table, probes, missing, threshold, 10**9)
        assert figure(f"FNIR@FPIR={fpir}", searches) == pytest.approx(wanted, abs=1e-12)


def test_numbers_in_the_names_reach_the_figures():
    for table, probes, missing, searches in cases(6):
        for rank in (1, 3, 6, 50):
            wanted = plain_detection(table, probes, missing, -math.inf, rank)
            assert figure(f"mated-rank-{rank}", searches) == pytest.approx(wanted, abs=1e-12)
        assert figure("FPIR@T=0.75", searches) == false_positive_rate(searches, 0.75)
        assert figure("FNIR@T=0.75", searches) == false_negative_rate(searches, 0.75)


@pytest.mark.parametrize("rank", [1, 3, None])
def test_every_operating_point_is_that_of_its_threshold(rank):
    for *_, searches in cases(6):
        thresholds, fpir, fnir = error_rates(searches, rank)
        assert (np.diff(thresholds) < 0).all() and (np.diff(fpir) >= 0).all() and (np.diff(fnir) <= 1e-15).all()
        np.testing.assert_allclose(fpir, [false_positive_rate(searches, t) for t in thresholds], rtol=0, atol=1e-12)
        wanted = [false_negative_rate(searches, t, rank) for t in thresholds]
        np.testing.assert_allclose(fnir, wanted, rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.floats(0.01, 0.99))
def test_the_threshold_is_the_smallest(seed, fpir):
    searches = searches_of(*random_table(seed), 12)
    threshold = threshold_at(searches, fpir)
    assert false_positive_rate(searches, threshold) <= fpir
    if threshold > -math.inf:
        assert false_positive_rate(searches, np.nextafter(threshold, -np.inf)) > fpir


def golden(missing=()):
    """Two enrolled; mated searches find their mate with 0.9, and with 0.4 behind another; others return 0.3 to 0.8."""
    table = np.array([[0.9, 0.1], [0.5, 0.4], [0.8, 0.0], [0.7, 0.0], [0.3, 0.3], [0.3, 0.2]])
    gone = np.isin(np.arange(6), missing)
    return searches_of(table, np.array([0, 1, 2, 2, 3, 3]), gone, 4)


def test_golden():
    assert false_positive_rate(golden(), 0.7) == 0.5
    assert threshold_at(golden(), 0.25) == np.nextafter(0.7, 1)
    assert threshold_at(golden(), 0.5) == np.nextafter(0.3, 1)
    assert figure("DIR@FPIR=0.25", golden()) == 0.5
    assert figure("FNIR@FPIR=0.5", golden()) == 0.0
    assert figure("DIR@FPIR=0.5", golden()) == 0.5
    assert figure("mated-rank-1", golden()) == 0.5
    assert figure("mated-rank-2", golden()) == 1.0


def test_a_missing_mated_search_is_a_miss_and_a_missing_other_returns_nothing():
    assert figure("mated-rank-2", golden(missing=[0])) == 0.5
    assert false_positive_rate(golden(missing=[2]), 0.7) == 0.25
    assert threshold_at(golden(missing=[2, 3, 4]), 0.25) == -math.inf
    assert figure("FNIR@FPIR=0.25", golden(missing=[0, 1])) == 1.0


def test_equal_scores_are_refused_together():
    searches = searches_of(np.zeros((20, 5)), np.arange(20) % 10, np.zeros(20, bool), 10)
    assert figure("DIR@FPIR=0.99", searches) == 0.0
    assert figure("mated-rank-1", searches) == pytest.approx(1 / 5, abs=1e-15)


@pytest.mark.parametrize(
    ("probes", "nan"), [([0, 1], ("DIR@FPIR=0.1", "FPIR@T=0")), ([7, 8], ("DIR@FPIR=0.1", "mated-rank-1", "FNIR@T=0"))],
    ids=["all mated", "none mated"],
)  # fmt: skip
def test_what_has_no_searches_is_not_a_number(probes, nan):
    searches = searches_of(np.ones((2, 2)), np.array(probes), np.zeros(2, bool), 9)
    assert all(math.isnan(figure(name, searches)) for name in nan)
