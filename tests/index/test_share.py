import numpy as np
import pytest

from vfsearch.index.share import Share, share_of


def drawn_again(values, exact, groups, resamples: int = 4000) -> float:
    """The standard deviation of the quotient when identities are drawn anew, by a plain loop."""
    random = np.random.default_rng(3)
    sums = [[array[groups == group].sum() for group in np.unique(groups)] for array in (values, exact)]
    above, below = map(np.array, sums)
    draws = random.integers(0, len(above), (resamples, len(above)))
    return float((above[draws].sum(axis=1) / below[draws].sum(axis=1)).std())


@pytest.mark.parametrize("exact_is_one", [True, False])
def test_the_error_is_that_of_identities_drawn_anew(exact_is_one):
    random = np.random.default_rng(1)
    groups = random.integers(0, 150, 900)
    of_group = random.random(150)
    exact = np.ones(900) if exact_is_one else 0.5 + random.random(900) / 2
    values = exact * (0.7 * of_group[groups] + 0.3 * random.random(900))
    share = share_of(values, exact, groups)
    assert share.value == pytest.approx(values.sum() / exact.sum(), abs=1e-12)
    assert share.error == pytest.approx(drawn_again(values, exact, groups), rel=0.06)


def test_worked_by_hand():
    share = share_of(np.array([1.0, 1.0, 0.0, 1.0]), np.ones(4), np.array([5, 5, 9, 9]))
    # Rests 0.25, 0.25, -0.75, 0.25: 0.5 and -0.5 by identity; sqrt(2 * 0.5) / 4.
    assert share.value == 0.75 and share.error == pytest.approx(0.25)
    assert share.floor == pytest.approx(0.75 - 1.645 * 0.25) and share.interval == (pytest.approx(0.26), 1.0)
    assert set(share.to_json()) == {"value", "low", "high", "floor"}


def test_more_than_the_exact_neighbours_give():
    share = share_of(np.array([1.0, 0.6, 0.5]), np.array([0.8, 0.6, 0.6]), np.arange(3))
    low, high = share.interval
    assert share.value == 1.05 and low < share.value < high


def test_one_identity_is_taken_probe_by_probe():
    values = np.array([1.0, 0.0, 1.0, 1.0])
    assert share_of(values, np.ones(4), np.zeros(4, int)).error == share_of(values, np.ones(4), np.arange(4)).error > 0


def test_probes_without_a_figure_do_not_count():
    values, exact = np.array([0.5, np.nan, 1.0]), np.array([1.0, np.nan, 1.0])
    assert share_of(values, exact, np.arange(3)).value == 0.75


def test_everything_found_leaves_no_doubt_and_nothing_asked_no_figure():
    assert share_of(np.ones(5), np.ones(5), np.arange(5)) == Share(value=1.0, error=0.0)
    for exact in (np.zeros(2), np.full(2, np.nan)):
        share = share_of(np.zeros(2), exact, np.arange(2))
        assert np.isnan(share.value) and np.isnan(share.error)
