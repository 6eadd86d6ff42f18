import dataclasses

import numpy as np
import pytest
import torch
from builders import make_embeddings, make_space, unit_rows

from vfsearch.errors import ManifestError
from vfsearch.networks.heads import HeadSettings
from vfsearch.train.loop import COLUMNS, fit
from vfsearch.train.settings import TrainSettings

SMALL = TrainSettings(head=HeadSettings(dimension=8, hidden=12), steps=9, batch_size=4, checkpoint_steps=3)


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


def same(first, second) -> bool:
    weights = first.heads.state_dict(), second.heads.state_dict()
    return first.record == second.record and all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize("optimiser", ["adamw", "sgd"])
@pytest.mark.parametrize("hidden", [0, 12])
def test_a_resumed_training_is_the_same_bit_for_bit(optimiser, hidden):
    settings = dataclasses.replace(SMALL, optimiser=optimiser, head=HeadSettings(dimension=8, hidden=hidden))
    straight = fit(*features(), settings, InMemory())
    for stop_after in (1, 2):
        checkpoints = InMemory(stop_after)
        with pytest.raises(KeyboardInterrupt):
            fit(*features(), settings, checkpoints)
        torch.manual_seed(stop_after)  # what the process drew in between does not matter
        checkpoints.stop_after = 99
        assert same(fit(*features(), settings, checkpoints), straight)


def test_where_checkpoints_fall_changes_nothing():
    often = dataclasses.replace(SMALL, checkpoint_steps=1)
    checkpoints = InMemory()
    assert same(fit(*features(), SMALL, InMemory()), fit(*features(), often, checkpoints))
    assert [len(state["record"]) for state in checkpoints.states] == list(range(1, 9))  # the last is the model itself


def test_the_seed_decides():
    first, again, other = (fit(*features(), dataclasses.replace(SMALL, seed=seed), InMemory()) for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)


def test_the_record_has_a_row_a_step_and_adds_up():
    settings = dataclasses.replace(SMALL, implicit=0.5, explicit=2.0)
    seen = []
    trained = fit(*features(), settings, InMemory(), progress=lambda *call: seen.append(call))
    assert len(COLUMNS) == 4 and [row[0] for row in trained.record] == list(range(9))
    for _, loss, implicit, explicit in trained.record:
        assert loss == pytest.approx(0.5 * implicit + 2.0 * explicit, rel=1e-5)
    assert seen == [("training steps", step, 9) for step in range(1, 10)]
    assert not trained.heads.training


def test_what_is_learned_is_who_belongs_to_whom():
    voices, faces = features()
    head = HeadSettings(dimension=16, hidden=32, dropout=0.1)
    settings = TrainSettings(head=head, steps=150, batch_size=10, learning_rate=1e-2)
    trained = fit(voices, faces, settings, InMemory())
    assert trained.record[-1][1] < 0.75 * trained.record[0][1]
    with torch.no_grad():
        left, right = (
            torch.nn.functional.normalize(trained.heads(side.modality, torch.as_tensor(side.vectors)), dim=1)
            for side in (voices, faces)
        )
    best = (left @ right.T).argmax(dim=1).numpy()
    right_ones = np.array(faces.identities)[best] == np.array(voices.identities)
    assert right_ones.mean() > 0.9


def test_identities_without_one_of_the_modalities_are_left_out():
    voices, faces = features()
    keep = np.array([name not in ("p3", "p4") for name in faces.identities])
    fewer = faces.take(np.flatnonzero(keep))
    trained = fit(voices, fewer, SMALL, InMemory())
    assert trained.identities == sorted({f"p{number}" for number in range(10)} - {"p3", "p4"})
    both = fit(voices.take(np.flatnonzero(keep)), fewer, SMALL, InMemory())
    assert same(trained, both)


def test_an_odd_number_of_identities_in_batches_of_two():
    settings = dataclasses.replace(SMALL, batch_size=2, steps=4)
    assert len(fit(*features(people=3), settings, InMemory()).record) == 4


def test_one_identity_cannot_be_trained_on():
    with pytest.raises(ManifestError, match="at least 2 identities that have both"):
        fit(*features(people=1), SMALL, InMemory())
