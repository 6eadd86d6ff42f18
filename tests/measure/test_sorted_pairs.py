import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from verification_lists import points_of, random_pairs

from vfsearch.data.scored import ScoredPairs
from vfsearch.errors import InputError
from vfsearch.measure.pair_spill import PairSpill
from vfsearch.measure.sorted_pairs import curve, tied_share


def pairs_of(trials) -> ScoredPairs:
    scores, mated = np.array([float(s) for s, _ in trials]), np.array([m for _, m in trials], dtype=bool)
    zeros = np.zeros(len(trials), dtype=int)
    return ScoredPairs(scores=scores, mated=mated, probes=zeros, items=zeros, identities=["a"])


@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=1, max_size=30), st.sampled_from([100, 8, 1]))
def test_the_share_of_ties_is_that_of_a_plain_loop(trials, in_memory):
    plain = np.mean([any(s == t and m != n for t, n in trials) for s, m in trials])
    assert tied_share(pairs_of(trials), in_memory) == pytest.approx(plain, abs=1e-12)


def test_ties_of_trials_in_pieces():
    with PairSpill() as spill:
        for _ in range(3):
            spill.add(pairs_of([(1, True), (-np.inf, False), (2, False)]))
        spill.add(pairs_of([(2, True), (-np.inf, True), (3, False)]))
        assert tied_share(spill) == tied_share(spill, in_memory=1) == 8 / 12


def test_no_trial_ties_with_nothing():
    assert tied_share(pairs_of([])) == 0.0


@pytest.mark.parametrize("seed", range(8))
def test_the_curve_of_few_trials_is_whole_wherever_they_are(seed):
    pairs = random_pairs(seed)
    wanted = points_of(pairs.scores, pairs.mated)
    for in_memory in (1000, 5):
        found = curve(pairs, in_memory)
        for name in ("thresholds", "mated", "other"):
            assert np.array_equal(getattr(found, name), getattr(wanted, name))


def test_the_curve_of_many_trials_has_points_of_the_whole_one_at_fine_steps():
    random = np.random.default_rng(1)
    mated = random.random(60_000) < 0.3
    pairs = pairs_of(list(zip(random.normal(size=60_000) + mated, mated, strict=True)))
    whole, found = points_of(pairs.scores, pairs.mated), curve(pairs, 10_000)
    places = np.searchsorted(-whole.thresholds, -found.thresholds)
    for name in ("thresholds", "mated", "other"):
        assert np.array_equal(getattr(whole, name)[places], getattr(found, name))
    assert len(places) < 12_000 and places[0] == 0 and places[-1] == len(whole.thresholds) - 1
    assert np.diff(found.fmr).max() < 1e-3 and np.diff(found.tmr).max() < 1e-3


@pytest.mark.parametrize("in_memory", [100, 1])
def test_what_is_no_score_has_no_curve(in_memory):
    with pytest.raises(InputError, match="is NaN"):
        curve(pairs_of([(1, True), (float("nan"), False)]), in_memory)
