import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vfsearch.errors import ManifestError
from vfsearch.train.sampling import PairSampler


def sampler(people: int = 10, each: int = 3, batch_size: int = 4, seed: int = 1) -> PairSampler:
    names = [f"p{row % people}" for row in range(people * each)]
    return PairSampler(names, names[::-1], batch_size, seed)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 20), st.integers(2, 9), st.integers(0, 5))
def test_an_epoch_visits_each_identity_once_in_batches_of_two_or_more(people, batch_size, epoch):
    drawn = sampler(people, batch_size=batch_size)
    steps = range(epoch * drawn._batches, (epoch + 1) * drawn._batches)
    batches = [drawn.batch(step)[2] for step in steps]
    assert sorted(np.concatenate(batches).tolist()) == list(range(people))
    sizes = [len(labels) for labels in batches]
    assert min(sizes) >= 2 and max(sizes) - min(sizes) <= 1
    assert max(sizes) <= max(batch_size, 3)
    assert drawn.smallest_batch == min(sizes)


def test_rows_are_of_the_identity():
    voices, faces = ["b", "a", "b", "c", "x"], ["c", "y", "a", "a", "b"]
    drawn = PairSampler(voices, faces, 8, 1)
    assert drawn.identities == ["a", "b", "c"]
    for step in range(20):
        clips, photos, labels = drawn.batch(step)
        assert [voices[row] for row in clips] == [faces[row] for row in photos]
        assert [voices[row] for row in clips] == [drawn.identities[label] for label in labels]


def test_every_clip_and_photo_comes_up():
    drawn = sampler(people=3, each=4)
    for side in (0, 1):
        rows = np.concatenate([drawn.batch(step)[side] for step in range(100)])
        assert sorted(set(rows.tolist())) == list(range(12))


def test_a_batch_depends_on_the_step_alone():
    first, second = sampler(), sampler()
    for _ in range(7):
        second.batch(3)  # what was drawn before does not matter
    for step in (0, 5, 2, 100):
        assert all(np.array_equal(a, b) for a, b in zip(first.batch(step), second.batch(step), strict=True))
    other = sampler(seed=2)
    assert any(not np.array_equal(first.batch(step)[2], other.batch(step)[2]) for step in range(3))
    assert not np.array_equal(first.batch(0)[2], first.batch(3)[2])


def test_the_first_run_draws_what_a_training_of_one_run_always_drew():
    drawn = [each.tolist() for each in sampler().batch(5)]
    assert drawn == [[0, 16, 18], [29, 23, 1], [0, 6, 8]]
    assert [each.tolist() for each in sampler().batch(5, run=0)] == drawn


def test_other_runs_draw_other_batches():
    runs = [[sampler().batch(step, run) for step in range(6)] for run in range(3)]
    for part in range(3):
        told = [np.concatenate([batch[part] for batch in batches]).tolist() for batches in runs]
        assert told[0] != told[1] != told[2] != told[0]
    for batches in runs:  # two epochs of each run
        assert sorted(np.concatenate([labels for _, _, labels in batches[:3]]).tolist()) == list(range(10))


def test_the_rows_of_an_identity_in_a_circle():
    drawn = PairSampler(["b", "a", "b", "x", "b"], ["a", "b", "a"], 2, 1)
    assert drawn.cycle("voice", 1).tolist() == drawn.cycle("voice", 1, 0).tolist() == [0, 2, 4]
    assert drawn.cycle("voice", 1, 2).tolist() == [2, 4, 0]
    assert drawn.cycle("voice", 1, 4).tolist() == [4, 0, 2]
    assert drawn.cycle("voice", 0).tolist() == [1] and drawn.cycle("face", 0, 2).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("voices", "faces", "counts"),
    [([], [], "got 0 (0 have a voice, 0 a face)"), (["a", "a"], ["a"], "got 1 (1 have a voice, 1 a face)"),
     (["a", "b", "c"], ["c", "d"], "got 1 (3 have a voice, 2 a face)")],
    ids=["empty", "one identity", "one in common"],
)  # fmt: skip
def test_fewer_than_two_identities(voices, faces, counts):
    with pytest.raises(ManifestError) as raised:
        PairSampler(voices, faces, 4, 1)
    assert counts in str(raised.value)
