import numpy as np
import pytest
from audited_lists import face, gallery_list, pair_list, pairs, voice

from vfsearch.trials.audit.order import by_period, by_place, by_previous, longest_run
from vfsearch.trials.audit.run import audit
from vfsearch.trials.audit.separation import separation


def leaks(rows) -> dict[str, str]:
    """What gives the labels away -> its figures."""
    listed = pair_list(rows) if isinstance(rows[0][-1], int) else gallery_list(rows)
    found = audit(listed).findings
    return {each.kind.name: each.detail for each in found if each.kind.name.startswith(("label-by", "one-label"))}


def ordered(rule) -> list:
    """Good pairs with labels as `rule` orders them."""
    rows = pairs()
    sides = {mated: iter([row for row in rows if row[2] == mated]) for mated in (0, 1)}
    return [next(sides[label]) for label in rule]


HALF = 600
ORDERS = {
    "alternating": [1, 0] * HALF,
    "sorted": [1] * HALF + [0] * HALF,
    "sorted backwards": [0] * HALF + [1] * HALF,
    "period 3": [1, 0, 0] * 300,
    "runs of 60": ([1] * 60 + [0] * 60) * 10,
    "mostly alternating": (np.cumsum(np.random.default_rng(0).random(1000) < 0.95) % 2).tolist(),
}
FOUND = {
    "alternating": {"label-by-period": "labels alternate"},
    "sorted": {"label-by-place": "all mated trials stand first; AUC of the row 0.000"},
    "sorted backwards": {"label-by-place": "all mated trials stand last; AUC of the row 1.000"},
    "period 3": {"label-by-period": "period 3"},
}


@pytest.mark.parametrize("name", FOUND)
def test_orders_that_give_labels_away(name):
    assert leaks(ordered(ORDERS[name])) == FOUND[name]


@pytest.mark.parametrize(("name", "run"), [("runs of 60", 60), ("mostly alternating", 3)])
def test_neighbours_that_give_labels_away(name, run):
    found = leaks(ordered(ORDERS[name]))
    assert found["label-by-previous"].startswith(f"the longest run is of {run}; ")


def test_random_order_gives_nothing_away():
    for seed in range(20):
        assert leaks(pairs(seed=seed)) == {}


@pytest.mark.parametrize("labels", [[], [1], [1, 1, 1], [0, 0]])
def test_labels_of_one_kind_have_no_order(labels):
    assert leaks([(f"a{place}", f"b{place}", label) for place, label in enumerate(labels)] or [("a", "b", -1)]) == {}


def test_the_count_is_of_trials_told_right():
    labels = np.array([True, False] * 50)
    assert (by_period(labels).count, by_period(labels).of) == (100, 100)
    assert by_place(labels) is None
    assert (by_previous(labels).count, by_previous(labels).of) == (99, 99)
    assert by_place(np.sort(labels)).count == 100
    assert longest_run(np.sort(labels)) == 50


def test_separation_is_that_of_a_plain_loop():
    random = np.random.default_rng(3)
    for _ in range(100):
        count = int(random.integers(1, 12))
        numbers, mated, other = random.integers(4, size=count), *random.integers(3, size=(2, count))
        told = separation(numbers, mated, other)
        up, down = np.repeat(numbers, mated), np.repeat(numbers, other)
        if not len(up) or not len(down):
            assert np.isnan(told.auc) and not told.leaks
            continue
        assert told.auc == pytest.approx(np.mean([(a > b) + (a == b) / 2 for a in up for b in down]), abs=1e-12)
        cuts = [*numbers, numbers.max() + 1]
        right = [np.count_nonzero(up >= cut) + np.count_nonzero(down < cut) for cut in cuts]
        assert told.right == max(max(right), told.of - min(right))


def test_popularity_that_gives_labels_away():
    # Each mated item is named 5 times, each other one once.
    rows = [(voice(n % 20, n), face(n % 20, 0), 1) for n in range(100)]
    rows += [(voice(n % 20, n), face(n % 20, 100 + n), 0) for n in range(100)]
    rows = [rows[place] for place in np.random.default_rng(0).permutation(200)]
    found = leaks(rows)
    assert found["label-by-popularity"] == "popularity of the item: AUC 1.000"
    assert found["one-label-items"].startswith("of the items")


def test_an_alphabet_that_gives_labels_away():
    rows = [(f"v{n}", f"a{n}" if mated else f"b{n}", mated) for n, (*_, mated) in enumerate(pairs(400))]
    assert leaks(rows) == {"label-by-name": "name of the item: AUC 0.000"}


def test_popular_mates_of_galleries():
    random = np.random.default_rng(0)
    rows = [[f"v{n}", f"f{n % 5}", *(f"f{5 + int(each)}" for each in random.permutation(200)[:3])] for n in range(300)]
    assert "label-by-popularity" in leaks(rows)
