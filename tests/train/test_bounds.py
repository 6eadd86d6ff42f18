import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import SettingsError, VectorError
from vfsearch.train.bounds import explicit_hinge, implicit_bound
from vfsearch.train.losses import ExplicitLoss, ImplicitLoss

SCALES = st.sampled_from([1e-6, 1e-3, 0.1, 1.0, 10.0, 1e3])


def draw(pairs: int, d: int, identities: int, scale: float = 1.0, skew: float = 1.0, seed: int = 0):
    """Voices, faces, labels (the larger the skew, the less balanced) and a classifier."""
    random = np.random.default_rng(seed)
    shares = np.arange(1, identities + 1.0) ** -skew
    labels = random.choice(identities, pairs, p=shares / shares.sum())
    voices, faces = scale * random.normal(size=(2, pairs, d))
    return voices, faces, labels, random.normal(size=(identities, d))


def away_by_loop(voices, faces, labels, identities, weights):
    """D_j as the method writes it."""
    rows = []
    for j in range(identities):
        row = np.zeros(voices.shape[1])
        for voice, face, label in zip(voices, faces, labels, strict=True):
            row += (identities - 1 if label == j else -1) * weights[label] * (face + voice)
        rows.append(row)
    return np.array(rows)


def aligned(voices, faces, labels, identities, weights=None):
    """The classifier, rows of length 1, for which Cauchy-Schwarz is an equality."""
    rows = away_by_loop(voices, faces, labels, identities, np.ones(identities) if weights is None else weights)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def holds(found) -> bool:
    room = 1e-9 * (1 + abs(found.loss) + abs(found.chance - found.bound))
    return found.loss >= found.jensen - room and found.jensen >= found.bound - room


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 40), st.integers(1, 8), st.integers(1, 12), SCALES, st.floats(0, 3), st.integers(0, 10**6))
def test_the_bound_holds_on_every_draw(pairs, d, identities, scale, skew, seed):
    voices, faces, labels, classifier = draw(pairs, d, identities, scale, skew, seed)
    weights = np.random.default_rng(seed).uniform(0, 1, identities)
    for each in (None, weights, 5 * weights, np.round(weights)):
        assert holds(implicit_bound(voices, faces, labels, classifier, each))


@settings(deadline=None, max_examples=100)
@given(st.integers(2, 30), st.integers(2, 6), st.integers(2, 9), SCALES, st.integers(0, 10**6))
def test_the_bound_holds_for_the_classifier_that_comes_closest_to_it(pairs, d, identities, scale, seed):
    voices, faces, labels, _ = draw(pairs, d, identities, scale, seed=seed)
    weights = np.random.default_rng(seed).uniform(0.01, 1, identities)
    for each in (None, weights):
        found = implicit_bound(voices, faces, labels, aligned(voices, faces, labels, identities, each), each)
        assert holds(found)
        assert found.bound == pytest.approx(found.jensen, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_loss_and_bound_are_those_of_the_statement(weighted):
    voices, faces, labels, classifier = draw(15, 4, 5)
    weights = np.linspace(0.1, 0.9, 5) if weighted else np.ones(5)
    found = implicit_bound(voices, faces, labels, classifier, weights if weighted else None)
    module = ImplicitLoss(4, 5).double()
    module.classifier.weight.data = torch.tensor(classifier)
    with torch.no_grad():
        each = module(torch.tensor(voices), torch.tensor(faces), torch.tensor(labels)).numpy()
    lengths = np.linalg.norm(away_by_loop(voices, faces, labels, 5, weights), axis=1)
    chance = 2 * math.log(5) * weights[labels].sum()
    longest = max(math.hypot(*row) for row in classifier)
    assert found.loss == pytest.approx((weights[labels] * each).sum(), rel=1e-12)
    assert found.chance == pytest.approx(chance, rel=1e-12)
    assert found.bound == pytest.approx(chance - longest / 5 * lengths.sum(), rel=1e-12)


def test_two_pairs_on_a_line_worked_by_hand():
    # u = (2, -2), W = (1, -1): D = (2 - -2, -2 - 2) = (4, -4), so both bounds are 4 log 2 - 4;
    # each of the four cross-entropies is log(1 + e^-2).
    side = np.array([[1.0], [-1.0]])
    found = implicit_bound(side, side, np.array([0, 1]), side)
    assert found.loss == pytest.approx(4 * math.log(1 + math.exp(-2)))
    assert found.jensen == found.bound == pytest.approx(4 * math.log(2) - 4)
    # With weights (1, 1/2): s u = (2, -1), D = (3, -3), chance = 3 log 2.
    found = implicit_bound(side, side, np.array([0, 1]), side, np.array([1, 0.5]))
    assert found.loss == pytest.approx(3 * math.log(1 + math.exp(-2)))
    assert found.bound == pytest.approx(3 * math.log(2) - 3)


@pytest.mark.parametrize("weights", [None, np.linspace(0.2, 0.8, 6)], ids=["equal", "weighted"])
def test_equalities(weights):
    voices, faces, labels, classifier = draw(20, 4, 6)
    zero = np.zeros_like(voices)
    silent = implicit_bound(voices, faces, labels, np.zeros_like(classifier), weights)
    nothing = implicit_bound(zero, zero, labels, classifier, weights)
    for found in (silent, nothing):
        assert found.loss == pytest.approx(found.chance, rel=1e-12)
        assert found.bound == found.jensen == found.chance
    # Equal rows: Jensen is an equality, Cauchy-Schwarz is not.
    equal = implicit_bound(voices, faces, labels, np.ones_like(classifier), weights)
    assert equal.loss == pytest.approx(equal.jensen, rel=1e-12) == pytest.approx(equal.chance, rel=1e-12)
    assert equal.bound < equal.jensen


def test_one_identity_costs_nothing_and_is_bounded_by_nothing():
    voices, faces, labels, classifier = draw(5, 3, 1)
    found = implicit_bound(voices, faces, labels, classifier)
    assert found.loss == pytest.approx(0, abs=1e-12) and found.bound == pytest.approx(0, abs=1e-12)


def test_small_embeddings_come_to_the_bound_faster_than_they_shrink():
    voices, faces, labels, _ = draw(30, 5, 6)
    classifier, gaps = aligned(voices, faces, labels, 6), []
    for scale in (1e-1, 1e-2, 1e-3):
        found = implicit_bound(scale * voices, scale * faces, labels, classifier)
        gaps.append((found.loss - found.bound) / scale)
    assert gaps[1] == pytest.approx(gaps[0] / 10, rel=0.2) and gaps[2] == pytest.approx(gaps[1] / 10, rel=0.2)


def test_the_order_of_pairs_and_a_turn_of_the_space_change_nothing():
    voices, faces, labels, classifier = draw(12, 4, 5)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 4)))[0]
    order = np.random.default_rng(2).permutation(12)
    straight = implicit_bound(voices, faces, labels, classifier)
    moved = implicit_bound(voices[order] @ turn, faces[order] @ turn, labels[order], classifier @ turn)
    assert tuple(moved) == pytest.approx(tuple(straight), rel=1e-12)


def test_weights_scale_everything_alike():
    batch = draw(12, 4, 5)
    once, thrice = (implicit_bound(*batch, weights=factor * np.linspace(0.1, 0.3, 5)) for factor in (1, 3))
    assert [3 * each for each in once] == pytest.approx(list(thrice), rel=1e-12)


def hardest_by_loop(voices, faces, labels):
    """T_i of both directions; -inf for an anchor without a negative."""
    for anchors, gallery in ((voices, faces), (faces, voices)):
        gallery = gallery / np.linalg.norm(gallery, axis=1, keepdims=True)
        for i, anchor in enumerate(anchors):
            gaps = [anchor @ gallery[j] - anchor @ gallery[i] for j in range(len(labels)) if labels[j] != labels[i]]
            yield max(gaps, default=-math.inf)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=9), SCALES, st.floats(0, 8), st.integers(0, 10**6))
def test_the_loss_lies_between_the_envelope_and_its_slack(labels, scale, margin, seed):
    voices, faces, *_ = draw(len(labels), 4, 1, scale, seed=seed)
    found = explicit_hinge(voices, faces, labels, margin)
    room = 1e-9 * (1 + found.loss)
    assert (found.envelope - room <= found.loss).all() and (found.loss <= found.envelope + found.slack + room).all()
    batch = (torch.tensor(voices), torch.tensor(faces), torch.tensor(labels))
    both = found.loss.reshape(2, -1).mean(axis=0)
    assert both.tolist() == pytest.approx(ExplicitLoss(margin)(*batch).tolist(), rel=1e-9)


@pytest.mark.parametrize(("hinge_margin", "moved"), [(None, 4.4), (1.0, 0.0), (0.5, -0.5)])
def test_the_hinge_is_that_of_equation_5(hinge_margin, moved):
    voices, faces, labels, _ = draw(12, 4, 5)
    found = explicit_hinge(voices, faces, labels, hinge_margin=hinge_margin)
    wanted = [max(hardest + moved, 0) for hardest in hardest_by_loop(voices, faces, labels)]
    assert found.hinge.tolist() == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("margin", [0.0, 1.0, 4.4])
def test_as_the_embeddings_grow(margin):
    voices, faces, labels, _ = draw(12, 4, 30, skew=0)
    far = explicit_hinge(1e4 * voices, 1e4 * faces, labels, margin)
    assert far.loss.tolist() == pytest.approx(far.envelope.tolist(), abs=1e-8)
    # The hinge stays off by log(1 + m') where it rests and by m' where it rises.
    rising = np.array(list(hardest_by_loop(voices, faces, labels))) > 0
    assert rising.any() and not rising.all()
    assert (far.loss - far.hinge).tolist() == pytest.approx(np.where(rising, -margin, np.log1p(margin)), abs=1e-8)


def test_equation_5_is_the_envelope_where_the_logarithm_has_no_margin():
    found = explicit_hinge(*draw(12, 4, 5)[:3], margin=0.0)
    assert found.hinge.tolist() == found.envelope.tolist()


def test_a_batch_of_one_identity_has_no_hinge():
    voices, faces, *_ = draw(4, 3, 1)
    found = explicit_hinge(voices, faces, [2, 2, 2, 2])
    assert np.array(found).T.tolist() == [pytest.approx([math.log(5.4), 0, math.log(5.4), 0])] * 8


def test_a_row_of_length_zero_scores_zero():
    voices, faces, labels, _ = draw(4, 3, 4)
    voices[1] = 0
    found = explicit_hinge(voices, faces, labels)
    batch = (torch.tensor(voices), torch.tensor(faces), torch.tensor(labels))
    assert found.loss.mean() == pytest.approx(ExplicitLoss()(*batch).mean().item(), rel=1e-12)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"faces": np.ones((3, 2))}, r"voices \(4, 3\), faces \(3, 2\) and labels \(4,\) do not go together"),
        ({"labels": np.zeros(3, int)}, r"labels \(3,\) do not go together"),
        ({"classifier": np.ones((5, 2))}, r"the classifier has shape \(5, 2\), wanted \(identities, 3\)"),
        ({"labels": np.array([0, 1, 5, 2])}, "labels go from 0 to 5, the classifier has rows 0 to 4"),
        ({"weights": np.ones(4)}, r"the identity weights have shape \(4,\), the classifier wants \(5,\)"),
    ],
    ids=["faces", "labels", "classifier", "no row", "weights"],
)
def test_shapes_that_do_not_go_together(spoil, message):
    arguments = dict(zip(("voices", "faces", "labels", "classifier"), draw(4, 3, 5), strict=True))
    with pytest.raises(VectorError, match=message):
        implicit_bound(**{**arguments, **spoil})


@pytest.mark.parametrize("weight", [-0.1, math.nan, math.inf])
def test_weights_out_of_range(weight):
    with pytest.raises(SettingsError, match="identity weights must be finite and not negative"):
        implicit_bound(*draw(4, 3, 5), weights=np.array([1, 1, weight, 1, 1]))


@pytest.mark.parametrize("margin", [-1.0, math.inf, math.nan])
def test_margin_out_of_range(margin):
    with pytest.raises(SettingsError, match="it must be finite and not negative"):
        explicit_hinge(*draw(4, 3, 5)[:3], margin=margin)
