import dataclasses

import numpy as np
import pytest
from builders import rounds
from plain_verification import FIGURES
from verification_lists import measure, points_of, random_pairs

from vfsearch.data.scored import ScoredPairs
from vfsearch.errors import InputError
from vfsearch.measure import score_bins
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.resampling import Resampling
from vfsearch.measure.verification_values import chance, verification_values

MEASURES = [measure(name) for name in FIGURES]
FEW = Resampling(seed=1, resamples=12)
USUAL = [measure(name) for name in ("AUC", "EER", "minDCF(0.01)", "TAR@FAR=0.01")]


class InPieces:
    """The same trials a few at a time, more identities being known as the list goes on."""

    def __init__(self, pairs, each=37):
        self.pairs, self.each, self.identities = pairs, each, pairs.identities

    def __len__(self):
        return len(self.pairs)

    def chunks(self):
        pairs = self.pairs
        for start in range(0, len(pairs), self.each):
            part = slice(start, start + self.each)
            ends = int(max(pairs.probes[: part.stop].max(), pairs.items[: part.stop].max())) + 1
            yield ScoredPairs(
                scores=pairs.scores[part], mated=pairs.mated[part], probes=pairs.probes[part], items=pairs.items[part],
                identities=pairs.identities[:ends],
            )  # fmt: skip


def people_with_effects(n=4000, people=40, seed=0):
    random = np.random.default_rng(seed)
    effect, probes, mated = random.normal(size=people), random.integers(0, people, n), random.random(n) < 0.5
    items = np.where(mated, probes, (probes + random.integers(1, people, n)) % people)
    scores = 1.5 * mated + 0.5 * (effect[probes] + effect[items]) + random.normal(size=n)
    names = [f"p{number:03}" for number in range(people)]
    return ScoredPairs(scores=scores, mated=mated, probes=probes, items=items, identities=names)


@pytest.mark.parametrize(("in_memory", "most"), [(1, 40), (40, 300), (150, 300)], ids=["nothing", "some", "most"])
def test_lists_on_the_disk_give_the_same_figures_and_replicates(tmp_path, in_memory, most):
    for seed in range(rounds(12, 600)):
        pairs = random_pairs(seed, most)
        if len(pairs) <= in_memory:
            continue
        held = verification_values(pairs, MEASURES, FEW)
        spilled = verification_values(InPieces(pairs), MEASURES, FEW, in_memory=in_memory, folder=tmp_path)
        for name, estimate in held.items():
            other = spilled[name]
            assert other.value == pytest.approx(estimate.value, abs=1e-12, rel=1e-12, nan_ok=True), (seed, name)
            # Weights of bins are summed in float32 there.
            assert other.replicates == pytest.approx(estimate.replicates, abs=1e-5, rel=1e-5, nan_ok=True), (seed, name)
            assert other.by_pair == pytest.approx(estimate.by_pair, abs=1e-5, rel=1e-5, nan_ok=True), (seed, name)
            assert (other.widening, other.fraction) == pytest.approx(
                (estimate.widening, estimate.fraction), nan_ok=True
            )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "scores",
    [np.zeros(500), np.full(500, -np.inf), np.arange(500.0), -np.arange(500.0), np.repeat([0.5, 0.25], 250)],
    ids=["all tied", "all missing", "rising", "falling", "two values"],
)
def test_lists_that_are_hard_to_sort_by_parts(scores):
    mated = np.random.default_rng(0).random(500) < 0.3
    other = np.where(mated, 0, 1)
    pairs = ScoredPairs(scores=scores, mated=mated, probes=np.zeros(500, int), items=other, identities=["a", "b"])
    held = verification_values(pairs, MEASURES, FEW)
    spilled = verification_values(InPieces(pairs), MEASURES, FEW, in_memory=40)
    for name in held:
        assert spilled[name].value == pytest.approx(held[name].value, abs=1e-12, rel=1e-12, nan_ok=True), name


def test_figures_are_those_of_the_operating_points():
    for seed in range(20):
        pairs = random_pairs(seed)
        for name, estimate in verification_values(pairs, MEASURES, FEW).items():
            wanted = measure(name).figure()(points_of(pairs.scores, pairs.mated))
            assert estimate.value == pytest.approx(wanted, nan_ok=True), (seed, name)


def test_a_trial_counts_as_often_as_its_identities_are_drawn():
    for seed in range(20):
        pairs = random_pairs(seed)
        present = np.unique([pairs.probes, pairs.items])
        drawn = np.zeros((FEW.resamples, len(pairs.identities)))
        drawn[:, present] = FEW.weights([pairs.identities[number] for number in present])
        once = pairs.mated | (pairs.probes == pairs.items)
        for name, estimate in verification_values(pairs, MEASURES, FEW).items():
            if name == "EER(nearest-max)":
                continue  # its corners are of steps, and a step may weigh nothing
            for draw, found in zip(drawn, estimate.replicates, strict=True):
                weights = np.where(once, draw[pairs.probes], draw[pairs.probes] * draw[pairs.items])
                wanted = measure(name).figure()(points_of(pairs.scores, pairs.mated, weights))
                wanted = wanted if np.isfinite(wanted) else np.nan
                assert found == pytest.approx(wanted, abs=1e-12, nan_ok=True), (seed, name)


def test_replicates_on_bins_scatter_as_those_of_every_score(monkeypatch):
    pairs = people_with_effects(n=20_000)
    binned = verification_values(pairs, USUAL, Resampling(seed=1, resamples=100))
    monkeypatch.setattr(score_bins, "MOST_WHOLE", 10**6)
    whole = verification_values(pairs, USUAL, Resampling(seed=1, resamples=100))
    for name in whole:
        assert binned[name].value == whole[name].value
        apart = np.abs(binned[name].replicates - whole[name].replicates).max()
        assert apart < 0.1 * whole[name].replicates.std(), name


def test_lists_on_the_disk_scatter_alike_on_bins():
    pairs = people_with_effects(n=12_000)
    held = verification_values(pairs, USUAL, Resampling(seed=1, resamples=60))
    spilled = verification_values(InPieces(pairs, 1000), USUAL, Resampling(seed=1, resamples=60), in_memory=2000)
    for name in held:
        assert spilled[name].value == pytest.approx(held[name].value, abs=1e-12)
        assert spilled[name].replicates == pytest.approx(held[name].replicates, abs=1e-5), name


def test_the_order_of_trials_and_of_names_changes_nothing():
    pairs = people_with_effects(n=600)
    order = np.random.default_rng(1).permutation(600)
    renamed = np.random.default_rng(2).permutation(40)
    names = [""] * 41
    for old, new in enumerate(renamed):
        names[new] = pairs.identities[old]
    names[40] = "somebody who takes no part"
    shuffled = ScoredPairs(
        scores=pairs.scores[order], mated=pairs.mated[order], probes=renamed[pairs.probes[order]],
        items=renamed[pairs.items[order]], identities=names,
    )  # fmt: skip
    first, second = (verification_values(each, USUAL, FEW) for each in (pairs, shuffled))
    for name in first:
        assert second[name].value == pytest.approx(first[name].value, abs=1e-12)
        assert second[name].replicates == pytest.approx(first[name].replicates, abs=1e-12)


def test_the_interval_is_wider_than_one_that_takes_trials_for_independent():
    pairs = people_with_effects()
    low, high = verification_values(pairs, [measure("AUC")], Resampling(seed=1))["AUC"].interval()
    random = np.random.default_rng(1)
    naive = [
        measure("AUC").figure()(points_of(pairs.scores[chosen], pairs.mated[chosen]))
        for chosen in random.integers(0, len(pairs), (200, len(pairs)))
    ]
    naive_low, naive_high = np.percentile(naive, [2.5, 97.5])
    assert high - low > 1.5 * (naive_high - naive_low)


def test_scores_without_information_are_at_chance_without_doubt():
    pairs = dataclasses.replace(people_with_effects(n=300), scores=np.zeros(300))
    for name, estimate in verification_values(pairs, MEASURES, FEW).items():
        if not np.isnan(estimate.chance):
            assert estimate.value == estimate.chance, name
        if name not in ("EER(kaldi)", "EER(nearest-max)"):
            assert np.ptp(estimate.replicates) == pytest.approx(0.0, abs=1e-12), name


def test_chance_is_what_equal_scores_give():
    wanted = {"AUC": 0.5, "EER": 0.5, "minDCF(0.01)": 1.0, "TAR@FAR=0.01": 0.0, "Cllr": 1.0, "minCllr": 1.0}
    assert {name: chance(measure(name), 30, 70) for name in wanted} == pytest.approx(wanted)
    assert np.isnan(chance(measure("FMR@T=0.5"), 30, 70)) and np.isnan(chance(measure("AUC"), 0, 70))


@pytest.mark.parametrize("mated", [True, False])
@pytest.mark.parametrize("in_memory", [10**6, 2], ids=["held", "on the disk"])
def test_one_kind_alone_has_no_figure_and_no_interval(mated, in_memory):
    pairs = ScoredPairs(
        scores=np.arange(9.0), mated=np.full(9, mated), probes=np.arange(9) % 3,
        items=(np.arange(9) + (not mated)) % 3, identities=["a", "b", "c"],
    )  # fmt: skip
    for estimate in verification_values(pairs, USUAL, FEW, in_memory=in_memory).values():
        value = estimate.to_value()
        assert np.isnan([value.value, value.low, value.high, value.chance]).all()


def test_no_trial_at_all_has_no_figure():
    none = np.zeros(0, dtype=np.int64)
    pairs = ScoredPairs(scores=np.zeros(0), mated=np.zeros(0, bool), probes=none, items=none, identities=[])
    assert all(np.isnan(estimate.value) for estimate in verification_values(pairs, USUAL, FEW).values())


def test_an_infinite_cost_is_a_figure_but_no_replicate():
    pairs = dataclasses.replace(people_with_effects(n=50), scores=np.full(50, -np.inf))
    estimate = verification_values(pairs, [measure("Cllr")], FEW)["Cllr"]
    assert estimate.value == np.inf and np.isnan(estimate.replicates).all()


@pytest.mark.parametrize("in_memory", [10**6, 2], ids=["held", "on the disk"])
def test_what_is_not_a_score_is_refused(in_memory):
    pairs = dataclasses.replace(people_with_effects(n=50), scores=np.where(np.arange(50) == 30, np.nan, 0.0))
    with pytest.raises(InputError, match="score of trial 31 of 50 is NaN"):
        verification_values(pairs, USUAL, FEW, in_memory=in_memory)


def test_a_spill_is_measured_as_what_was_put_in_it(tmp_path):
    pairs = people_with_effects(n=500)
    with PairSpill(tmp_path) as spill:
        for part in InPieces(pairs).chunks():
            spill.add(part)
        for in_memory in (10**6, 100):
            found = verification_values(spill, USUAL, FEW, in_memory=in_memory, folder=tmp_path)
            for name, estimate in verification_values(pairs, USUAL, FEW).items():
                assert found[name].value == pytest.approx(estimate.value, abs=1e-12)
    assert not list(tmp_path.iterdir())
