import dataclasses
import math

import numpy as np
import pytest
import torch
from builders import make_embeddings, make_space, unit_rows

from vfsearch.errors import ManifestError, VfsearchError
from vfsearch.networks.heads import HeadSettings
from vfsearch.networks.joint import JointNetworks
from vfsearch.train.feature_pairs import FeaturePairs
from vfsearch.train.loop import COLUMNS, fit
from vfsearch.train.reweighting import Reweighting
from vfsearch.train.settings import TrainSettings

SMALL = TrainSettings(
    head=HeadSettings(dimension=8, hidden=12), steps=9, weights_steps=8, batch_size=4, checkpoint_steps=3,
    reweighting=Reweighting(warm_up_steps=2, every=2), validate_steps=4,
)  # fmt: skip
PLAIN = dataclasses.replace(SMALL, stages=("retrain",))


class InMemory:
    """Checkpoints as copies, and a stop after some of them."""

    def __init__(self, stop_after: int = 99):
        self.states, self.stop_after = [], stop_after

    def load(self):
        return self.states[-1] if self.states else None

    def save(self, state):
        self.states.append({name: tensor.clone() for name, tensor in state.items()})
        if len(self.states) == self.stop_after:
            raise KeyboardInterrupt


def features(people: int = 10, each: int = 3, noise: float = 0.3, seed: int = 0):
    """Voice and face rows of different dimension, each person with directions of their own."""
    random, made = np.random.default_rng(seed), []
    for modality, d in (("voice", 12), ("face", 10)):
        names = [f"p{row % people}" for row in range(people * each)]
        rows = np.tile(unit_rows(people, d, d + seed), (each, 1))
        side = make_embeddings(len(names), d, modality=modality, identities=names, space=make_space(modality, d))
        rows = rows + noise * random.normal(size=rows.shape) / d**0.5
        side.vectors[:] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        made.append(side)
    return made


def train(settings, sides=None, checkpoints=None, **more):
    """Heads on features."""
    sides = sides or features()
    widths = {side.modality: side.space.dimension for side in sides}
    pairs = FeaturePairs(*sides, settings.batch_size, settings.seed)
    return fit(pairs, lambda: JointNetworks({}, widths, settings.head), settings, checkpoints or InMemory(), **more)


def same(first, second) -> bool:
    weights = first.networks.state_dict(), second.networks.state_dict()
    return (
        np.array_equal(first.record, second.record, equal_nan=True)
        and all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
        and torch.equal(first.classifier, second.classifier)
        and np.array_equal(first.weights, second.weights)
        and np.array_equal(first.hardness, second.hardness)
        and first.best == second.best
    )


def falling(networks):
    """A validation that likes the first networks best."""
    falling.calls += 1
    return 1 / falling.calls, 0.5


@pytest.fixture
def validate():
    falling.calls = 0
    return falling


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize("stages", [("retrain",), ("warm-up",), ("warm-up", "weights", "retrain")])
def test_a_resumed_training_is_the_same_bit_for_bit(optimiser, stages):
    settings = dataclasses.replace(SMALL, optimiser=optimiser, stages=stages, checkpoint_steps=1)
    steps = sum(run.steps for run in settings.runs)
    straight = train(settings)
    for stop_after in range(1, steps):
        checkpoints = InMemory(stop_after)
        with pytest.raises(KeyboardInterrupt):
            train(settings, checkpoints=checkpoints)
        torch.manual_seed(stop_after)  # what the process drew in between does not matter
        checkpoints.stop_after = 99
        assert same(train(settings, checkpoints=checkpoints), straight)


def test_the_best_survives_a_kill(validate):
    settings = dataclasses.replace(SMALL, checkpoint_steps=1)
    straight = train(settings, validate=validate)
    assert straight.best.step == 3 and straight.best.voice_to_face == 1.0 and straight.best.accuracy == 0.75
    checkpoints = InMemory(8 + 6)
    falling.calls = 0
    with pytest.raises(KeyboardInterrupt):
        train(settings, checkpoints=checkpoints, validate=validate)
    checkpoints.stop_after = 99
    assert same(train(settings, checkpoints=checkpoints, validate=validate), straight)


def test_the_best_networks_are_those_of_its_step(validate):
    settings = dataclasses.replace(PLAIN, milestones=(1, 2))
    best, until_then = train(settings, validate=validate), train(dataclasses.replace(settings, steps=4))
    assert torch.equal(best.classifier, until_then.classifier)
    assert [not math.isnan(row[-1]) for row in best.record] == [step in (3, 7, 8) for step in range(9)]


def test_where_checkpoints_fall_changes_nothing():
    often = dataclasses.replace(SMALL, checkpoint_steps=1)
    checkpoints = InMemory()
    assert same(train(SMALL), train(often, checkpoints=checkpoints))
    assert [len(state["record"]) for state in checkpoints.states] == list(range(1, 17))  # the last is the model itself


def test_the_seed_decides():
    first, again, other = (train(dataclasses.replace(SMALL, seed=seed)) for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)


def test_what_the_caller_draws_is_left_alone():
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    train(PLAIN)
    assert torch.equal(torch.rand(3), wanted)


def test_the_record_has_a_row_a_step_and_adds_up():
    settings = dataclasses.replace(SMALL, implicit=0.5, explicit=2.0)
    seen = []
    trained = train(settings, progress=lambda *call: seen.append(call))
    assert len(COLUMNS) == len(trained.record[0])
    assert [row[:2] for row in trained.record] == [(0, step) for step in range(8)] + [(1, step) for step in range(9)]
    for _, _, loss, implicit, explicit, *_ in trained.record:
        assert loss == pytest.approx(0.5 * implicit + 2.0 * explicit, rel=1e-5)
    assert seen == [("training steps", step, 17) for step in range(1, 18)]
    assert not trained.networks.training


def test_identities_are_weighed_and_the_weights_are_trained_with():
    trained = train(SMALL)
    assert (trained.weights == 0).any() and (trained.weights == 1).any()
    assert not np.array_equal(trained.hardness, np.full(10, 14.0))
    plain = train(PLAIN)
    assert (plain.weights == 1).all() and not torch.equal(plain.classifier, trained.classifier)
    given = train(PLAIN, weights=trained.weights)
    assert torch.equal(given.classifier, trained.classifier) and np.array_equal(given.weights, trained.weights)


def test_before_the_weights_all_weigh_the_same():
    warm, weighed = (train(dataclasses.replace(SMALL, stages=each)) for each in (("warm-up",), ("warm-up", "weights")))
    assert (warm.weights == 1).all() and len(warm.record) == 2
    assert warm.record == weighed.record[:2]


def test_each_run_starts_from_the_same_networks():
    settings = dataclasses.replace(SMALL, implicit=0.0, learning_rate=0.0)
    assert torch.equal(train(settings).classifier, train(dataclasses.replace(settings, stages=("retrain",))).classifier)


@pytest.mark.parametrize("off", ["implicit", "explicit"])
def test_a_loss_can_be_switched_off(off):
    trained = train(dataclasses.replace(PLAIN, **{off: 0.0}))
    other = {"implicit": 4, "explicit": 3}[off]
    assert [row[2] for row in trained.record] == pytest.approx([row[other] for row in trained.record])


def test_what_is_learned_is_who_belongs_to_whom():
    voices, faces = features()
    head = HeadSettings(dimension=16, hidden=32, dropout=0.1)
    settings = TrainSettings(
        head=head, stages=("retrain",), steps=150, batch_size=10, optimiser="adamw", learning_rate=1e-2
    )
    trained = train(settings, (voices, faces))
    assert trained.record[-1][2] < 0.75 * trained.record[0][2]
    with torch.no_grad():
        left, right = (
            torch.nn.functional.normalize(trained.networks(side.modality, torch.as_tensor(side.vectors)), dim=1)
            for side in (voices, faces)
        )
    best = (left @ right.T).argmax(dim=1).numpy()
    right_ones = np.array(faces.identities)[best] == np.array(voices.identities)
    assert right_ones.mean() > 0.9


def test_bfloat16_networks_learn_much_the_same():
    exact, rough = (train(dataclasses.replace(PLAIN, precision=each)) for each in ("fp32", "bf16"))
    assert [row[2] for row in rough.record] == pytest.approx([row[2] for row in exact.record], rel=0.05)
    assert not same(exact, rough)


def test_a_training_that_diverges_says_so():
    with pytest.raises(VfsearchError, match=r"diverged at step 1 of the run 'retrain'.* smaller learning rate than 1e"):
        train(dataclasses.replace(PLAIN, learning_rate=1e30))


def test_identities_without_one_of_the_modalities_are_left_out():
    voices, faces = features()
    keep = np.array([name not in ("p3", "p4") for name in faces.identities])
    fewer = faces.take(np.flatnonzero(keep))
    trained = train(SMALL, (voices, fewer))
    assert trained.identities == sorted({f"p{number}" for number in range(10)} - {"p3", "p4"})
    assert same(trained, train(SMALL, (voices.take(np.flatnonzero(keep)), fewer)))


def test_an_odd_number_of_identities_in_batches_of_two():
    settings = dataclasses.replace(PLAIN, batch_size=2, steps=4)
    assert len(train(settings, features(people=3)).record) == 4


def test_one_identity_cannot_be_trained_on():
    with pytest.raises(ManifestError, match="at least 2 identities that have both"):
        train(SMALL, features(people=1))
