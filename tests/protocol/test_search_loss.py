"""Figures of lists of neighbours, worked by hand and against plain loops."""

from itertools import permutations

import numpy as np
import pytest
from builders import make_embeddings, make_failure

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.neighbors import Neighbors
from vfsearch.kernels.topk import topk
from vfsearch.protocol.comparison import compare
from vfsearch.protocol.search_loss import Lists, loss_against


def rows(*vectors, modality, identities) -> Embeddings:
    made = make_embeddings(len(vectors), 2, modality=modality, identities=identities)
    unit = np.array(vectors, np.float64) / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(
        ids=made.ids, identities=identities, vectors=unit.astype(np.float32), modality=modality, space=made.space
    )


GALLERY = rows((1, 0), (0.9, 0.1), (0.5, 0.5), (0, 1), modality="face", identities=["a", "b", "a", "b"])
PROBES = rows((1, 0.01), (0.01, 1), modality="voice", identities=["a", "b"])
TRUTH = topk(PROBES.vectors, GALLERY.vectors, 3)


def loss(found: list, scores: list, k=3, probes=PROBES, gallery=GALLERY, held=None, truth=TRUTH, failed=()):
    comparison = compare(probes, gallery, failed)
    held = np.arange(len(gallery)) if held is None else np.array(held)
    lists = Lists(comparison=comparison, rows=held, vectors=gallery.vectors, k=k)
    return loss_against(lists, Neighbors(rows=np.array(found), scores=np.array(scores, float)), truth, seed=1)


def values(of) -> dict[str, float]:
    return {name: value.value for name, value in of.values.items()}


def test_by_hand():
    assert TRUTH.rows.tolist() == [[0, 1, 2], [3, 2, 1]]
    # Of the first probe's list, 1 2 3, the mate stands second: 1/2 * 1/2; of the other's, 3 2 1, first and third.
    found = loss([[1, 2, 3], [3, 2, 1]], [[3, 2, 1], [3, 2, 1]])
    assert found.recall.tolist() == [pytest.approx(2 / 3), 1.0]
    assert values(found) == pytest.approx(
        {"R@3 of exact": 5 / 6, "R@1": 0.5, "R@1 exact": 1.0, "mAP@3": (1 / 4 + 5 / 6) / 2, "mAP@3 exact": 5 / 6}
    )
    assert {name: each.value for name, each in found.lost.items()} == pytest.approx(
        {"R@1": 0.5, "mAP@3": (5 / 6 - 1 / 4) / 2}
    )


def test_equal_scores_stand_in_any_order():
    assert values(loss([[1, 0, 2], [3, 2, 1]], [[2, 2, 1], [3, 2, 1]]))["R@1"] == 0.75


def test_rows_that_were_not_found():
    found = loss([[-1, -1, -1], [3, -1, -1]], [[-np.inf] * 3, [3, -np.inf, -np.inf]])
    assert found.recall.tolist() == [0.0, pytest.approx(1 / 3)]
    assert values(found)["R@1"] == 0.5 and values(found)["mAP@3"] == 0.25


def test_a_row_as_good_as_the_last_true_one_counts():
    twice = rows((1, 0), (0, 1), (0, 1), modality="face", identities=["a", "b", "c"])
    truth = Neighbors(rows=np.array([[1], [1]]), scores=np.array([[1.0], [1.0]]))
    probes = rows((0, 1), (0, 1), modality="voice", identities=["a", "b"])
    found = loss([[2], [0]], [[1], [0]], k=1, probes=probes, gallery=twice, truth=truth)
    assert found.recall.tolist() == [1.0, 0.0]


def test_items_that_the_index_lacks_are_no_part_of_the_gallery():
    # The index has items 3 and 0 alone, in this order: rows 1 and 0.
    held = [1, -1, -1, 0]
    truth = topk(PROBES.vectors, GALLERY.vectors[[3, 0]], 2)
    comparison = compare(PROBES, GALLERY)
    lists = Lists(comparison=comparison, rows=np.array(held), vectors=GALLERY.vectors[[3, 0]], k=2)
    assert lists.mates.tolist() == [1, 1] and lists.searched.tolist() == [2, 2]
    assert lists.items(truth).tolist() == [[0, 3], [3, 0]]
    found = loss_against(lists, truth, truth, seed=1)
    assert values(found) == {"R@2 of exact": 1, "R@1": 1, "R@1 exact": 1, "mAP@2": 1, "mAP@2 exact": 1}


def test_a_probe_is_no_item_of_its_own_gallery():
    comparison = compare(GALLERY, GALLERY)
    lists = Lists(comparison=comparison, rows=np.array([0, 1, -1, 2]), vectors=GALLERY.vectors[[0, 1, 3]], k=2)
    assert lists.searched.tolist() == [2, 2, 3, 2]
    assert lists.mates.tolist() == [0, 1, 1, 1]


def test_missing_probes_found_nothing_and_have_no_recall():
    failed = [make_failure("gone", identity="a"), make_failure("stranger", identity="z")]
    found = loss(TRUTH.rows, TRUTH.scores, failed=failed)
    assert values(found) == pytest.approx(
        {"R@3 of exact": 1, "R@1": 2 / 3, "R@1 exact": 2 / 3, "mAP@3": 5 / 9, "mAP@3 exact": 5 / 9}
    )
    assert found.values["R@1"].chance == pytest.approx(1 / 3)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
@pytest.mark.parametrize("people", ["ab", "aab", "abbb", "aabbb"])
def test_chance_is_the_mean_over_all_orders(k, people):
    gallery = make_embeddings(len(people), 2, modality="face", identities=list(people))
    probes = make_embeddings(2, 2, identities=["a", "b"])
    truth = Neighbors(rows=np.full((2, k), -1), scores=np.full((2, k), -np.inf))
    lists = Lists(comparison=compare(probes, gallery), rows=np.arange(len(people)), vectors=gallery.vectors, k=k)
    found = loss_against(lists, truth, truth, seed=1).values
    first, precision = [], []
    for who in "ab":
        for order in permutations(people):
            hits = [name == who for name in order]
            first.append(hits[0])
            precision.append(
                sum(sum(hits[: place + 1]) / (place + 1) for place in range(min(k, len(hits))) if hits[place])
                / sum(hits)
            )
    assert found["R@1"].chance == pytest.approx(np.mean(first))
    assert found[f"mAP@{k}"].chance == pytest.approx(np.mean(precision))
    assert found[f"R@{k} of exact"].chance == pytest.approx(min(1, k / len(people)))


def test_what_was_lost_has_an_interval_and_a_p_value():
    random = np.random.default_rng(1)
    gallery = make_embeddings(200, 16, seed=1, modality="face", identities=[f"p{row // 4}" for row in range(200)])
    noise = gallery.vectors[::4] + 0.2 * random.normal(size=(50, 16)).astype(np.float32)
    vectors = noise / np.linalg.norm(noise, axis=1, keepdims=True)
    probes = make_embeddings(50, 16, identities=[f"p{row}" for row in range(50)])
    probes = Embeddings(
        ids=probes.ids, identities=probes.identities, vectors=vectors, modality="voice", space=gallery.space
    )
    scores = probes.vectors @ gallery.vectors.T
    order = np.argsort(-scores, axis=1)
    truth, found = (Neighbors(rows=each[:, :5], scores=np.take_along_axis(scores, each[:, :5], axis=1).astype(float))
                    for each in (order, order[:, 1:]))  # fmt: skip
    lost = loss(found.rows, found.scores, 5, probes, gallery, truth=truth).lost["R@1"]
    assert 0 < lost.low < lost.value < lost.high <= 1 and lost.p < 0.05


def test_no_probe_has_no_figures():
    none = make_embeddings(0, 2, identities=[])
    empty = Neighbors(rows=np.empty((0, 3), np.int64), scores=np.empty((0, 3)))
    found = loss(empty.rows, empty.scores, probes=none, truth=empty)
    assert all(np.isnan(value) for value in values(found).values())
