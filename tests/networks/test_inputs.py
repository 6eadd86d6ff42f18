import numpy as np
import pytest
import torch

from vfsearch.errors import InputError, SettingsError
from vfsearch.networks.inputs import ClipInputs, PhotoInputs


def generators(n: int, seed: int = 0) -> list[np.random.Generator]:
    return [np.random.default_rng([seed, number]) for number in range(n)]


def photo(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def train(inputs, samples, seed: int = 0) -> torch.Tensor:
    return inputs.training(samples, np.random.default_rng(seed), generators(len(samples), seed))


def test_evaluation_takes_the_middle_square_and_scales_by_hand():
    wide = np.zeros((2, 5, 3), np.uint8)
    wide[0, 1], wide[0, 2], wide[1, 1] = (0, 127, 255), (255, 1, 2), (51, 102, 204)
    found = PhotoInputs(pixels=2).evaluation([wide])
    assert found.shape == (1, 3, 2, 2) and found.dtype == torch.float32
    blue, green, red = found[0]
    np.testing.assert_allclose(blue, [[-1, 1], [-0.6, -1]], atol=1e-6)
    np.testing.assert_allclose(green, [[-0.5 / 127.5, -126.5 / 127.5], [-0.2, -1]], atol=1e-6)
    np.testing.assert_allclose(red, [[1, -125.5 / 127.5], [0.6, -1]], atol=1e-6)


def test_a_batch_may_mix_shapes_and_may_be_empty():
    inputs = PhotoInputs(pixels=8)
    assert inputs.evaluation([photo(8, 12), photo(8, 8), photo(30, 8)]).shape == (3, 3, 8, 8)
    assert inputs.evaluation([]).shape == (0, 3, 8, 8)
    assert ClipInputs(seconds=0.5).evaluation([]).shape == (0, 8000)


def test_training_is_decided_by_the_generators():
    samples = [photo(16, 24, seed) for seed in range(4)]
    inputs = PhotoInputs(pixels=16)
    assert torch.equal(train(inputs, samples), train(inputs, samples))
    assert not torch.equal(train(inputs, samples), train(inputs, samples, seed=1))
    last = inputs.training(samples[2:], np.random.default_rng(9), generators(4)[2:])
    assert torch.equal(last, train(inputs, samples)[2:]), "an item does not depend on its batch"


def test_without_flip_and_rotation_training_only_cuts():
    samples = [photo(8, 20)] * 30
    found = train(PhotoInputs(pixels=8, flip=False, rotation_degrees=0.0), samples)
    cuts = PhotoInputs(pixels=8).evaluation([samples[0][:, left : left + 8] for left in range(13)])
    places = {next(k for k, cut in enumerate(cuts) if torch.equal(cut, each)) for each in found}
    assert len(places) > 8 and {0, 12} & places


def test_half_of_the_photos_are_mirrored():
    square = photo(8, 8)
    found = train(PhotoInputs(pixels=8, rotation_degrees=0.0), [square] * 200)
    as_it_is, mirrored = PhotoInputs(pixels=8).evaluation([square, square[:, ::-1]])
    count = sum(torch.equal(each, mirrored) for each in found)
    assert 70 < count < 130
    assert count + sum(torch.equal(each, as_it_is) for each in found) == 200


@pytest.mark.parametrize("degrees", [15.0, 45.0])
@pytest.mark.parametrize("shape", [(16, 16), (16, 40), (40, 16)])
def test_a_turned_photo_stays_within_its_own_values(degrees, shape):
    pale = np.random.default_rng(0).integers(200, 240, (*shape, 3)).astype(np.uint8)
    found = train(PhotoInputs(pixels=16, rotation_degrees=degrees), [pale] * 40)
    assert found.shape == (40, 3, 16, 16)
    low, high = ((value - 127.5) / 127.5 for value in (200, 240))
    assert low - 1e-6 <= found.min() and found.max() <= high + 1e-6, "no black corners"


def test_a_photo_is_turned_about_its_middle_by_the_angle_that_is_drawn():
    spot = np.zeros((65, 65, 3), np.uint8)
    spot[30:35, 50:55] = 255
    inputs = PhotoInputs(pixels=65, flip=False, rotation_degrees=15.0)
    found = train(inputs, [spot] * 60)[:, 0] + 1
    rows, columns = np.mgrid[:65, :65] - 32.0
    down, right = ((found.numpy() * axis).sum(axis=(1, 2)) / found.numpy().sum(axis=(1, 2)) for axis in (rows, columns))
    angles = np.degrees(np.arctan2(down, right))
    np.testing.assert_allclose(np.hypot(down, right), 20, atol=0.5)
    assert np.abs(angles).max() <= 15.5 and angles.min() < -10 and angles.max() > 10


def test_switching_one_augmentation_off_leaves_the_others():
    sample = [photo(8, 20)] * 20
    with_flip, without = (train(PhotoInputs(pixels=8, flip=flip), sample) for flip in (True, False))
    assert all(torch.equal(a, b) or torch.equal(a, b.flip(2)) for a, b in zip(with_flip, without, strict=True))


@pytest.mark.parametrize(
    "sample", [photo(8, 9)[:, :, :1], photo(8, 9)[0], photo(7, 9), photo(9, 9), photo(8, 9).astype(np.float32)]
)
def test_what_is_no_prepared_photo_is_refused(sample):
    with pytest.raises(InputError, match=r"wanted \(h, w, 3\) uint8 with a shorter side of 8 pixels; prepare it"):
        PhotoInputs(pixels=8).evaluation([sample])


def test_clips_are_repeated_or_cut_in_evaluation():
    short, long = np.arange(3, dtype=np.float32), np.arange(20_000, dtype=np.float32)
    found = ClipInputs(seconds=0.5).evaluation([short, long])
    assert found.shape == (2, 8000) and found.dtype == torch.float32
    np.testing.assert_array_equal(found[0], np.resize(short, 8000))
    np.testing.assert_array_equal(found[1], long[:8000])


def test_training_takes_one_length_for_all_and_a_part_of_each():
    clips = [np.arange(160_000, dtype=np.float32) for _ in range(3)]
    lengths, starts = set(), set()
    for seed in range(40):
        found = train(ClipInputs(seconds=10.0), clips, seed).numpy()
        lengths.add(found.shape[1])
        starts.update(found[:, 0])
        np.testing.assert_array_equal(np.diff(found, axis=1), 1)
    assert min(lengths) >= 40_000 and max(lengths) <= 80_000 and len(lengths) > 30
    assert len(starts) > 100 and max(starts) > 60_000


def test_a_clip_that_is_too_short_is_repeated_from_anywhere():
    clip = np.arange(1000, dtype=np.float32)
    found = train(ClipInputs(seconds=10.0, shortest_seconds=0.1, longest_seconds=0.2), [clip] * 20).numpy()
    np.testing.assert_array_equal(np.diff(found, axis=1) % 1000, 1)
    assert len(set(found[:, 0])) > 15


def test_training_is_never_longer_than_evaluation_and_decided_by_the_generators():
    clips = [np.random.default_rng(seed).normal(size=9000).astype(np.float32) for seed in range(3)]
    inputs = ClipInputs(seconds=0.5)
    found = train(inputs, clips)
    assert found.shape == (3, 8000)
    assert torch.equal(found, train(inputs, clips)) and not torch.equal(found, train(inputs, clips, seed=1))
    last = inputs.training(clips[2:], np.random.default_rng(0), generators(3)[2:])
    assert torch.equal(last, found[2:]), "an item does not depend on its batch"


@pytest.mark.parametrize("clip", [np.empty(0, np.float32), np.zeros((2, 5), np.float32)])
def test_what_is_no_clip_is_refused(clip):
    with pytest.raises(InputError, match=r"wanted \(m,\) samples, one at least"):
        ClipInputs(seconds=1.0).evaluation([clip])
    with pytest.raises(InputError, match=r"wanted \(m,\) samples, one at least"):
        train(ClipInputs(seconds=1.0), [clip])


@pytest.mark.parametrize(
    "kind, settings, message",
    [
        (PhotoInputs, {"pixels": 0}, "pixels: got 0, wanted 1 or more"),
        (PhotoInputs, {"pixels": 8, "rotation_degrees": 50}, "rotation_degrees: got 50, wanted 0 to 45"),
        (ClipInputs, {"seconds": 0}, "seconds: got 0, wanted more than 0"),
        (ClipInputs, {"seconds": 5, "shortest_seconds": 3, "longest_seconds": 2}, "got 3 and 2, wanted both above 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(SettingsError, match=message):
        kind(**settings)
