import math

import numpy as np
import pytest
from random_searches import plain_detection, plain_fpir, plain_threshold, random_table, searches_of

from vfsearch.measure.identification_values import identification_values
from vfsearch.measure.ranking_kinds import IDENTIFICATION_KINDS
from vfsearch.measure.resampling import Resampling

NAMES = ("DIR@FPIR=0.25", "FNIR@FPIR=0.25", "mated-rank-1", "mated-rank-3", "FPIR@T=1")


def measures(*names):
    return [next(found for kind in IDENTIFICATION_KINDS if (found := kind.parse(name))) for name in names or NAMES]


def drawn_anew(table, probes, missing, draw):
    """The same searches as often as drawn, in a gallery with each other identity as often as drawn."""
    gallery, rows, people, gone = table.shape[1], [], [], []
    columns = np.repeat(np.arange(gallery), draw[:gallery].astype(int))
    for row, probe, absent in zip(table, probes, missing, strict=True):
        mated = probe < gallery
        others = row[columns[columns != probe]]
        width = int(draw[:gallery].sum()) + 1
        # The mate is column 0; who is not there scores nothing.
        built = np.full(width, -np.inf)
        built[1 : 1 + len(others)] = others
        built[0] = row[probe] if mated else -np.inf
        for _ in range(int(draw[probe])):
            rows.append(built)
            people.append(0 if mated else width)
            gone.append(absent)
    return np.array(rows).reshape(len(rows), -1), people, gone


def plain(name, table, probes, missing):
    if not len(table):
        return math.nan
    kind, _, number = name.partition("=")
    if kind == "FPIR@T":
        return plain_fpir(table, probes, missing, float(number))
    if "rank" in name:
        return plain_detection(table, probes, missing, -1e300, int(name[-1]))
    threshold = plain_threshold(table, probes, missing, float(number))
    threshold = max(threshold, -1e300)
    if kind == "DIR@FPIR":
        return plain_detection(table, probes, missing, threshold, 1)
    return 1 - plain_detection(table, probes, missing, threshold, 10**9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("levels", [0, 6], ids=["no ties", "ties"])
def test_replicates_are_those_of_searches_drawn_anew(seed, levels, monkeypatch):
    monkeypatch.setattr("vfsearch.measure.identification_values._about", lambda value, replicates, factor: replicates)
    table, probes, missing = random_table(seed, levels=levels)
    resampling = Resampling(seed=seed, resamples=30)
    searches = searches_of(table, probes, missing, 12)
    found = identification_values(searches, measures(), resampling)
    for number, draw in enumerate(resampling.weights(searches.identities)):
        again = drawn_anew(table, probes, missing, draw)
        for name in NAMES:
            wanted = plain(name, *again)
            assert found[name].replicates[number] == pytest.approx(wanted, abs=1e-12, nan_ok=True), (name, number)


def test_values_are_the_figures_and_the_mean_replicate_has_about_their_odds():
    searches = searches_of(*random_table(1, count=400, gallery=20, people=40, levels=0), 40)
    found = identification_values(searches, measures(), Resampling(seed=1, resamples=200))
    for name, measure in zip(NAMES, measures(), strict=True):
        estimate = found[name]
        assert estimate.value == measure.figure()(searches)
        low, high = estimate.interval()
        assert 0.0 <= low <= estimate.value <= high <= 1.0
        assert np.nanmean(estimate.replicates) == pytest.approx(estimate.value, abs=0.03)


def test_the_order_and_the_names_of_people_in_the_lists_change_nothing():
    table, probes, missing = random_table(2)
    turned = np.random.default_rng(1).permutation(len(probes))
    resampling = Resampling(seed=3, resamples=20)
    one = identification_values(searches_of(table, probes, missing, 12), measures(), resampling)
    two = identification_values(searches_of(table[turned], probes[turned], missing[turned], 12), measures(), resampling)
    for name in NAMES:
        np.testing.assert_allclose(one[name].replicates, two[name].replicates, rtol=0, atol=1e-12)


def test_candidates_beyond_the_list_count_once(monkeypatch):
    monkeypatch.setattr("vfsearch.measure.identification_values._about", lambda value, replicates, factor: replicates)
    # The mate is behind 20 others, of whom 5 are listed.
    table = np.arange(21.0)[None, ::-1].repeat(2, axis=0)
    searches = searches_of(table, np.array([20, 30]), np.zeros(2, bool), 31, listed=5)
    found = identification_values(searches, measures("mated-rank-21"), Resampling(seed=1, resamples=200))
    spread = found["mated-rank-21"].replicates
    defined = spread[~np.isnan(spread)]
    # 15 beyond the list count once each, so that the mate is 21st or better where the 5 listed are drawn 5 times.
    assert 0.3 < defined.mean() < 0.9 and set(defined) == {0.0, 1.0}


def corpus(seed, people=80, each=4):
    """Effects of people on both sides, of pairs, and noise; half of the people enrolled."""
    random = np.random.default_rng(seed)
    probes = np.repeat(np.arange(people), each)
    enrolled = people // 2
    pairs = 0.5 * random.normal(size=(people, 1)) + 0.5 * random.normal(size=enrolled)
    pairs = pairs + 0.7 * random.normal(size=(people, enrolled))
    pairs[np.arange(enrolled), np.arange(enrolled)] += 3 + 0.7 * random.normal(size=enrolled)
    table = pairs[probes] + 0.6 * random.normal(size=(len(probes), enrolled))
    return searches_of(table, probes, np.zeros(len(probes), bool), people)


def test_intervals_cover_the_truth_where_the_same_people_are_on_many_trials():
    chosen = measures("DIR@FPIR=0.1", "mated-rank-1", "FPIR@T=3")
    truth = np.mean([[each.figure()(corpus(seed)) for each in chosen] for seed in range(1000, 1500)], axis=0)
    covered = np.zeros(3)
    for seed in range(60):
        found = identification_values(corpus(seed), chosen, Resampling(seed=seed, resamples=150))
        bounds = np.array([found[str(each)].interval() for each in chosen])
        covered += (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
    # 95 % of 60 is 57; fewer than 51 would be 3.5 standard deviations off.
    assert (covered >= 51).all(), covered


def test_one_person_tells_nothing_of_others():
    searches = searches_of(
        np.random.default_rng(1).normal(size=(9, 3)), np.array([0] * 4 + [5] * 5), np.zeros(9, bool), 6
    )
    low, high = identification_values(searches, measures(), Resampling(seed=1, resamples=20))["mated-rank-1"].interval()
    assert math.isnan(low) and math.isnan(high)


def test_no_searches():
    none = searches_of(np.zeros((0, 3)), np.zeros(0, int), np.zeros(0, bool), 3)
    found = identification_values(none, measures(), Resampling(seed=1, resamples=5))
    assert all(math.isnan(estimate.value) for estimate in found.values())
    assert all(len(estimate.replicates) == 5 for estimate in found.values())
