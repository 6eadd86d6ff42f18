import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.scored import ScoredMatching
from vfsearch.errors import SettingsError
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.matching_values import MatchingSums, matching_values
from vfsearch.measure.resampling import Resampling

MEASURES = [parse_measure("accuracy"), parse_measure("rank-2")]
RESAMPLING = Resampling(seed=1, resamples=300)


def trials(people: int = 9, count: int = 60, candidates: int = 3, seed: int = 0, missing: int = 0) -> ScoredMatching:
    random = np.random.default_rng(seed)
    probes = random.integers(0, people, count)
    others = (probes[:, None] + random.integers(1, max(2, people), (count, candidates - 1))) % people
    return ScoredMatching(
        scores=random.integers(0, 6, (count, candidates)) + np.append(1.0, np.zeros(candidates - 1)),
        probes=probes,
        candidates=np.column_stack([probes, others]),
        missing=np.arange(count) < missing,
        identities=[f"p{number}" for number in range(people)],
    )


def part(scored: ScoredMatching, rows) -> ScoredMatching:
    names = ("scores", "probes", "candidates", "missing")
    return dataclasses.replace(scored, **{name: getattr(scored, name)[rows] for name in names})


def effects(scored: ScoredMatching, figure) -> np.ndarray:
    """What each identity adds to the figure, by a plain loop."""
    values = np.where(scored.missing, 0.0, figure(scored.scores))
    found = np.zeros(len(scored.identities))
    changes = [
        (negative, value - float(figure(np.delete(scores, column)[None, :])[0]))
        for scores, candidates, value in zip(scored.scores, scored.candidates, values, strict=True)
        for column, negative in enumerate(candidates)
        if column
    ]
    mean = np.mean([change for _, change in changes])
    for probe, value in zip(scored.probes, values, strict=True):
        found[probe] += (value - values.mean()) / len(values)
    for negative, change in changes:
        found[negative] += (change - mean) / len(values)
    return found


@pytest.mark.parametrize("candidates", [2, 3, 6])
@pytest.mark.parametrize("measure", MEASURES, ids=str)
def test_replicates_are_what_a_plain_loop_makes_of_the_draws(measure, candidates):
    scored = trials(candidates=candidates)
    found = matching_values(scored, [measure], RESAMPLING)[str(measure)]
    assert found.value == pytest.approx(measure.figure()(scored.scores).mean(), abs=1e-12)
    drawn = RESAMPLING.weights(scored.identities)
    added = effects(scored, measure.figure())
    wanted = np.array([sum((c - 1) * e for c, e in zip(draw, added, strict=True)) for draw in drawn])
    scale = np.sqrt((added**2).sum() / np.maximum(np.mean(wanted**2), 1e-30))
    assert found.replicates - found.value == pytest.approx(scale * wanted, abs=1e-12)


def test_one_to_two_is_the_first_order_of_the_product_of_the_draws():
    scored = trials(people=30, count=4000, candidates=2)
    found = matching_values(scored, MEASURES[:1], Resampling(seed=1, resamples=1000))["accuracy"]
    drawn = Resampling(seed=1, resamples=1000).weights(scored.identities)
    values = MEASURES[0].figure()(scored.scores)
    weights = drawn[:, scored.probes] * drawn[:, scored.candidates[:, 1]]
    joint = (weights @ values) / weights.sum(axis=1)
    assert np.corrcoef(joint, found.replicates)[0, 1] > 0.75
    # The product overcounts what is new in a trial twice, its first order once.
    assert found.replicates.std() < joint.std()


def test_missing_probes_are_misses_and_chance_knows_them():
    scored = trials(missing=15)
    found = matching_values(scored, MEASURES, RESAMPLING)
    values = MEASURES[0].figure()(scored.scores)
    assert found["accuracy"].value == pytest.approx(values[15:].sum() / 60)
    assert found["accuracy"].chance == pytest.approx(45 / 60 / 3)
    assert found["rank-2"].chance == pytest.approx(45 / 60 * 2 / 3)


@settings(max_examples=20, deadline=None)
@given(st.randoms(), st.integers(1, 59))
def test_order_pieces_and_numbers_of_identities_change_nothing(random, cut):
    scored = trials(missing=4)
    wanted = matching_values(scored, MEASURES, RESAMPLING)
    order = random.sample(range(60), 60)
    people = np.array(random.sample(range(9), 9))
    renumbered = dataclasses.replace(
        part(scored, order),
        probes=people[scored.probes[order]],
        candidates=people[scored.candidates[order]],
        identities=[scored.identities[number] for number in np.argsort(people)],
    )
    sums = MatchingSums(MEASURES, RESAMPLING)
    for rows in (slice(0, cut), slice(cut, None)):
        sums.add(part(renumbered, rows))
    for name, found in sums.estimates().items():
        assert found.value == pytest.approx(wanted[name].value, abs=1e-12)
        assert found.replicates == pytest.approx(wanted[name].replicates, abs=1e-12)
        assert found.by_pair == pytest.approx(wanted[name].by_pair, abs=1e-12)
        assert found.interval() == pytest.approx(wanted[name].interval(), abs=1e-12)


def test_equal_scores_are_chance_with_no_doubt():
    scored = dataclasses.replace(trials(), scores=np.zeros((60, 3)))
    for name, wanted in (("accuracy", 1 / 3), ("rank-2", 2 / 3)):
        found = matching_values(scored, MEASURES, RESAMPLING)[name].to_value()
        assert (found.value, found.low, found.high, found.chance) == pytest.approx((wanted,) * 4, abs=1e-12)


def test_more_people_than_units():
    scored = trials(people=700, count=3000)
    found = matching_values(scored, MEASURES[:1], RESAMPLING)["accuracy"]
    low, high = found.interval()
    naive = MEASURES[0].figure()(scored.scores).std() / np.sqrt(3000)
    assert low < found.value < high and high - low == pytest.approx(3.92 * naive, rel=0.25)


def test_one_person_asked_for_tells_nothing_of_others():
    scored = trials()
    found = matching_values(part(scored, scored.probes == 3), MEASURES[:1], RESAMPLING)["accuracy"]
    assert 0 <= found.value <= 1 and np.isnan(found.interval()).all()


def test_no_trials_have_no_figures():
    found = matching_values(part(trials(), slice(0)), MEASURES, RESAMPLING)["accuracy"]
    assert np.isnan([found.value, found.chance, *found.interval()]).all()
    assert np.isnan(MatchingSums(MEASURES, RESAMPLING).estimates()["rank-2"].value)


def test_pieces_must_be_of_one_list():
    sums = MatchingSums(MEASURES, RESAMPLING)
    sums.add(trials())
    with pytest.raises(SettingsError, match="1:3 with 9 identities, then 1:4 with 9"):
        sums.add(trials(candidates=4))
    with pytest.raises(SettingsError, match="then 1:3 with 8 identities"):
        sums.add(trials(people=8))
