from fractions import Fraction
from math import comb

import numpy as np
import pytest

from vfsearch.data.ranks import MateRanks, mate_ranks_of_lists
from vfsearch.measure.ranking_best import best_rank, reciprocal_rank


def block(above: int, n: int, r: int) -> MateRanks:
    """One probe whose mates are all in one block."""
    one = {name: np.array([value]) for name, value in
           {"probe": 0, "above": above, "tied": n, "mates_above": 0, "mates_tied": r, "mates": r}.items()}  # fmt: skip
    return MateRanks(**one, gallery=np.array([above + n]))


def chances(n: int, r: int):
    """Of each place of the best of r mates among n."""
    return [Fraction(comb(n - j, r - 1), comb(n, r)) for j in range(1, n - r + 2)]


@pytest.mark.parametrize("above", [0, 1, 3, 1000], ids=lambda above: f"{above} above")
@pytest.mark.parametrize(("n", "r"), [(1, 1), (2, 1), (2, 2), (7, 3), (60, 2), (300, 40), (400, 1), (500, 499)])
def test_are_the_means_over_the_places_of_the_best(above, n, r):
    places = list(enumerate(chances(n, r), start=above + 1))
    rank = float(sum(place * chance for place, chance in places))
    inverse = float(sum(chance / place for place, chance in places))
    assert best_rank(block(above, n, r))[0] == pytest.approx(rank, rel=1e-14)
    assert reciprocal_rank(block(above, n, r))[0] == pytest.approx(inverse, rel=1e-13)


@pytest.mark.parametrize("r", [2, 106, 5000])
def test_a_block_as_large_as_a_gallery_has_the_same_value_by_both_ways(r):
    # Term by term with nobody above is the closed form with nobody above, up to the one item left out.
    n = 20_076
    assert reciprocal_rank(block(0, n, r))[0] == pytest.approx(_by_terms(0, n, r), rel=1e-12)
    assert reciprocal_rank(block(1, n, r))[0] == pytest.approx(_by_terms(1, n, r), rel=1e-12)


def _by_terms(above, n, r):
    chance, total = Fraction(r, n), []
    value = float(chance)
    for j in range(1, n - r + 2):
        total.append(value / (above + j))
        value *= (n - j - r + 1) / (n - j)
    return float(np.sum(total))


def test_golden():
    found = mate_ranks_of_lists(
        np.array([0, 0, 0, 1, 1]), np.array([3.0, 2, 2, 1, 0]), np.array([False, True, False, False, False]),
        mates=np.array([1, 2, 0]),
    )  # fmt: skip
    np.testing.assert_array_equal(best_rank(found), [2.5, np.inf, np.nan])
    np.testing.assert_allclose(reciprocal_rank(found), [(1 / 2 + 1 / 3) / 2, 0.0, np.nan], rtol=1e-15)
