import numpy as np
import pytest

from vfsearch.measure.interval import mean_interval, trial_interval
from vfsearch.measure.verification import ScoredTrials, auc


def trials_with_identity_effects(people: int = 30, each: int = 40, seed: int = 0):
    """Scores whose level depends on both identities, as scores of real people do."""
    random = np.random.default_rng(seed)
    effect = random.normal(size=people)
    probes = random.integers(0, people, people * each)
    mated = random.random(len(probes)) < 0.5
    items = np.where(mated, probes, (probes + random.integers(1, people, len(probes))) % people)
    scores = 1.5 * mated + effect[probes] + effect[items] + random.normal(size=len(probes))
    return probes, items, mated, scores


def figure_of(scores, mated):
    trials = ScoredTrials(scores, mated)
    return lambda weights=None: auc(*trials.operating_points(weights))


def test_the_mean_lies_within_and_the_seed_decides():
    random = np.random.default_rng(1)
    identities = random.integers(0, 20, 300)
    values = random.normal(size=20)[identities] + random.normal(size=300)
    low, high = mean_interval(values, identities, seed=3)
    assert low < values.mean() < high
    assert mean_interval(values, identities, seed=3) == (low, high)
    assert mean_interval(values, identities, seed=4) != (low, high)


def test_names_and_order_of_identities_change_nothing():
    values, identities = np.random.default_rng(2).random(60), np.arange(60) % 7
    wanted = mean_interval(values, identities, 1)
    assert mean_interval(values, identities * 10 + 5, 1) == wanted
    order = np.random.default_rng(3).permutation(60)
    assert mean_interval(values[order], identities[order], 1) == pytest.approx(wanted, abs=1e-12)


def test_one_trial_an_identity_gives_the_usual_standard_error():
    values = np.random.default_rng(4).normal(size=400)
    low, high = mean_interval(values, np.arange(400), 1)
    assert (high - low) / 2 == pytest.approx(1.96 / np.sqrt(400), rel=0.15)


def test_repeating_every_trial_changes_nothing():
    values, identities = np.random.default_rng(5).normal(size=50), np.arange(50) % 10
    wanted = mean_interval(values, identities, 1)
    assert mean_interval(np.repeat(values, 20), np.repeat(identities, 20), 1) == pytest.approx(wanted, abs=1e-12)


def test_trials_of_few_identities_are_worth_less_than_they_seem():
    probes, items, mated, scores = trials_with_identity_effects()
    figure = figure_of(scores, mated)
    low, high = trial_interval(figure, probes, items, seed=1)
    random = np.random.default_rng(1)
    naive = [figure(random.multinomial(len(scores), np.full(len(scores), 1 / len(scores))) * 1.0) for _ in range(200)]
    naive_low, naive_high = np.percentile(naive, [2.5, 97.5])
    assert low < figure() < high
    assert high - low > 1.5 * (naive_high - naive_low)
    assert trial_interval(figure, probes, items, seed=1) == (low, high)


def test_the_truth_lies_within_about_as_often_as_promised():
    # Means of 12 people with 10 trials each: 95 % in the long run, a little less with so few people.
    inside = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        identities = np.repeat(np.arange(12), 10)
        values = random.normal(size=12)[identities] + random.normal(size=120)
        low, high = mean_interval(values, identities, seed)
        inside += low <= 0.0 <= high
    assert 80 <= inside <= 100


def test_a_pair_counts_as_often_as_its_identities_are_drawn():
    seen = []

    def figure(weights):
        seen.append(weights)
        return 0.0

    probes, items = np.array([5, 5, 7, 7]), np.array([5, 7, 7, 9])
    trial_interval(figure, probes, items, seed=1)
    for own, both, mate, last in seen:
        assert both == own * mate  # 5 with 7
        assert own + mate <= 3 and last in (0, mate, 2 * mate, 3 * mate)
    assert len({tuple(each) for each in seen}) > 3


def test_resamples_without_a_mated_trial_are_left_out():
    # Identity 0 has the only mated trial: where it is not drawn (a third of the resamples) there is no AUC.
    probes, items = np.array([0, 1, 2, 1]), np.array([0, 2, 1, 3])
    figure = figure_of(np.array([0.5, 0.1, 0.9, 0.2]), probes == items)
    low, high = trial_interval(figure, probes, items, seed=1)
    assert 0.0 <= low <= high <= 1.0


def test_no_mated_trial_at_all_has_no_interval():
    probes, items = np.array([0, 1]), np.array([1, 0])
    assert np.isnan(trial_interval(figure_of(np.ones(2), probes == items), probes, items, 1)).all()


def test_one_identity_has_an_interval_of_no_width():
    assert mean_interval(np.array([0.0, 1.0, 1.0]), np.zeros(3, int), 1) == pytest.approx((2 / 3, 2 / 3))


def test_nothing_has_no_interval():
    none = np.zeros(0)
    assert np.isnan(mean_interval(none, none, 1)).all()
    assert np.isnan(trial_interval(lambda weights: 1.0, none, none, 1)).all()
