import dataclasses
import gc
import tempfile

import numpy as np
import pytest
from builders import unit_rows
from hypothesis import given
from hypothesis import strategies as st
from small_lists import make_list

from vfsearch.data.named_vectors import NamedVectors
from vfsearch.data.scored import ScoredPairs
from vfsearch.data.trial_list import MATCHING, RETRIEVAL, Names, RetrievalSides, TrialList
from vfsearch.errors import TrialListError
from vfsearch.kernels.exact import grid, score_block
from vfsearch.measure.ranking import average_precision
from vfsearch.measure.sorted_pairs import tied_share
from vfsearch.protocol.listed import held, labelled, scored, scores_of_rows
from vfsearch.protocol.listed_common import common_trials, of_probes, whole
from vfsearch.protocol.listed_facts import list_facts
from vfsearch.protocol.listed_people import People
from vfsearch.protocol.listed_ranking import ranked_sides
from vfsearch.protocol.listed_rows import ListedRows, RowsOfNames
from vfsearch.protocol.listed_run import ranked_run
from vfsearch.protocol.listed_trials import ListedMatching, all_pairs, scored_pairs


def listed_rows(*names: str, paths=(), seed=0) -> ListedRows:
    return ListedRows(NamedVectors(names=names, vectors=unit_rows(len(names), seed=seed), where="vectors"), paths)


def people_of(trials: TrialList, identity=lambda name: name[0]) -> People:
    return People(trials.names, identity, trials.where)


# Rows of names


def test_names_in_full_and_by_their_ends():
    rows = listed_rows("wav/id1/v/1.wav", "wav/id1/v/2.wav", "x", paths=["p/1", "p/2", "p/3"])
    assert rows.rows(["wav/id1/v/2.wav", "id1/v/2.wav", "v/1.wav", "p/3", "1/v/1.wav"]).tolist() == [1, 1, 0, 2, -1]
    assert rows.rows(["/data/wav/id1/v/1.wav", "/data/p/3", "y", "", "/"]).tolist() == [0, 2, -1, -1, -1]


def test_the_longest_name_that_ends_a_longer_one():
    rows = listed_rows("1.wav", "v/1.wav")
    assert rows.rows(["a/v/1.wav", "a/1.wav"]).tolist() == [1, 0]


def test_names_that_may_be_two_rows():
    rows = listed_rows("a/1.wav", "b/1.wav", paths=["same", "same"])
    with pytest.raises(TrialListError, match=r"'1.wav' is the end of 'a/1.wav' and of 'b/1.wav' in vectors"):
        rows.rows(["1.wav"])
    with pytest.raises(TrialListError, match="'same' is the path of several items in vectors"):
        rows.rows(["same"])


def test_two_names_of_a_list_that_are_one_row():
    names = Names(["a/1.wav", "b/1.wav"])
    rows = RowsOfNames(names, listed_rows("1.wav"), "a list")
    with pytest.raises(TrialListError, match=r"a list: 'a/1.wav' and 'b/1.wav' are both '1.wav' in vectors"):
        rows(np.array([0]))


@given(
    st.lists(st.text("ab/", min_size=1, max_size=6), min_size=1, max_size=12, unique=True), st.text("ab/", max_size=6)
)
def test_ends_are_found_as_a_plain_search_finds_them(names, wanted):
    rows = listed_rows(*names)
    longer = [n for n, name in enumerate(names) if name.endswith(f"/{wanted}")]
    if wanted in names:
        assert rows.rows([wanted])[0] == names.index(wanted)
    elif len(longer) > 1:
        with pytest.raises(TrialListError, match="is the end of"):
            rows.rows([wanted])
    else:
        ends = sorted((name for name in names if wanted.endswith(f"/{name}")), key=len)
        expected = longer[0] if longer else names.index(ends[-1]) if ends else -1
        assert rows.rows([wanted])[0] == expected


# Scores


@pytest.mark.parametrize("first", [0, -1])
def test_scores_are_the_exact_ones(first):
    vectors, random = unit_rows(50, 128), np.random.default_rng(0)
    left, right = random.integers(first, 50, (2, 3000))
    rows = ListedRows(NamedVectors(names=list(map(str, range(50))), vectors=vectors, where="x"))
    whole = score_block(grid(vectors), grid(vectors)).numpy()
    wanted = np.where((left == -1) | (right == -1), -np.inf, whole[left, right])
    assert (scores_of_rows(rows, left, right) == wanted).all()


def test_blocks_are_scored_and_missing_names_are_the_least_alike():
    trials = scored(make_list([("a", "b"), ("a", "gone"), ("gone", "b")]), listed_rows("a", "b"))
    scores = np.concatenate([block.scores for block in trials.blocks()])[:, 0]
    assert np.isfinite(scores).tolist() == [True, False, False] and (scores[1:] == -np.inf).all()
    assert trials.scored and not trials.labelled


def test_a_list_of_other_names_altogether():
    trials = scored(make_list([("x", "y")]), listed_rows("a", "b"))
    with pytest.raises(TrialListError, match=r"a list: none of its 2 names is in vectors, which holds names like 'a'"):
        list(trials.blocks())


def test_retrieval_has_no_trials_to_score():
    trials = TrialList(
        kind=RETRIEVAL, format="", where="a list", names=Names(), blocks=lambda: iter(()), sides=lambda: None
    )
    with pytest.raises(TrialListError, match="no trials to score one by one"):
        scored(trials, listed_rows("a"))


@pytest.mark.parametrize("most", [3, 2, 0], ids=["in memory", "one more", "on the disk"])
@pytest.mark.parametrize("scores", [None, [0.5, float("nan"), -np.inf]], ids=["without scores", "with scores"])
def test_held_lists_are_read_once(most, scores):
    calls, trials = [], make_list([("a", "b"), ("c", "b"), ("a", "d")], mated=[1, 0, -1], scores=scores)
    counted = dataclasses.replace(trials, blocks=lambda: calls.append(1) or trials.blocks())
    kept = held(counted, most)
    for _ in range(3):
        assert_same_blocks(kept.blocks(), trials.blocks())
    assert len(calls) == 1 and held(kept) is kept


def test_a_long_matching_list_is_held():
    trials = make_list([("a", "b", "c"), ("c", "b", "d")], kind=MATCHING, mated=[1, 1], candidates=2)
    kept = held(trials, 0)
    for _ in range(2):
        assert_same_blocks(kept.blocks(), trials.blocks())


@pytest.mark.parametrize("where", [0, 1])
def test_long_lists_with_texts_beside_their_trials_are_read_again(where):
    trials, calls = make_list([("a", "b")] * 3), []

    def blocks():
        calls.append(1)
        for number, block in enumerate(trials.blocks()):
            yield dataclasses.replace(block, extra={"key": ["k"] * len(block)} if number == where else {})

    kept = held(dataclasses.replace(trials, blocks=blocks), 0)
    assert [sum(len(block.extra) for block in kept.blocks()) for _ in range(2)] == [1, 1] and len(calls) == 2


def test_the_file_of_a_held_list_goes_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = held(make_list([("a", "b")] * 3), 0)
    list(kept.blocks())
    assert len(list(tmp_path.iterdir())) == 1
    del kept
    gc.collect()
    assert not list(tmp_path.iterdir())


def assert_same_blocks(found, wanted):
    for ours, theirs in zip(found, wanted, strict=True):
        for name in ("probes", "items", "mated", "lines", "scores"):
            one, other = getattr(ours, name), getattr(theirs, name)
            assert (one is other is None) or (one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True))


def test_a_reading_that_was_given_up_is_not_kept():
    kept = held(make_list([("a", "b")] * 3))
    next(kept.blocks())
    assert sum(map(len, kept.blocks())) == 3


# Labels and identities


def test_labels_of_the_list_go_before_identities():
    trials = make_list([("a1", "a2"), ("a1", "b1"), ("a1", "b2")], mated=[0, 1, -1], scores=[1, 2, 3])
    pairs = scored_pairs(trials, people_of(trials))
    assert pairs.mated.tolist() == [False, True, False]
    assert [pairs.identities[n] for n in pairs.items] == ["a", "b", "b"]
    block = next(labelled(trials, people_of(trials)).blocks())
    assert block.mated.tolist() == [0, 1]


def test_an_unlabelled_trial_of_an_unknown_name():
    trials = make_list([("a1", "a2"), ("a1", "?")], scores=[1, 2])
    people = people_of(trials, {"a1": "a", "a2": "a"}.get)
    with pytest.raises(TrialListError, match=r"a list, line 2: the list does not say .* whose '\?' is is not known"):
        scored_pairs(trials, people)
    assert people.unknown == ["?"]


def test_unknown_names_of_labelled_trials_are_people_of_their_own():
    trials = make_list([("x", "y"), ("x", "z")], mated=[1, 0], scores=[1, 2])
    pairs = scored_pairs(trials, people_of(trials, lambda name: None))
    assert len(set(pairs.items) | set(pairs.probes)) == 3 and pairs.mated.tolist() == [True, False]


def test_a_long_list_goes_to_a_file(monkeypatch):
    trials = make_list([("a1", "a2"), ("a1", "b1")], mated=[1, 0], scores=[1, float("nan")])
    monkeypatch.setattr("vfsearch.protocol.listed_trials.MOST_IN_MEMORY", 1)
    with all_pairs(trials, people_of(trials), 2) as spill:
        assert not isinstance(spill, ScoredPairs) and len(spill) == 2
        found = [(*piece.scores.tolist(), *piece.mated.tolist()) for piece in spill.chunks()]
        assert found == [(1.0, -np.inf, True, False)] and tied_share(spill) == 0.0


def test_matching_is_given_in_pieces():
    rows = [("a1", "a2", "b1"), ("b1", "b2", "a2"), ("c1", "c2", "a2")]
    trials = make_list(rows, kind=MATCHING, mated=[1, 1, 1], scores=[[2, 1], [1, 1], [-np.inf, -np.inf]], candidates=2)
    pieces = list(ListedMatching(trials=trials, people=people_of(trials)).chunks())
    assert [piece.missing.tolist() for piece in pieces] == [[False, False], [True]]
    first = ListedMatching(trials=trials, people=people_of(trials), ties="mate-first")
    assert next(first.chunks()).scores[1, 0] > next(first.chunks()).scores[1, 1]


# What a list asks


def test_facts_of_a_list():
    facts = list_facts(make_list([("1.wav", "a.jpg"), ("1.wav", "b.jpg"), ("2.wav", "a.jpg")]))
    assert (facts.trials, facts.candidates, len(facts.probes), len(facts.items)) == (3, None, 2, 2)
    assert facts.direction == "voice to face"
    assert list_facts(make_list([("x", "a.jpg")])).direction == "probe to item"
    with pytest.raises(TrialListError, match="a list has no trials"):
        list_facts(make_list([]))


# Retrieval


def retrieval(probes, gallery) -> TrialList:
    names = Names([*probes, *gallery])
    sides = RetrievalSides(probes=names.numbers(probes), gallery=names.numbers(gallery))
    return TrialList(
        kind=RETRIEVAL, format="", where="a list", names=names, blocks=lambda: iter(()), sides=lambda: sides
    )


def plain_ap(scores: dict[str, float], mates: set[str]) -> float:
    order = sorted(scores, key=lambda name: -scores[name])
    places = [place for place, name in enumerate(order, start=1) if name in mates]
    return float(np.mean([hit / place for hit, place in enumerate(places, start=1)]))


def test_retrieval_against_a_plain_loop_with_probes_in_the_gallery():
    names = [f"{person}{n}" for person in "abcd" for n in range(3)]
    rows = listed_rows(*names)
    trials = retrieval(names, names)
    found = ranked_sides(trials, rows, people_of(trials)).ranking
    scores = score_block(grid(rows.vectors), grid(rows.vectors)).numpy()
    plain = [
        plain_ap({o: scores[n, m] for m, o in enumerate(names) if o != name}, {o for o in names if o[0] == name[0]})
        for n, name in enumerate(names)
    ]
    assert average_precision(found.ranks) == pytest.approx(plain, abs=1e-12)
    assert found.ranks.gallery.tolist() == [11] * 12


def test_what_is_missing_of_a_retrieval_list():
    trials = retrieval(["a1", "b1", "gone-a", "gone-z"], ["a2", "b2", "bgone", "cgone"])
    found = ranked_sides(
        trials, listed_rows("a1", "b1", "a2", "b2"), people_of(trials, lambda name: name.strip("gone-")[0])
    )
    ranks = found.ranking.ranks
    assert found.missing_items == 2 and ranks.mates.tolist() == [1, 2] and ranks.gallery.tolist() == [4, 4]
    assert [trials.names.texts[n] for n in found.missing] == ["gone-a"]
    last = ranks.probe == 1
    assert ranks.above[last][-1] == 2 and ranks.tied[last][-1] == 2 and ranks.mates_above[last][-1] == 1
    assert (np.diff(ranks.probe) >= 0).all()


def test_a_retrieval_list_needs_identities():
    trials = retrieval(["a1"], ["b1"])
    with pytest.raises(TrialListError, match=r"whose 'a1' \(and 1 more\) is is not known; give a table"):
        ranked_sides(trials, listed_rows("a1", "b1"), people_of(trials, lambda name: None))


# Runs and what is relevant


def run_and_qrels(run, qrels):
    run = make_list([pair for pair, _ in run], kind="ranking", scores=[score for _, score in run])
    return run, make_list([pair for pair, _ in qrels], kind="relevance", mated=[grade for _, grade in qrels])


def test_a_run_by_hand():
    run, qrels = run_and_qrels(
        [(("q1", "d1"), 3), (("q1", "d2"), 2), (("q1", "d3"), 1), (("q2", "d1"), 1), (("q4", "d1"), 1)],
        [(("q1", "d2"), 1), (("q1", "d9"), 2), (("q2", "d1"), 0), (("q3", "d1"), 1), (("q2", "d2"), 1),
         (("q1", "d1"), -1)],
    )  # fmt: skip
    found = ranked_run(run, qrels, people_of(qrels))
    texts = qrels.names.texts
    assert [texts[n] for n in found.probes] == ["q1", "q2"] and [texts[n] for n in found.missing] == ["q3"]
    assert average_precision(found.ranking.ranks).tolist() == [0.25, 0.0]
    assert found.ranking.ranks.mates.tolist() == [2, 1]


def test_ties_of_a_run_by_name_as_trec_eval_orders_them():
    run, qrels = run_and_qrels([(("q", "a"), 1), (("q", "b"), 1)], [(("q", "a"), 1)])
    assert average_precision(ranked_run(run, qrels, people_of(qrels)).ranking.ranks)[0] == 0.75
    by_name = ranked_run(run, qrels, people_of(qrels), "id-descending")
    assert average_precision(by_name.ranking.ranks)[0] == 0.5


def test_runs_that_cannot_be_measured():
    run, qrels = run_and_qrels([(("q", "a"), 1), (("q", "a"), 2)], [(("q", "a"), 1)])
    with pytest.raises(TrialListError, match="lists 'a' twice for the probe 'q'"):
        ranked_run(run, qrels, people_of(qrels))
    _, none = run_and_qrels([], [(("q", "a"), 0)])
    with pytest.raises(TrialListError, match="names nothing relevant"):
        ranked_run(run, none, people_of(none))


# Trials in common


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("cd")), max_size=8), st.randoms())
def test_the_same_trials_in_another_order_are_all_common(rows, random):
    if not rows:
        return
    order = list(range(len(rows)))
    random.shuffle(order)
    left = whole(make_list(rows, scores=[0] * len(rows)))
    right = whole(make_list([rows[n] for n in order], scores=[0] * len(rows)))
    ours, theirs = common_trials(left, right)
    assert ours.tolist() == list(range(len(rows))) and sorted(theirs.tolist()) == list(range(len(rows)))
    assert [rows[n] for n in ours] == [rows[order[n]] for n in theirs]


def test_trials_that_only_one_has():
    left = whole(make_list([("a", "c"), ("a", "d"), ("a", "d")], scores=[1, 2, 3]))
    right = whole(make_list([("a", "d"), ("b", "d")], scores=[4, 5]))
    ours, theirs = common_trials(left, right)
    assert (ours.tolist(), theirs.tolist()) == ([1], [0])


def test_the_order_of_negatives_does_not_matter_but_the_mate_does():
    left = whole(
        make_list([("a", "m", "x", "y"), ("a", "m", "x", "y")], kind=MATCHING, mated=[1, 1], scores=[[0] * 3] * 2)
    )
    right = whole(
        make_list([("a", "m", "y", "x"), ("a", "x", "m", "y")], kind=MATCHING, mated=[1, 1], scores=[[0] * 3] * 2)
    )
    assert [places.tolist() for places in common_trials(left, right)] == [[0], [0]]
    narrow = whole(make_list([("a", "m")], scores=[1]))
    with pytest.raises(TrialListError, match="3 items a trial, a list 1: they are other trials"):
        common_trials(left, narrow)


def test_a_ranking_of_some_probes():
    names = [f"{person}{n}" for person in "abc" for n in range(3)]
    trials = retrieval(names, names)
    found = ranked_sides(trials, listed_rows(*names), people_of(trials)).ranking
    part = of_probes(found, names, [], frozenset(["a1", "c2"]))
    assert average_precision(part.ranks).tolist() == average_precision(found.ranks)[[1, 8]].tolist()
