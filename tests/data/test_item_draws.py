import numpy as np
import pytest

from vfsearch.data.item_draws import drawn_items, item_key

NAMES = ["a"] * 5 + ["b"] * 3
IDS = [f"{name}{row}" for row, name in enumerate(NAMES)]


def plain(amounts, limit, seed) -> list[int]:
    kept = []
    for name in "ab":
        reached = 0.0
        for row in sorted((row for row in range(8) if NAMES[row] == name), key=lambda row: item_key(IDS[row], seed)):
            if reached >= limit:
                break
            reached += amounts[row]
            kept.append(row)
    return sorted(kept)


@pytest.mark.parametrize("limit", [0.5, 1, 2, 3, 4.5, 100])
@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_whole_items_until_the_limit_is_reached(limit, seed):
    for amounts in (np.ones(8), np.array([0.5, 3, 1, 0.25, 2, 1, 1, 4])):
        assert drawn_items(NAMES, IDS, amounts, limit, seed).tolist() == plain(amounts, limit, seed)


def test_every_item_is_as_likely():
    counts = np.zeros(8)
    for seed in range(600):
        counts[drawn_items(NAMES, IDS, np.ones(8), 1, seed)] += 1
    assert counts.sum() == 1200
    assert abs(counts[:5] - 120).max() < 50 and abs(counts[5:] - 200).max() < 60


def test_sums_that_are_no_binary_fractions():
    """Ten times 0.1 is 1: the eleventh clip is not taken because of a rest of rounding."""
    ids = [str(row) for row in range(3000)]
    names = [f"{row // 30:03}" for row in range(3000)]
    found = drawn_items(names, ids, np.full(3000, 0.1), 1.0, seed=1)
    assert len(found) == 1000
