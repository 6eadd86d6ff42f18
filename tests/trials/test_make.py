import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.data.trials import MatchingTrials
from vfsearch.errors import SettingsError
from vfsearch.trials import make
from vfsearch.trials.make import (
    Labels,
    MatchingDraw,
    Pool,
    Sides,
    matching_trials,
    verification_blocks,
    verification_trials,
)

PINNED = {
    "probes": [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3],
    "candidates": [
        [0, 1, 6], [4, 6, 1], [4, 6, 5], [2, 5, 6], [2, 3, 0], [2, 5, 0],
        [5, 1, 2], [5, 4, 2], [3, 1, 2], [4, 6, 3], [0, 6, 2], [0, 1, 2],
    ],
    "items": [3, 1, 5, 4, 6, 4, 5, 5, 5, 5, 1, 4],
    "mated": [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1],
}  # fmt: skip


def across(probes, gallery) -> Sides:
    """Two modalities: no probe is in the gallery."""
    return Sides(probes=np.array(probes), gallery=np.array(gallery), itself=np.full(len(probes), -1))


def within(identities) -> Sides:
    """One modality: every probe is in the gallery, at its own row."""
    identities = np.array(identities)
    return Sides(probes=identities, gallery=identities, itself=np.arange(len(identities)))


def labels(probes, gallery, *names) -> Labels:
    return Labels(probes=np.array(probes, dtype=np.int64), gallery=np.array(gallery, dtype=np.int64), names=names)


def some(people: int, probes: int, gallery: int, seed: int = 0) -> Sides:
    random = np.random.default_rng(seed)
    return across(random.integers(0, people, probes), random.integers(0, people, gallery))


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 6), st.integers(0, 20), st.integers(8, 40), st.integers(2, 4), st.booleans(), st.integers(0, 99))
def test_what_holds_for_every_trial(people, probes, gallery, candidates, same, seed):
    random = np.random.default_rng(seed)
    sides = within(random.integers(0, people, gallery)) if same else some(people, probes, gallery, seed)
    largest = max(np.bincount(sides.gallery))
    if len(sides.gallery) - largest < candidates - 1:
        return
    trials = matching_trials(sides, candidates, seed)
    wanted = sides.probes[trials.probes]
    assert (sides.gallery[trials.candidates[:, 0]] == wanted).all()
    assert (sides.gallery[trials.candidates[:, 1:]] != wanted[:, None]).all()
    assert (trials.candidates[:, 0] != sides.itself[trials.probes]).all()
    assert all(len(set(row)) == candidates for row in trials.candidates.tolist())
    with_mate = [p for p, who in enumerate(sides.probes)
                 if any(sides.gallery[row] == who and row != sides.itself[p] for row in range(gallery))]  # fmt: skip
    assert trials.probes.tolist() == [probe for probe in with_mate for _ in range(3)]


def test_the_seed_decides_and_each_n_has_its_own_stream():
    sides = some(5, 30, 60)
    first, again, other = (matching_trials(sides, 5, seed).candidates for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert not np.array_equal(matching_trials(sides, 2, 1).candidates, first[:, :2])


def test_the_same_seed_gives_these_very_trials_on_every_machine():
    sides = across([0, 1, 2, 0, 3], [0, 1, 1, 2, 0, 2, 4])
    trials = matching_trials(sides, 3, seed=1)
    assert trials.probes.tolist() == PINNED["probes"]
    assert trials.candidates.tolist() == PINNED["candidates"]
    pairs = verification_trials(matching_trials(sides, 2, seed=1), seed=1)
    assert pairs.items.tolist() == PINNED["items"]
    assert pairs.mated.astype(int).tolist() == PINNED["mated"]


def chi_square(counts: np.ndarray) -> float:
    """Over its degrees of freedom: about 1 when the counts are even."""
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum() / (len(counts) - 1))


def test_mates_and_others_are_drawn_evenly():
    sides = across([2], [0, 2, 1, 2, 0, 2, 1, 3])
    trials = matching_trials(sides, 4, seed=5, galleries=6000)
    mates, others = trials.candidates[:, 0], trials.candidates[:, 1:]
    assert set(mates.tolist()) == {1, 3, 5}
    assert chi_square(np.bincount(mates)[[1, 3, 5]]) < 4
    for column in others.T:
        assert set(column.tolist()) == {0, 2, 4, 6, 7}
        assert chi_square(np.bincount(column)[[0, 2, 4, 6, 7]]) < 4
    # Every set of three of the five others is as likely as every other.
    sets, counts = np.unique(np.sort(others, axis=1), axis=0, return_counts=True)
    assert len(sets) == 10 and chi_square(counts) < 4


def test_mates_within_one_modality_are_drawn_evenly_among_the_others():
    sides = within([0, 0, 0, 0, 1])
    trials = matching_trials(sides, 2, seed=5, galleries=2000)
    counts = np.zeros((4, 4), int)
    np.add.at(counts, (trials.probes, trials.candidates[:, 0]), 1)
    assert (counts.diagonal() == 0).all()
    assert chi_square(counts[~np.eye(4, dtype=bool)]) < 4


def test_a_probe_that_only_has_itself_is_left_out():
    trials = matching_trials(within([0, 0, 1, 2, 2]), 2, seed=1)
    assert sorted(set(trials.probes.tolist())) == [0, 1, 3, 4]


@pytest.mark.parametrize(
    "sides", [across([], [0, 1]), across([5, 6], [0, 1]), across([0], [])], ids=["no probe", "no mate", "no gallery"]
)
def test_nothing_to_ask(sides):
    trials = matching_trials(sides, 5, seed=1)
    assert len(trials) == 0 and trials.candidates.shape == (0, 5)
    assert len(verification_trials(matching_trials(sides, 2, seed=1), seed=1)) == 0


def test_as_many_candidates_as_there_are():
    trials = matching_trials(across([0], [0, 1, 2, 1]), 4, seed=1)
    assert all(sorted(row) == [0, 1, 2, 3] for row in trials.candidates.tolist())


def test_too_large_an_n_names_what_there_is():
    with pytest.raises(SettingsError, match=r"1:5 matching needs 4 gallery items .* one has 2; ask for a smaller N"):
        matching_trials(across([0, 1], [0, 1, 2, 1, 1]), 5, seed=1)


def test_one_identity_cannot_be_told_apart():
    with pytest.raises(SettingsError, match="one has 0"):
        matching_trials(within([0, 0, 0]), 2, seed=1)


def test_n_below_two():
    with pytest.raises(SettingsError, match="wants N >= 2, got 1"):
        matching_trials(across([0], [0, 1]), 1, seed=1)


def test_about_half_of_the_verification_trials_are_mated():
    sides = some(20, 1000, 400)
    queries = matching_trials(sides, 2, seed=3)
    trials = verification_trials(queries, seed=3)
    assert np.array_equal(trials.probes, queries.probes)
    assert np.array_equal(sides.probes[trials.probes] == sides.gallery[trials.items], trials.mated)
    assert (trials.items[:, None] == queries.candidates).any(axis=1).all()
    assert trials.mated.mean() == pytest.approx(0.5, abs=4 * 0.5 / len(trials) ** 0.5)


def test_verification_wants_pairs():
    with pytest.raises(SettingsError, match="come from 1:2 queries, got 1:3"):
        verification_trials(matching_trials(some(5, 4, 30), 3, seed=1), seed=1)


def slow_choices(sides: Sides, groups: Labels | None, sources: Labels | None, probe: int) -> tuple[set, set]:
    """The mates and the others that one probe may get, by a plain loop."""
    mates, others = set(), set()
    for row, who in enumerate(sides.gallery):
        known = all(each is None or min(each.probes[probe], each.gallery[row]) >= 0 for each in (groups, sources))
        same_group = groups is None or groups.probes[probe] == groups.gallery[row]
        if not known or not same_group:
            continue
        if who != sides.probes[probe]:
            others.add(row)
        elif row != sides.itself[probe] and (sources is None or sources.probes[probe] != sources.gallery[row]):
            mates.add(row)
    return mates, others


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 5), st.integers(0, 12), st.integers(0, 25), st.integers(2, 4), st.booleans(), st.booleans(),
       st.booleans(), st.integers(0, 999))  # fmt: skip
def test_groups_and_sources_as_a_plain_loop_has_them(people, probes, gallery, n, same, grouped, sourced, seed):
    random = np.random.default_rng(seed)
    sides = within(random.integers(0, people, gallery)) if same else some(people, probes, gallery, seed)

    def drawn_labels(count):
        of_gallery = random.integers(-1, count, len(sides.gallery))
        of_probes = of_gallery if same else random.integers(-1, count, len(sides.probes))
        return labels(of_probes, of_gallery)

    groups, sources = drawn_labels(2) if grouped else None, drawn_labels(3) if sourced else None
    trials = matching_trials(sides, n, seed, groups=groups, sources=sources, small_groups="leave-out")
    asked = []
    for probe in range(len(sides.probes)):
        mates, others = slow_choices(sides, groups, sources, probe)
        rows = trials.candidates[trials.probes == probe]
        assert set(rows[:, 0]) <= mates and set(rows[:, 1:].ravel()) <= others
        asked += [probe] * 3 if mates and len(others) >= n - 1 else []
    assert trials.probes.tolist() == asked
    left_out = Pool(sides, groups, sources)
    small = len(left_out.too_small(n - 1))
    assert len(asked) // 3 + small + sum(left_out.without_mate().values()) == len(sides.probes)


def test_why_probes_ask_nothing():
    sides = across([0, 0, 1, 2, 3, 9], [0, 0, 1, 2, 2, 3])
    groups = labels([0, -1, 1, 0, 1, 0], [0, 0, 0, 0, 0, 1])
    sources = labels([5, 5, 5, 6, 7, 5], [5, 8, 5, 6, 6, 8])
    assert Pool(sides, groups, sources).without_mate() == {
        "group or source not known": 1,
        "no mate in the gallery": 1,
        "no mate of its group": 1,
        "no mate of another source": 1,
    }
    assert Pool(sides).without_mate() == {"no mate in the gallery": 1}
    assert Pool(sides, labels([0] * 6, [0, -1, 0, 0, 0, -1])).gallery_left_out() == 2


def test_a_mate_of_the_same_source_is_never_drawn():
    sides = within([0, 0, 0, 1, 1, 1])
    sources = labels([0, 0, 1, 2, 3, 3], [0, 0, 1, 2, 3, 3])
    trials = matching_trials(sides, 2, seed=1, galleries=50, sources=sources)
    drawn = {
        (probe, mate) for probe, mate in zip(trials.probes.tolist(), trials.candidates[:, 0].tolist(), strict=True)
    }
    assert drawn == {(0, 2), (1, 2), (2, 0), (2, 1), (3, 4), (3, 5), (4, 3), (5, 3)}


def test_a_group_that_is_too_small_is_named_with_what_is_possible():
    sides = across([0, 0, 1, 2], [0, 1, 2, 3, 4])
    groups = labels([0, 0, 1, 1], [0, 1, 1, 1, 0], "f", "m")
    wanted = (
        r"1:3 matching needs 2 gallery items of other identities for each probe, one has 1 in its group \(f: 2 probes "
        r"with 1 others\); ask for a smaller N \(at most 2\), or leave those 2 probes out"
    )
    with pytest.raises(SettingsError, match=wanted):
        matching_trials(sides, 3, seed=1, groups=groups)
    assert set(matching_trials(sides, 3, 1, groups=groups, small_groups="leave-out").probes.tolist()) == {2, 3}


def test_only_so_many_groups_are_named():
    sides = across(range(5), range(5))
    groups = labels(range(5), range(5), *"abcde")
    with pytest.raises(SettingsError, match=r"c: 1 probes with 0 others; and 2 more groups\); it cannot be told from"):
        matching_trials(sides, 2, seed=1, groups=groups)


def test_every_stream_is_its_own():
    sides = some(5, 30, 60)
    plain, named, other = (matching_trials(sides, 3, 1, stream=stream).candidates for stream in ((), (4,), (5,)))
    assert not np.array_equal(plain, named) and not np.array_equal(named, other)
    pairs = matching_trials(sides, 2, seed=1)
    assert not np.array_equal(verification_trials(pairs, 1).mated, verification_trials(pairs, 1, stream=(4,)).mated)


def test_blocks_are_the_same_trials_each_time_they_are_asked_for(monkeypatch):
    monkeypatch.setattr(make, "_TRIALS_PER_BLOCK", 7)
    drawn = MatchingDraw(pool=Pool(some(5, 30, 60)), candidates=2, seed=1)
    first, again = list(drawn.blocks()), list(drawn.blocks())
    assert [len(block) for block in first] == [7] * 12 + [6] and len(drawn) == 90
    assert all(np.array_equal(a.candidates, b.candidates) for a, b in zip(first, again, strict=True))
    whole = MatchingTrials(probes=np.concatenate([block.probes for block in first]),
                           candidates=np.concatenate([block.candidates for block in first]))  # fmt: skip
    parts = np.concatenate([block.items for block in verification_blocks(first, seed=1)])
    assert np.array_equal(parts, verification_trials(whole, seed=1).items)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"galleries": 0}, "at least 1 gallery per probe, got 0"),
     ({"small_groups": "drop"}, "small groups can be refused or left out, got 'drop'")],
)  # fmt: skip
def test_what_cannot_be_drawn(wrong, message):
    with pytest.raises(SettingsError, match=message):
        matching_trials(some(5, 4, 30), 2, 1, **wrong)
