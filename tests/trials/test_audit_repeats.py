from collections import Counter

import numpy as np
from audited_lists import gallery_list, pair_list
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.trials.audit.run import audit

NAMES = st.sampled_from("abcde")
PAIRS = st.lists(st.tuples(NAMES, NAMES, st.sampled_from([-1, 0, 1])), min_size=1, max_size=60)
GALLERIES = st.lists(st.lists(NAMES, min_size=4, max_size=4), min_size=1, max_size=60)


def rows_of(report, name: str) -> list[int]:
    return [row for found in report.named(name) for row in found.rows.tolist()]


def duplicates(rows) -> list[int]:
    return [place for place, row in enumerate(rows) if row in rows[:place]]


def mirrored(rows) -> list[int]:
    asked = [row[:2] for row in rows]
    return [
        place
        for place, (left, right) in enumerate(asked)
        if left != right and (right, left) in asked[:place] and (left, right) not in asked[:place]
    ]


def contradictory(rows) -> list[int]:
    said = {pair: {label for *names, label in rows if tuple(names) == pair} - {-1} for pair in {r[:2] for r in rows}}
    return [place for place, (*names, label) in enumerate(rows) if label >= 0 and len(said[tuple(names)]) == 2]


@settings(max_examples=300, deadline=None)
@given(PAIRS, st.integers(1, 20))
def test_repeated_pairs_are_those_of_a_plain_loop(rows, block):
    report = audit(pair_list(rows, block))
    assert rows_of(report, "duplicates") == duplicates(rows)
    assert rows_of(report, "mirrored") == mirrored(rows)
    assert rows_of(report, "contradictory-labels") == contradictory(rows)


@settings(max_examples=200, deadline=None)
@given(GALLERIES, st.integers(1, 20))
def test_repeated_galleries_are_those_of_a_plain_loop(rows, block):
    report = audit(gallery_list(rows, block))
    asked = [(probe, mate, tuple(sorted(others))) for probe, mate, *others in rows]
    assert rows_of(report, "duplicates") == duplicates(asked)
    assert rows_of(report, "repeated-candidate") == [n for n, row in enumerate(rows) if len(set(row[1:])) < 3]
    assert rows_of(report, "itself") == [place for place, row in enumerate(rows) if row[0] in row[1:]]
    assert not report.named("mirrored")


@settings(max_examples=100, deadline=None)
@given(PAIRS)
def test_counts_do_not_depend_on_the_order(rows):
    forward, backward = (Counter() for _ in range(2))
    for counts, listed in ((forward, rows), (backward, rows[::-1])):
        for found in audit(pair_list(listed)).findings:
            if found.kind.name in ("duplicates", "mirrored", "contradictory-labels", "itself"):
                counts[found.kind.name] = found.count
    assert forward == backward


def test_a_trial_with_another_label_is_no_duplicate():
    report = audit(pair_list([("a", "b", 1), ("a", "b", 0), ("a", "b", 1)]))
    assert rows_of(report, "duplicates") == [2]
    assert rows_of(report, "contradictory-labels") == [0, 1, 2]


def test_a_duplicate_is_shown_with_its_line():
    (found,) = audit(pair_list([("a", "b", 1), ("c", "d", 0), ("a", "b", 1)])).named("duplicates")
    assert (found.count, found.of, found.share) == (1, 3, 1 / 3)
    assert [(each.line, each.trial) for each in found.examples] == [(3, ("a", "b"))]
    assert found.rows.dtype == np.int64
