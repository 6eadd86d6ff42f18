import dataclasses

import numpy as np
import pytest
from builders import unit_rows

from vfsearch.data.scored import ScoredRanking
from vfsearch.kernels.crowds import crowds
from vfsearch.kernels.ranks import mate_ranks
from vfsearch.measure import gallery_effects
from vfsearch.measure.catalog import parse_measure
from vfsearch.measure.ranking_values import ranking_values
from vfsearch.measure.resampling import Resampling

NAMES = ("mAP", "R@1", "R@10", "nDCG@5", "MRR")
MEASURES = [parse_measure(name) for name in NAMES]
RESAMPLING = Resampling(seed=1, resamples=200)


def sides(people: int = 10, probes: int = 40, gallery: int = 50, noise: float = 0.5, seed: int = 0):
    random = np.random.default_rng(seed)
    centres = unit_rows(people, 8, seed)
    found = []
    for count in (probes, gallery):
        identities = random.integers(0, people, count)
        rows = centres[identities] + noise * random.normal(size=(count, 8))
        found += [(rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), identities]
    return found


def ranking(vectors, probes, items, gallery, missing=(), known: bool = True) -> ScoredRanking:
    people = 1 + max(probes.max(), gallery.max())
    return ScoredRanking(
        ranks=mate_ranks(vectors, items, probes, gallery),
        probes=probes,
        missing=np.array(missing, dtype=np.int64),
        identities=[f"p{number}" for number in range(people)],
        crowds=(lambda rows, units: crowds(vectors, items, probes, gallery, rows, units)) if known else None,
    )


def mean(measure, vectors, probes, items, gallery, keep=None) -> np.ndarray:
    values = measure.figure()(mate_ranks(vectors, items, probes, gallery))
    return values if keep is None else values[keep]


@pytest.mark.parametrize("measure", MEASURES, ids=str)
def test_replicates_are_what_leaving_people_out_by_hand_makes_of_the_draws(measure):
    vectors, probes, items, gallery = sides()
    scored = ranking(vectors, probes, items, gallery)
    found = ranking_values(scored, [measure], RESAMPLING)[str(measure)]
    values = mean(measure, vectors, probes, items, gallery)
    assert found.value == pytest.approx(values.mean())
    added, changes, counts = np.zeros(10), np.zeros(10), np.zeros(10)
    for gone in range(10):
        added[gone] = (values - values.mean())[probes == gone].sum() / len(values)
        others = probes != gone
        without = mean(measure, vectors[others], probes[others], items[gallery != gone], gallery[gallery != gone])
        changes[gone], counts[gone] = (values[others] - without).sum() / len(values), others.sum()
    added += changes - counts * changes.sum() / counts.sum()
    wanted = (RESAMPLING.weights(scored.identities) - 1) @ added
    scale = np.sqrt((added**2).sum() / np.mean(wanted**2))
    assert found.replicates - found.value == pytest.approx(scale * wanted, abs=1e-12)


def test_names_order_and_numbers_change_nothing():
    vectors, probes, items, gallery = sides()
    wanted = ranking_values(ranking(vectors, probes, items, gallery), MEASURES, RESAMPLING)
    random = np.random.default_rng(1)
    order, shuffled, people = random.permutation(40), random.permutation(50), random.permutation(10)
    other = ranking(vectors[order], people[probes[order]], items[shuffled], people[gallery[shuffled]])
    other = dataclasses.replace(other, identities=[f"p{number}" for number in np.argsort(people)])
    for name, found in ranking_values(other, MEASURES, RESAMPLING).items():
        assert found.value == pytest.approx(wanted[name].value, abs=1e-12)
        assert found.replicates == pytest.approx(wanted[name].replicates, abs=1e-12)
        assert found.by_pair == pytest.approx(wanted[name].by_pair, abs=1e-12)


def test_missing_probes_found_nothing():
    vectors, probes, items, gallery = sides()
    whole = ranking_values(ranking(vectors, probes, items, gallery), MEASURES, RESAMPLING)
    found = ranking_values(ranking(vectors, probes, items, gallery, missing=[2] * 10), MEASURES, RESAMPLING)
    for name in NAMES:
        assert found[name].value == pytest.approx(0.8 * whole[name].value)
        assert found[name].chance == pytest.approx(0.8 * whole[name].chance)
        assert found[name].interval()[0] < found[name].value < found[name].interval()[1]


def test_probes_without_mates_ask_nothing():
    vectors, probes, items, gallery = sides()
    asked = probes != 4
    found = ranking_values(ranking(vectors, probes, items, np.where(gallery == 4, 3, gallery)), MEASURES, RESAMPLING)
    wanted = ranking_values(
        ranking(vectors[asked], probes[asked], items, np.where(gallery == 4, 3, gallery)), MEASURES, RESAMPLING
    )
    for name in NAMES:
        assert found[name].value == pytest.approx(wanted[name].value)
        assert found[name].replicates == pytest.approx(wanted[name].replicates)


def test_without_crowds_the_gallery_is_taken_as_given():
    arguments = sides()
    scored = ranking(*arguments)
    known = ranking_values(scored, MEASURES, RESAMPLING)
    found = ranking_values(ranking(*arguments, known=False), MEASURES, RESAMPLING)
    values = np.bincount(scored.probes, weights=MEASURES[0].figure()(scored.ranks))
    draws = RESAMPLING.weights(scored.identities)
    exact = (draws @ values) / (draws @ np.bincount(scored.probes))
    assert np.corrcoef(found["mAP"].replicates, exact)[0, 1] > 0.95
    for name in NAMES:
        assert found[name].value == known[name].value and found[name].by_pair is None
    assert found["R@1"].replicates.tolist() != known["R@1"].replicates.tolist()


def test_some_of_many_probes_tell_about_the_same(monkeypatch):
    scored = ranking(*sides(people=20, probes=600, gallery=100))
    whole = ranking_values(scored, MEASURES[:1], RESAMPLING)["mAP"]
    monkeypatch.setattr(gallery_effects, "MOST_BLOCKS", len(scored.ranks.probe) * 20 // 3)
    some = ranking_values(scored, MEASURES[:1], RESAMPLING)["mAP"]
    assert some.value == whole.value
    assert some.spread().std() == pytest.approx(whole.spread().std(), rel=0.15)


def test_medians_are_drawn_by_who_asks():
    vectors, probes, items, gallery = sides(noise=1.0)
    measure = parse_measure("MedR")
    scored = ranking(vectors, probes, items, gallery, missing=[1])
    found = ranking_values(scored, [measure], RESAMPLING)["MedR"]
    places = np.append(measure.figure()(scored.ranks), np.inf)
    assert found.value == np.median(places)
    drawn = RESAMPLING.weights(scored.identities)[:, np.append(probes, 1)].astype(int)
    wanted = [np.median(np.repeat(places, each)) for each in drawn]
    assert found.replicates.tolist() == wanted
    low, high = found.interval()
    assert low <= found.value <= high


def test_medians_where_most_found_nothing():
    vectors, probes, items, gallery = sides()
    found = ranking_values(ranking(vectors, probes, items, gallery, [1] * 90), [parse_measure("MedR")], RESAMPLING)
    assert found["MedR"].value == np.inf and found["MedR"].interval()[1] == np.inf


def test_nothing_asked_has_no_figures():
    vectors, _, items, gallery = sides()
    scored = ranking(vectors, np.full(40, 9), items, np.where(gallery == 9, 0, gallery))
    for found in ranking_values(scored, [*MEASURES, parse_measure("MedR")], RESAMPLING).values():
        assert np.isnan([found.value, found.chance, *found.interval()]).all()


def test_one_identity_asked_for_has_no_interval():
    vectors, _, items, gallery = sides()
    found = ranking_values(ranking(vectors, np.zeros(40, int), items, gallery), MEASURES, RESAMPLING)["mAP"]
    assert 0 < found.value < 1 and np.isnan(found.interval()).all()
