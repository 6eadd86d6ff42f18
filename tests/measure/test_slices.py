import math
from dataclasses import replace

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.ranks import mate_ranks_of_lists
from vfsearch.data.scored import ScoredMatching, ScoredPairs, ScoredRanking
from vfsearch.errors import SettingsError
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.exact import grid
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.matching_values import matching_values
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.shared_draws import SharedDraws
from vfsearch.measure.slices import FEWEST_IDENTITIES, contrasts, slices
from vfsearch.measure.verification_values import verification_values

PEOPLE = tuple(f"p{number}" for number in range(30))
GENDER = {name: ("f", "m", "x")[0 if n < 14 else 1 if n < 26 else 2] for n, name in enumerate(PEOPLE[:-2])}
AUC, ACCURACY, MAP = (parse_measure(name) for name in ("AUC", "accuracy", "mAP"))
RESAMPLING = Resampling(seed=3, resamples=200)


def pairs(count: int = 1500, seed: int = 0, better: float = 0.0) -> ScoredPairs:
    """Half of them mated; voices of the first 14 people fit their faces better by `better`."""
    random = np.random.default_rng(seed)
    probes = random.integers(len(PEOPLE), size=count)
    mated = random.random(count) < 0.5
    items = np.where(mated, probes, (probes + random.integers(1, len(PEOPLE), size=count)) % len(PEOPLE))
    scores = random.normal(size=count).round(1) + mated * (0.5 + better * (probes < 14))
    return ScoredPairs(scores=scores, mated=mated, probes=probes, items=items, identities=PEOPLE)


def galleries(count: int = 900, seed: int = 0) -> ScoredMatching:
    random = np.random.default_rng(seed)
    probes = random.integers(len(PEOPLE), size=count)
    others = (probes[:, None] + random.integers(1, len(PEOPLE), size=(count, 3))) % len(PEOPLE)
    scores = random.normal(size=(count, 4)).round(1)
    scores[:, 0] += 0.7
    return ScoredMatching(
        scores=scores, probes=probes, candidates=np.column_stack([probes, others]),
        missing=random.random(count) < 0.05, identities=PEOPLE,
    )  # fmt: skip


def ranking(count: int = 90, seed: int = 0) -> ScoredRanking:
    random = np.random.default_rng(seed)
    people = np.sort(random.integers(len(PEOPLE), size=count))
    gallery = random.integers(len(PEOPLE), size=200)
    mates = np.array([np.count_nonzero(gallery == each) for each in people])
    relevant = gallery == people[:, None]
    scores = random.normal(size=(count, 200)).round(1) + relevant
    ranks = mate_ranks_of_lists(np.repeat(np.arange(count), 200), scores.ravel(), relevant.ravel(), mates)
    return ScoredRanking(ranks=ranks, probes=people, missing=np.array([0, 20, 20]), identities=PEOPLE)


def of_group(trials, value: str):
    """The same trials, picked one by one."""
    group = [GENDER.get(name, "") for name in PEOPLE]
    rows = np.array([place for place, each in enumerate(trials.probes) if group[each] == value], dtype=np.int64)
    arrays = {name: getattr(trials, name)[rows] for name in vars(trials) if name != "identities"}
    return replace(trials, **arrays)


def test_groups_stand_by_size_those_of_nobody_known_last():
    found = slices(pairs(), "gender", GENDER, [AUC], RESAMPLING)
    assert [(each.value, each.identities) for each in found] == [("f", 14), ("m", 12), ("x", 2), ("", 2)]
    assert sum(each.trials for each in found) == 1500
    assert {each.column for each in found} == {"gender"}


@pytest.mark.parametrize("seed", range(5))
def test_pairs_of_a_group_are_measured_as_if_they_were_alone(seed):
    trials = pairs(seed=seed)
    for each in slices(trials, "gender", GENDER, [AUC, parse_measure("EER")], RESAMPLING):
        alone = verification_values(of_group(trials, each.value), [AUC, parse_measure("EER")], RESAMPLING)
        assert {name: estimate.value for name, estimate in each.estimates.items()} == {
            name: pytest.approx(estimate.value, abs=1e-12) for name, estimate in alone.items()
        }
        assert each.estimates["AUC"].chance == 0.5


def test_replicates_are_those_of_a_plain_loop_over_people_drawn_together():
    trials = pairs(300)
    weights = SharedDraws(seed=3, resamples=200, everyone=PEOPLE).weights(PEOPLE)
    (found, *_) = slices(trials, "gender", GENDER, [AUC], RESAMPLING)
    part = of_group(trials, "f")
    for drawn, replicate in list(zip(weights, found.estimates["AUC"].replicates, strict=True))[:20]:
        weight = np.where(part.mated, drawn[part.probes], drawn[part.probes] * drawn[part.items])
        above = won = 0.0
        for score, each in zip(part.scores[part.mated], weight[part.mated], strict=True):
            other = part.scores[~part.mated]
            won += each * (weight[~part.mated] * ((score > other) + (score == other) / 2)).sum()
            above += each * weight[~part.mated].sum()
        assert replicate == pytest.approx(won / above, abs=1e-12)


def test_galleries_of_a_group_are_measured_as_if_they_were_alone():
    trials = galleries()
    found = slices(trials, "gender", GENDER, [ACCURACY], RESAMPLING)
    for each in found:
        alone = matching_values(of_group(trials, each.value), [ACCURACY], RESAMPLING)["accuracy"]
        assert each.estimates["accuracy"].value == pytest.approx(alone.value, abs=1e-12)
    assert sum(each.trials for each in found) == len(trials)


def test_ranked_lists_of_a_group_are_measured_as_if_they_were_alone():
    trials = ranking()
    group = np.array([GENDER.get(name, "") for name in PEOPLE])
    for each in slices(trials, "gender", GENDER, [MAP], RESAMPLING):
        kept = np.flatnonzero(group[trials.probes] == each.value)
        blocks = [place for place, probe in enumerate(trials.ranks.probe) if probe in kept]
        number = {probe: place for place, probe in enumerate(kept.tolist())}
        ranks = replace(
            trials.ranks, probe=np.array([number[probe] for probe in trials.ranks.probe[blocks].tolist()], dtype=int),
            **{name: getattr(trials.ranks, name)[blocks] for name in ("above", "tied", "mates_above", "mates_tied")},
            mates=trials.ranks.mates[kept], gallery=trials.ranks.gallery[kept],
        )  # fmt: skip
        missing = trials.missing[group[trials.missing] == each.value]
        part = replace(trials, ranks=ranks, probes=trials.probes[kept], missing=missing)
        alone = ranking_values(part, [MAP], RESAMPLING)["mAP"]
        assert each.estimates["mAP"].value == pytest.approx(alone.value, abs=1e-12)
        assert each.trials == np.count_nonzero(ranks.mates) + len(missing)


def searched(people: np.ndarray, queries: np.ndarray, gallery: np.ndarray, of_gallery: np.ndarray) -> ScoredRanking:
    """Ranked lists whose gallery can be resampled."""

    def some(rows: np.ndarray, units: np.ndarray):
        return crowds(queries, gallery, people, of_gallery, rows, units)

    return ScoredRanking(
        ranks=mate_ranks(queries, grid(gallery, "cpu"), people, of_gallery, np.full(len(people), -1), "cpu"),
        probes=people, missing=np.zeros(0, dtype=np.int64), identities=PEOPLE, crowds=some,
    )  # fmt: skip


def test_the_gallery_of_ranked_lists_is_resampled_with_them():
    random = np.random.default_rng(2)
    people, of_gallery = random.permutation(90) % len(PEOPLE), random.permutation(120) % len(PEOPLE)
    queries, gallery = unit_rows(90, seed=1), unit_rows(120, seed=2)
    found = slices(searched(people, queries, gallery, of_gallery), "gender", GENDER, [MAP], RESAMPLING)
    for each in found[:2]:
        rows = [place for place, person in enumerate(people) if GENDER.get(PEOPLE[person], "") == each.value]
        draws = SharedDraws(seed=3, resamples=200, everyone=PEOPLE)
        alone = ranking_values(searched(people[rows], queries[rows], gallery, of_gallery), [MAP], draws)["mAP"]
        assert each.estimates["mAP"].replicates == pytest.approx(alone.replicates, abs=1e-12)
        assert each.estimates["mAP"].interval() == pytest.approx(alone.interval(), abs=1e-12)


def test_groups_of_few_people_have_no_interval():
    found = {each.value: each for each in slices(pairs(), "gender", GENDER, [AUC], RESAMPLING)}
    assert FEWEST_IDENTITIES == 5
    assert [value for value, each in found.items() if each.too_small] == ["x", ""]
    assert 0.0 < found["x"].estimates["AUC"].value < 1.0
    assert all(math.isnan(bound) for bound in found["x"].estimates["AUC"].interval())
    assert found["f"].estimates["AUC"].interval()[0] < found["f"].estimates["AUC"].value


def test_a_planted_difference_is_found():
    (found,) = contrasts(slices(pairs(better=1.0), "gender", GENDER, [AUC], RESAMPLING))
    assert (found.column, found.left, found.right, found.measure) == ("gender", "f", "m", "AUC")
    assert 0.0 < found.difference.low < found.difference.value < found.difference.high
    assert found.difference.p < 0.05
    (none,) = contrasts(slices(pairs(), "gender", GENDER, [AUC], RESAMPLING))
    assert none.difference.low < 0.0 < none.difference.high


def test_the_largest_groups_are_compared_with_each_other():
    values = {name: "abcdef"[number // 5] for number, name in enumerate(PEOPLE)}
    found = contrasts(slices(pairs(), "town", values, [AUC, parse_measure("EER")], RESAMPLING), most=3)
    assert [(each.left, each.right, each.measure) for each in found[::2]] == [
        ("a", "b", "AUC"), ("a", "c", "AUC"), ("b", "c", "AUC"),
    ]  # fmt: skip
    assert len(contrasts(slices(pairs(), "town", values, [AUC], RESAMPLING))) == 6


def test_one_group_is_the_whole_list():
    trials = pairs()
    (found,) = slices(trials, "all", dict.fromkeys(PEOPLE, "yes"), [AUC], RESAMPLING)
    whole = verification_values(trials, [AUC], RESAMPLING)["AUC"]
    assert found.estimates["AUC"].interval() == whole.interval()
    assert contrasts([found]) == []


def test_the_order_of_people_changes_nothing():
    trials = pairs()
    order = np.random.default_rng(5).permutation(len(PEOPLE))
    place = np.argsort(order)
    other = replace(
        trials, probes=place[trials.probes], items=place[trials.items], identities=[PEOPLE[each] for each in order]
    )
    first, second = (contrasts(slices(each, "gender", GENDER, [AUC], RESAMPLING)) for each in (trials, other))
    assert [each.difference for each in first] == [each.difference for each in second]


def test_no_trials_no_groups():
    empty = of_group(pairs(), "nobody is called so")
    assert slices(empty, "gender", GENDER, [AUC], RESAMPLING) == []


@pytest.mark.parametrize("measures", [[], [AUC, MAP]])
def test_measures_of_several_families_are_refused(measures):
    with pytest.raises(SettingsError, match=r"slices want measures of one family, got (none|AUC, mAP)"):
        slices(pairs(), "gender", GENDER, measures, RESAMPLING)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(PEOPLE), min_size=1, unique=True), st.integers(0, 5))
def test_parts_share_the_draws_of_everyone(part, seed):
    draws = SharedDraws(seed=seed, resamples=20, everyone=PEOPLE)
    weights = draws.weights(PEOPLE)
    assert (draws.weights(part) == weights[:, [PEOPLE.index(name) for name in part]]).all()
    assert (weights == Resampling(seed=seed, resamples=20).weights(PEOPLE)).all()
    units = draws.units(part)
    whole = list(draws.pair_weights(len(PEOPLE), 2))
    for table, each in zip(draws.pair_weights(int(units.max()) + 1, 2), whole, strict=True):
        assert (table[np.ix_(units, units)] == each[np.ix_(units, units)]).all()


def test_strangers_are_refused():
    with pytest.raises(SettingsError, match="'somebody' is none of the 30 people"):
        SharedDraws(seed=1, everyone=PEOPLE).units(["p1", "somebody"])
