import math

import numpy as np
import pytest
from random_searches import searches_of

from vfsearch.measure.identification_chance import chance_level
from vfsearch.measure.ranking_kinds import IDENTIFICATION_KINDS


def measure(name):
    return next(found for kind in IDENTIFICATION_KINDS if (found := kind.parse(name)))


def uninformed(seed, gallery=8, missing=0.0, count=4000):
    random = np.random.default_rng(seed)
    table = random.normal(size=(count, gallery))
    return searches_of(table, np.arange(count) % (2 * gallery), random.random(count) < missing, 2 * gallery)


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize(
    "name",
    [
        "DIR@FPIR=0.1",
        "DIR-5@FPIR=0.7",
        "DIR-10@FPIR=0.5",
        "FNIR@FPIR=0.1",
        "FNIR@T=1.5",
        "mated-rank-1",
        "mated-rank-5",
    ],
)
def test_is_what_random_scores_give_on_average(name, missing):
    asked = measure(name)
    tries = [uninformed(seed, missing=missing) for seed in range(30)]
    found = [asked.figure()(searches) for searches in tries]
    wanted = np.mean([chance_level(asked, searches) for searches in tries])
    assert np.mean(found) == pytest.approx(wanted, abs=4 * np.std(found) / 30**0.5)


def test_golden():
    searches = uninformed(1)
    assert chance_level(measure("DIR@FPIR=0.1"), searches) == pytest.approx(0.1 / 8, abs=1e-15)
    assert chance_level(measure("FNIR@FPIR=0.1"), searches) == pytest.approx(0.9 ** (1 / 8), abs=1e-15)
    assert chance_level(measure("mated-rank-2"), searches) == 2 / 8
    assert chance_level(measure("mated-rank-99"), searches) == 1.0


def test_a_rate_at_a_threshold_says_nothing_of_information():
    assert math.isnan(chance_level(measure("FPIR@T=1"), uninformed(1)))


def test_no_non_mated_search():
    searches = searches_of(np.ones((2, 2)), np.array([0, 1]), np.zeros(2, bool), 2)
    assert math.isnan(chance_level(measure("DIR@FPIR=0.1"), searches))
    assert chance_level(measure("mated-rank-1"), searches) == 0.5
