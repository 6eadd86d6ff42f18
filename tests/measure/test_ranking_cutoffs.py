from fractions import Fraction
from math import fsum, log2

import numpy as np
import pytest

from vfsearch.data.ranks import MateRanks, mate_ranks_of_lists
from vfsearch.measure.ranking_cutoffs import ndcg_at, precision_at, r_precision, recall_at


def one(scores, is_mate, mates=None) -> MateRanks:
    """One probe's list."""
    is_mate = np.array(is_mate, bool)
    return mate_ranks_of_lists(
        np.zeros(len(scores), int),
        np.array(scores, float),
        is_mate,
        np.array([is_mate.sum() if mates is None else mates]),
    )


def blocks(*entries, mates: int, gallery: int) -> MateRanks:
    """One probe, from (above, tied, mates above, mates tied)."""
    columns = np.array(entries, np.int64).T
    names = ("above", "tied", "mates_above", "mates_tied")
    return MateRanks(
        probe=np.zeros(len(entries), np.int64), mates=np.array([mates]), gallery=np.array([gallery]),
        **dict(zip(names, columns, strict=True)),
    )  # fmt: skip


def test_golden():
    # Mate, other, (mate, other) tied, mate; a fourth mate was not retrieved.
    found = one([5, 4, 3, 3, 2], [1, 0, 1, 0, 1], mates=4)
    assert recall_at(found, 3)[0] == (1 + 0.5) / 4
    assert precision_at(found, 3)[0] == (1 + 0.5) / 3
    assert precision_at(found, 10)[0] == 3 / 10
    assert r_precision(found)[0] == (1 + 1) / 4
    ideal = 1 + 1 / log2(3) + 1 / log2(4)
    assert ndcg_at(found, 3)[0] == pytest.approx((1 + 0.5 / log2(4)) / ideal, abs=1e-15)


@pytest.mark.parametrize("k", [1, 100, 5_000, 20_076, 10**9])
def test_are_right_to_the_last_digits_deep_in_a_large_gallery(k):
    table = [(0, 1, 0, 1), (40, 3, 1, 1), (4_000, 7_000, 2, 60), (20_000, 76, 62, 44)]
    found = blocks(*table, mates=120, gallery=20_076)
    inside = [(Fraction(r, n), above, max(0, min(n, k - above))) for above, n, _, r in table]
    hits = sum(share * places for share, _, places in inside)
    assert recall_at(found, k)[0] == pytest.approx(float(hits / 120), abs=1e-14)
    assert precision_at(found, k)[0] == pytest.approx(float(hits / k), abs=1e-14)
    gain = fsum(float(share) / log2(above + i + 2) for share, above, places in inside for i in range(places))
    ideal = fsum(1 / log2(i + 2) for i in range(min(k, 120)))
    assert ndcg_at(found, k)[0] == pytest.approx(gain / ideal, rel=0, abs=1e-13)


@pytest.mark.parametrize(("mates", "wanted"), [(0, np.nan), (2, 0.0)], ids=["no mates", "no mate was retrieved"])
def test_edges(mates, wanted):
    found = one([2, 1], [0, 0], mates=mates)
    for values in (recall_at(found, 1), precision_at(found, 1), r_precision(found), ndcg_at(found, 1)):
        np.testing.assert_array_equal(values, [wanted])
