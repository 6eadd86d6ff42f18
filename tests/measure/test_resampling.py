import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vfsearch.errors import SettingsError
from vfsearch.measure.resampling import MOST_UNITS, Resampling


@given(st.sets(st.text(max_size=3), min_size=1, max_size=20), st.randoms())
def test_draws_depend_on_who_is_there_not_on_their_order(people, random):
    names = sorted(people)
    order = random.sample(range(len(names)), len(names))
    resampling = Resampling(seed=3, resamples=20)
    wanted = resampling.weights(names)
    assert (resampling.weights([names[place] for place in order]) == wanted[:, order]).all()
    assert (wanted.sum(axis=1) == len(names)).all()


def test_each_identity_is_drawn_once_on_average_with_the_variance_of_drawing_with_replacement():
    weights = Resampling(seed=1, resamples=4000).weights([f"p{n}" for n in range(50)])
    assert weights.shape == (4000, 50) and weights.dtype == np.float64
    assert weights.mean(axis=0) == pytest.approx(np.ones(50), abs=0.08)
    assert weights.var(axis=0).mean() == pytest.approx(1 - 1 / 50, rel=0.03)


def test_the_seed_decides():
    names = list("abcdefgh")
    assert (Resampling(seed=1).weights(names) == Resampling(seed=1).weights(names)).all()
    assert (Resampling(seed=1).weights(names) != Resampling(seed=2).weights(names)).any()


def test_a_name_that_stands_twice_is_one_identity():
    weights = Resampling(seed=1, resamples=50).weights(["b", "a", "b"])
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, :2].sum(axis=1) == 2).all()


def test_many_identities_are_drawn_in_groups():
    names = [f"p{n}" for n in range(1000)]
    resampling = Resampling(seed=1, resamples=30)
    units = resampling.units(names)
    assert units.max() == MOST_UNITS - 1
    assert set(np.bincount(units)) == {3, 4}  # as even as 1000 in 256 can be
    assert (resampling.weights(names) == resampling.draws(MOST_UNITS)[:, units]).all()
    assert (resampling.units(names[::-1]) == units[::-1]).all()
    assert len(set(units[:20])) > 15  # at random: neighbours in the alphabet are no group


def test_pairs_are_weighted_by_themselves():
    tables = np.array(list(Resampling(seed=1).pair_weights(9, 400)))
    assert tables.shape == (400, 9, 9)
    assert (tables == tables.transpose(0, 2, 1)).all()
    assert (tables[:, range(9), range(9)] == 1).all()
    pairs = tables[:, *np.triu_indices(9, 1)]
    assert set(pairs.ravel()) == {0.0, 2.0}
    assert np.corrcoef(pairs.T)[0, 1:] == pytest.approx(np.zeros(35), abs=0.2)


def test_nobody():
    assert Resampling(seed=1, resamples=5).weights([]).shape == (5, 0)
    assert [table.shape for table in Resampling(seed=1).pair_weights(0, 2)] == [(0, 0)] * 2


@pytest.mark.parametrize("wrong", [{"seed": 1, "resamples": 0}, {"seed": -1}])
def test_settings_are_checked(wrong):
    with pytest.raises(SettingsError, match="resamples >= 1 and seed >= 0"):
        Resampling(**wrong)
