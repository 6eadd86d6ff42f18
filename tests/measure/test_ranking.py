from fractions import Fraction
from itertools import pairwise, permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from vfsearch.data.ranks import MateRanks, uninformed
from vfsearch.measure.ranking import average_precision, hit_at, tied_with_others

LISTS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6)


def ranks_of(scores, is_mate) -> MateRanks:
    """The blocks of one probe, counted plainly."""
    scores, is_mate = np.asarray(scores, float), np.asarray(is_mate, bool)
    best_first = sorted(set(scores[is_mate]), reverse=True)
    return ranks(
        [((scores > s).sum(), (scores == s).sum(), (scores[is_mate] > s).sum(), (scores[is_mate] == s).sum())
         for s in best_first], len(scores),
    )  # fmt: skip


def ranks(blocks, gallery) -> MateRanks:
    """One probe, from (above, tied, mates above, mates tied)."""
    table = np.array(blocks, np.int64).reshape(-1, 4)
    return MateRanks(
        probe=np.zeros(len(table), np.int64), above=table[:, 0], tied=table[:, 1], mates_above=table[:, 2],
        mates_tied=table[:, 3], mates=np.array([table[:, 3].sum()]), gallery=np.array([gallery]),
    )  # fmt: skip


def orders(scores, is_mate):
    """Every ranking that agrees with the scores, as rows of "is a mate"."""
    for order in permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in pairwise(order)):
            yield [is_mate[place] for place in order]


def precision_of(ranking) -> Fraction:
    found, total = 0, Fraction(0)
    for place, mate in enumerate(ranking, start=1):
        if mate:
            found += 1
            total += Fraction(found, place)
    return total / found


def exact_precision(blocks) -> Fraction:
    """The definition of a tied block's share, term by term."""
    total = Fraction(0)
    for above, n, mates_above, r in blocks:
        slope = Fraction(r - 1, n - 1) if n > 1 else Fraction(0)
        total += Fraction(r, n) * sum((mates_above + 1 + j * slope) / (above + 1 + j) for j in range(n))
    return total / sum(block[3] for block in blocks)


@settings(deadline=None, max_examples=60)
@given(LISTS)
def test_precision_and_hits_are_means_over_every_order_of_ties(items):
    scores, is_mate = zip(*items, strict=True)
    found = ranks_of(scores, is_mate)
    if not any(is_mate):
        assert np.isnan([average_precision(found)[0], hit_at(found, 1)[0]]).all()
        return
    rankings = list(orders(scores, is_mate))
    mean = sum(map(precision_of, rankings)) / len(rankings)
    assert average_precision(found)[0] == pytest.approx(float(mean), abs=1e-13)
    for k in (1, 2, 3, 10):
        share = np.mean([any(ranking[:k]) for ranking in rankings])
        assert hit_at(found, k)[0] == pytest.approx(share, abs=1e-13)


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(25)), st.lists(st.booleans(), min_size=25, max_size=25))
def test_precision_without_ties_is_that_of_scikit_learn(scores, is_mate):
    if any(is_mate):
        wanted = average_precision_score(is_mate, np.array(scores, float))
        assert average_precision(ranks_of(scores, is_mate))[0] == pytest.approx(wanted, abs=1e-13)


def test_precision_with_ties_is_the_mean_of_random_orders():
    random = np.random.default_rng(4)
    scores, is_mate = random.integers(0, 5, 40), random.random(40) < 0.3
    shuffled = [average_precision_score(is_mate, scores + 0.5 * random.random(40)) for _ in range(3000)]
    spread = 4 * np.std(shuffled) / np.sqrt(len(shuffled))
    assert average_precision(ranks_of(scores, is_mate))[0] == pytest.approx(np.mean(shuffled), abs=spread)


@pytest.mark.parametrize(
    "blocks",
    [
        [(0, 1, 0, 1)],
        [(20_000, 2, 0, 2)],
        [(20_000, 76, 3, 40)],
        [(99, 2, 0, 2), (150, 30, 2, 7)],
        [(101, 3, 1, 1)],
        [(50, 3000, 0, 100)],
        [(0, 5000, 0, 27)],
        [(1_000_000, 7, 0, 7)],
        [(99, 1, 0, 1), (100, 1, 1, 1), (101, 2, 2, 2)],
    ],
    ids=str,
)
def test_precision_is_right_to_the_last_digits_deep_in_a_large_gallery(blocks):
    found = average_precision(ranks(blocks, 2_000_000))[0]
    assert found == pytest.approx(float(exact_precision(blocks)), abs=1e-15, rel=2e-13)


@pytest.mark.parametrize(
    ("n", "r", "k"), [(20_076, 106, 10), (20_076, 1, 1), (20_076, 106, 500), (20_076, 20_000, 3), (300, 5, 299)]
)
def test_hits_are_right_to_the_last_digits(n, r, k):
    missed = Fraction(comb(n - r, k), comb(n, k))
    assert hit_at(ranks([(0, n, 0, r)], n), k)[0] == pytest.approx(float(1 - missed), abs=1e-15 * (1 + min(k, r)))


def test_golden():
    # Mate, other, (mate, other) tied, mate: 1, then 2/3 or 2/4 at the places 3 and 4, then 3/5.
    found = ranks_of([5, 4, 3, 3, 2], [True, False, True, False, True])
    assert average_precision(found)[0] == pytest.approx((1 + (2 / 3 + 2 / 4) / 2 + 3 / 5) / 3, abs=1e-15)
    assert hit_at(found, 1).tolist() == [1.0]
    assert tied_with_others(found).tolist() == [True]


@pytest.mark.parametrize(
    ("scores", "is_mate", "tied"),
    [([1, 1, 0], [1, 1, 0], False), ([1, 1, 0], [1, 0, 0], True), ([1, 0, 0], [1, 0, 0], False)],
    ids=["mates among themselves", "mate and other", "others among themselves"],
)
def test_a_tie_counts_when_it_mixes_mates_and_others(scores, is_mate, tied):
    assert tied_with_others(ranks_of(scores, is_mate)).tolist() == [tied]


@pytest.mark.parametrize(("k", "hit"), [(1, 0.0), (2, 0.0), (3, 1 / 3), (4, 2 / 3), (5, 1.0), (99, 1.0)])
def test_hits_within_a_block_after_two_others(k, hit):
    assert hit_at(ranks_of([9, 8, 3, 3, 3], [0, 0, 1, 0, 0]), k)[0] == pytest.approx(hit, abs=1e-15)


def test_chance_of_a_probe_is_the_mean_over_every_order_of_its_gallery():
    mates, gallery = 2, 5
    chance = uninformed(ranks([(0, 1, 0, 1), (3, 1, 1, 1)], gallery))
    every = [precision_of(order) for order in permutations([True] * mates + [False] * (gallery - mates))]
    assert average_precision(chance)[0] == pytest.approx(float(sum(every) / len(every)), abs=1e-14)
    assert hit_at(chance, 1)[0] == pytest.approx(mates / gallery, abs=1e-15)


def test_no_probes():
    none = MateRanks(**dict.fromkeys(
        ("probe", "above", "tied", "mates_above", "mates_tied", "mates", "gallery"), np.zeros(0, np.int64)
    ))  # fmt: skip
    for values in (average_precision(none), hit_at(none, 1), tied_with_others(none)):
        assert values.shape == (0,)
