import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.train.losses import ExplicitLoss, ImplicitLoss, TotalLoss

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


def batch(n: int, d: int = 6, seed: int = 0, scale: float = 1.0):
    random = np.random.default_rng(seed)
    return tuple(torch.as_tensor(scale * random.normal(size=(n, d))) for _ in range(2))


def explicit_by_loop(voices, faces, labels, margin):
    """The loss of each sample as the method states it, term by term, in plain Python."""

    def one_way(anchors, gallery):
        for i, anchor in enumerate(anchors):
            score = [sum(a * b for a, b in zip(anchor, row, strict=True)) / math.hypot(*row) for row in gallery]
            others = [math.exp(score[j] - score[i]) for j in range(len(gallery)) if labels[j] != labels[i]]
            yield math.log(1 + margin + sum(others))

    voices, faces = voices.tolist(), faces.tolist()
    return [(a + b) / 2 for a, b in zip(one_way(voices, faces), one_way(faces, voices), strict=True)]


def implicit_by_loop(weights, voices, faces, labels):
    def entropy(row, label):
        logits = [sum(w * x for w, x in zip(weight, row, strict=True)) for weight in weights]
        return math.log(sum(map(math.exp, logits))) - logits[label]

    return [entropy(v, y) + entropy(x, y) for v, x, y in zip(voices, faces, labels, strict=True)]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.sampled_from([0.0, 1.0, 4.4]), st.integers(0, 99))
def test_explicit_equals_a_plain_loop_with_pairs_of_one_identity_masked(labels, margin, seed):
    voices, faces = batch(len(labels), seed=seed)
    found = ExplicitLoss(margin)(voices, faces, torch.tensor(labels))
    assert found.tolist() == pytest.approx(explicit_by_loop(voices, faces, labels, margin), abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.integers(0, 99))
def test_implicit_equals_a_plain_loop(labels, seed):
    voices, faces = batch(len(labels), seed=seed)
    loss = ImplicitLoss(6, 4).double()
    wanted = implicit_by_loop(loss.classifier.weight.tolist(), voices.tolist(), faces.tolist(), labels)
    assert loss(voices, faces, torch.tensor(labels)).tolist() == pytest.approx(wanted, abs=1e-12)


def test_a_batch_without_information_gives_the_constant_of_the_release():
    # Equal rows: every gap is 0, so the loss is log(1 + 4.4 + 3 others); alone it is log 5.4.
    same = torch.ones(4, 5)
    assert ExplicitLoss()(same, same, torch.arange(4)).tolist() == pytest.approx([math.log(5.4 + 3)] * 4, abs=1e-6)
    assert ExplicitLoss()(same[:1], same[:1], torch.tensor([0])).tolist() == pytest.approx([math.log(5.4)], abs=1e-6)


def test_masking_changes_nothing_on_distinct_identities():
    voices, faces = batch(5)
    all_others = explicit_by_loop(voices, faces, range(5), 4.4)
    assert ExplicitLoss()(voices, faces, torch.arange(5)).tolist() == pytest.approx(all_others, abs=1e-12)


def test_both_directions_weigh_the_same_and_only_the_gallery_side_is_normalised():
    voices, faces = batch(5)
    labels, loss = torch.arange(5), ExplicitLoss()
    assert torch.allclose(loss(voices, faces, labels), loss(faces, voices, labels), rtol=0, atol=1e-12)
    lengths = torch.linspace(0.5, 3.0, 5, dtype=voices.dtype)[:, None]
    other = labels[:, None] != labels[None, :]
    one_way = loss._one_way(voices, faces, other)
    assert torch.allclose(loss._one_way(voices, lengths * faces, other), one_way, rtol=0, atol=1e-12)
    assert not torch.allclose(loss._one_way(lengths * voices, faces, other), one_way, rtol=0, atol=1e-3)


def test_the_order_of_a_batch_changes_nothing():
    voices, faces = batch(6)
    labels, order = torch.tensor([0, 1, 1, 2, 0, 3]), torch.tensor([4, 2, 0, 5, 1, 3])
    for loss in (ExplicitLoss(), ImplicitLoss(6, 4).double()):
        straight = loss(voices, faces, labels)
        assert torch.allclose(loss(voices[order], faces[order], labels[order]), straight[order], rtol=0, atol=1e-12)


def test_gradients_are_those_of_differences():
    voices, faces = (side.requires_grad_() for side in batch(4, 3, scale=2.0))
    labels = torch.tensor([0, 1, 2, 1])
    weights = torch.tensor([0.0, 1.5, 0.3, 1.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda v, x: ExplicitLoss()(v, x, labels), (voices, faces))
    total = TotalLoss(3, 3, implicit=0.7, explicit=1.3).double()
    assert torch.autograd.gradcheck(lambda v, x: total.implicit(v, x, labels), (voices, faces))
    assert torch.autograd.gradcheck(lambda v, x: total(v, x, labels, weights).total, (voices, faces))


def test_one_identity_leaves_a_finite_loss_without_gradient():
    voices, faces = (side.requires_grad_() for side in batch(3))
    loss = ExplicitLoss()(voices, faces, torch.zeros(3, dtype=torch.long))
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([math.log(5.4)] * 3)
    assert not voices.grad.any() and not faces.grad.any()


def test_an_anchor_whose_identity_fills_the_batch_but_one():
    voices, faces = (side.requires_grad_() for side in batch(3))
    loss = ExplicitLoss()(voices, faces, torch.tensor([5, 5, 8]))
    loss.sum().backward()
    assert loss.tolist() == pytest.approx(explicit_by_loop(voices, faces, [5, 5, 8], 4.4), abs=1e-12)
    assert torch.isfinite(voices.grad).all() and torch.isfinite(faces.grad).all()


def test_zero_rows_and_large_rows_stay_finite():
    labels = torch.arange(3)
    for scale in (0.0, 1e4):
        voices, faces = (side.float() for side in batch(3, scale=scale))
        losses = TotalLoss(6, 3)(voices, faces, labels)
        assert all(torch.isfinite(each).all() for each in losses)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_autocast_changes_no_bit(dtype):
    voices, faces = (side.to(dtype) for side in batch(8, scale=3.0))
    loss, labels = TotalLoss(6, 8), torch.arange(8)
    plain = loss(voices, faces, labels)
    with torch.autocast("cpu", torch.bfloat16):
        cast = loss(voices, faces, labels)
    assert all(torch.equal(one, other) and one.dtype == torch.float32 for one, other in zip(plain, cast, strict=True))


def test_float64_embeddings_give_float64():
    losses = TotalLoss(6, 4)(*batch(4), torch.arange(4))
    assert all(each.dtype == torch.float64 for each in losses)


class TestTotal:
    labels = torch.tensor([2, 0, 1, 3])

    def losses(self, weights=None, **settings):
        torch.manual_seed(0)
        loss = TotalLoss(6, 4, **settings).double()
        voices, faces = (side.requires_grad_() for side in batch(4))
        return loss, (voices, faces), loss(voices, faces, self.labels, weights)

    def test_is_the_mean_of_the_weighted_terms(self):
        weights = torch.tensor([0.0, 2.0, 0.5, 1.5])
        loss, sides, losses = self.losses(weights, implicit=0.7, explicit=1.3, margin=2.0)
        implicit = implicit_by_loop(loss.implicit.classifier.weight.tolist(), *(s.tolist() for s in sides), self.labels)
        explicit = explicit_by_loop(*sides, self.labels.tolist(), 2.0)
        means = [sum(w * e for w, e in zip(weights.tolist(), term, strict=True)) / 4 for term in (implicit, explicit)]
        assert losses.implicit.item() == pytest.approx(means[0], abs=1e-12)
        assert losses.explicit.item() == pytest.approx(means[1], abs=1e-12)
        assert losses.total.item() == pytest.approx(0.7 * means[0] + 1.3 * means[1], abs=1e-12)
        assert losses.hardness.tolist() == pytest.approx(implicit, abs=1e-12)

    def test_no_weights_are_weights_of_one(self):
        plain, ones = self.losses()[2], self.losses(torch.ones(4))[2]
        assert all(torch.equal(one, other) for one, other in zip(plain, ones, strict=True))

    def test_only_the_total_has_a_gradient(self):
        losses = self.losses()[2]
        assert [each.requires_grad for each in losses] == [True, False, False, False]

    def test_a_sample_of_weight_zero_is_a_negative_still_and_learns_nothing_itself(self):
        weights = torch.tensor([0.0, 1.0, 1.0, 1.0])
        _, (voices, _), losses = self.losses(weights, explicit=0.0)
        losses.total.backward()
        assert not voices.grad[0].any() and voices.grad[1:].any()
        _, (voices, _), losses = self.losses(weights, implicit=0.0)
        losses.total.backward()
        assert voices.grad[0].any()

    def test_without_the_implicit_loss_the_classifier_stands_still_and_hardness_is_measured(self):
        both, without = self.losses(), self.losses(implicit=0.0)
        without[2].total.backward()
        assert [parameter.requires_grad for parameter in without[0].parameters()] == [False]
        assert without[0].implicit.classifier.weight.grad is None
        assert torch.equal(without[2].hardness, both[2].hardness)
        assert without[2].total.item() == both[2].explicit.item()

    def test_without_the_explicit_loss_the_total_is_the_implicit_one(self):
        both, without = self.losses(), self.losses(explicit=0.0)
        assert without[2].total.item() == both[2].implicit.item()
        assert without[2].explicit.item() == both[2].explicit.item()
        without[2].total.backward()
        rows = torch.autograd.grad(both[0].implicit(*both[1], self.labels).mean(), both[1])
        assert all(torch.equal(side.grad, row) for side, row in zip(without[1], rows, strict=True))

    def test_names_of_its_state(self):
        assert list(TotalLoss(6, 4).state_dict()) == ["implicit.classifier.weight"]
        assert list(ImplicitLoss(6, 4).state_dict()) == ["classifier.weight"]


class TestAgainstTheRelease:
    """Its cross-entropies and explicit loss, on given embeddings and weights."""

    @pytest.fixture
    def given(self, monkeypatch):
        if not REFERENCE.exists():
            pytest.skip(f"{REFERENCE} is not there")
        monkeypatch.syspath_prepend(REFERENCE)
        import wen2021_weights

        vectors = np.load(REFERENCE / "wen2021_vectors.npz")
        loss = TotalLoss(128, 924)
        loss.implicit.classifier.weight.data = torch.tensor(wen2021_weights.state_dict()["F.cls.weight"])
        return loss, vectors, tuple(torch.tensor(vectors[name]) for name in ("zv", "zx", "y"))

    def test_each_value(self, given):
        loss, wanted, (voices, faces, labels) = given
        found = {
            "ce_face": loss.implicit._one_way(faces, labels),
            "ce_voice": loss.implicit._one_way(voices, labels),
            "explicit": loss.explicit(voices, faces, labels),
        }
        for name, each in found.items():
            assert each.tolist() == pytest.approx(wanted[name].tolist(), rel=1e-6), name

    def test_the_sum(self, given):
        loss, wanted, batch_of_release = given
        losses = loss(*batch_of_release)
        each = wanted["ce_face"] + wanted["ce_voice"]
        assert losses.hardness.tolist() == pytest.approx(each.tolist(), rel=1e-6)
        assert losses.total.item() == pytest.approx(float((each + wanted["explicit"]).mean()), rel=1e-6)
