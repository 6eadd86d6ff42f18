import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.train.losses import ExplicitLoss, ImplicitLoss


def batch(n: int, d: int = 6, seed: int = 0, scale: float = 1.0):
    random = np.random.default_rng(seed)
    return tuple(torch.as_tensor(scale * random.normal(size=(n, d))) for _ in range(2))


def explicit_by_loop(voices, faces, labels, margin):
    """METHOD.md, term by term, in plain Python."""

    def one_way(anchors, gallery):
        total = 0.0
        for i, anchor in enumerate(anchors):
            score = [sum(a * b for a, b in zip(anchor, row, strict=True)) / math.hypot(*row) for row in gallery]
            others = [math.exp(score[j] - score[i]) for j in range(len(gallery)) if labels[j] != labels[i]]
            total += math.log(1 + margin + sum(others))
        return total / len(anchors)

    voices, faces = voices.tolist(), faces.tolist()
    return (one_way(voices, faces) + one_way(faces, voices)) / 2


def implicit_by_loop(weights, voices, faces, labels):
    total = 0.0
    for row, label in [*zip(voices, labels, strict=True), *zip(faces, labels, strict=True)]:
        logits = [sum(w * x for w, x in zip(weight, row, strict=True)) for weight in weights]
        total -= logits[label] - math.log(sum(map(math.exp, logits)))
    return total / len(labels)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.sampled_from([0.0, 1.0, 4.4]), st.integers(0, 99))
def test_explicit_equals_a_plain_loop_with_pairs_of_one_identity_masked(labels, margin, seed):
    voices, faces = batch(len(labels), seed=seed)
    found = ExplicitLoss(margin)(voices, faces, torch.tensor(labels))
    assert float(found) == pytest.approx(explicit_by_loop(voices, faces, labels, margin), abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.integers(0, 99))
def test_implicit_equals_a_plain_loop(labels, seed):
    voices, faces = batch(len(labels), seed=seed)
    loss = ImplicitLoss(6, 4).double()
    wanted = implicit_by_loop(loss.classifier.weight.tolist(), voices.tolist(), faces.tolist(), labels)
    assert loss(voices, faces, torch.tensor(labels)).item() == pytest.approx(wanted, abs=1e-12)


def test_a_batch_without_information_gives_the_constant_of_the_release():
    # Equal rows: every gap is 0, so the loss is log(1 + 4.4 + 3 others); alone it is log 5.4.
    same = torch.ones(4, 5)
    assert float(ExplicitLoss()(same, same, torch.arange(4))) == pytest.approx(math.log(5.4 + 3), abs=1e-6)
    assert float(ExplicitLoss()(same[:1], same[:1], torch.tensor([0]))) == pytest.approx(math.log(5.4), abs=1e-6)


def test_masking_changes_nothing_on_distinct_identities():
    voices, faces = batch(5)
    all_others = explicit_by_loop(voices, faces, range(5), 4.4)
    assert float(ExplicitLoss()(voices, faces, torch.arange(5))) == pytest.approx(all_others, abs=1e-12)


def test_both_directions_weigh_the_same_and_only_the_gallery_side_is_normalised():
    voices, faces = batch(5)
    labels, loss = torch.arange(5), ExplicitLoss()
    assert float(loss(voices, faces, labels)) == pytest.approx(float(loss(faces, voices, labels)), abs=1e-12)
    lengths = torch.linspace(0.5, 3.0, 5, dtype=voices.dtype)[:, None]
    other = labels[:, None] != labels[None, :]
    one_way = loss._one_way(voices, faces, other)
    assert float(loss._one_way(voices, lengths * faces, other)) == pytest.approx(float(one_way), abs=1e-12)
    assert float(loss._one_way(lengths * voices, faces, other)) != pytest.approx(float(one_way), abs=1e-3)


@pytest.mark.parametrize("scale", [10.0, 100.0, 1000.0])
def test_far_apart_it_is_the_hinge_on_the_hardest_negative(scale):
    # Equation (5): over the scale, log(1 + m' + sum exp) tends to the hinge; never below, at most log(n + 5.4) off.
    voices, faces = batch(6, seed=3)
    scores = voices @ torch.nn.functional.normalize(faces, dim=1).T
    gaps = (scores - scores.diagonal()[:, None]).fill_diagonal_(-torch.inf)
    hinge = float(gaps.max(dim=1).values.clamp(min=0).mean())
    other = ~torch.eye(6, dtype=torch.bool)
    found = float(ExplicitLoss()._one_way(scale * voices, faces, other)) / scale
    assert hinge <= found <= hinge + math.log(6 + 5.4) / scale


def test_gradients_are_those_of_differences():
    voices, faces = (side.requires_grad_() for side in batch(4, 3, scale=2.0))
    labels = torch.tensor([0, 1, 2, 1])
    assert torch.autograd.gradcheck(lambda v, x: ExplicitLoss()(v, x, labels), (voices, faces))
    implicit = ImplicitLoss(3, 3).double()
    assert torch.autograd.gradcheck(lambda v, x: implicit(v, x, labels), (voices, faces))


def test_one_identity_leaves_a_finite_loss_without_gradient():
    voices, faces = (side.requires_grad_() for side in batch(3))
    loss = ExplicitLoss()(voices, faces, torch.zeros(3, dtype=torch.long))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(5.4))
    assert not voices.grad.any() and not faces.grad.any()


def test_zero_rows_and_large_rows_stay_finite():
    labels = torch.arange(3)
    for scale in (0.0, 1e4):
        voices, faces = (side.float() for side in batch(3, scale=scale))
        assert torch.isfinite(ExplicitLoss()(voices, faces, labels))
