import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.encoders.dlib_faces import NO_FACE_NOTE
from vfsearch.encoders.network_preparation import NetworkClipPreparation, NetworkPhotoPreparation, landmark_template
from vfsearch.errors import MediaError, SettingsError
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Prepared, Task
from vfsearch.media.workers import PreparationWorkers


def prepared(preparation, path, start=None, end=None) -> Prepared:
    return preparation(path, start, end, Limits())


def photo(path, pixels: np.ndarray):
    Image.fromarray(pixels).save(path)
    return path


def clip(path, samples: np.ndarray, rate_hz: int = 16_000):
    soundfile.write(path, samples, rate_hz, subtype="FLOAT" if samples.dtype.kind == "f" else "PCM_16")
    return path


def test_a_crop_of_the_right_size_only_changes_its_channels_around(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 40, 3)).astype(np.uint8)
    found = prepared(NetworkPhotoPreparation(aligned=True, pixels=32), photo(tmp_path / "a.png", pixels))
    np.testing.assert_array_equal(found.sample, pixels[:, :, ::-1])
    assert found.sample.flags.c_contiguous and found.note == ""


@pytest.mark.parametrize("size, wanted", [((64, 96), (32, 48)), ((99, 33), (96, 32)), ((10, 11), (32, 35))])
def test_the_shorter_side_of_a_crop_becomes_as_long_as_wanted(size, wanted, tmp_path):
    path = photo(tmp_path / "a.png", np.full((*size, 3), 7, np.uint8))
    found = prepared(NetworkPhotoPreparation(aligned=True, pixels=32), path)
    assert found.sample.shape == (*wanted, 3) and found.sample.dtype == np.uint8


def test_a_strip_is_no_face(tmp_path):
    path = photo(tmp_path / "a.png", np.zeros((1, 9, 3), np.uint8))
    with pytest.raises(MediaError, match="9 x 1 pixels: one side is more than 8 times the other"):
        prepared(NetworkPhotoPreparation(aligned=True), path)


@pytest.mark.usefixtures("needs_dlib")
def test_a_photo_without_a_face(tmp_path):
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = (10, 20, 30)
    path = photo(tmp_path / "a.png", pixels)
    found = prepared(NetworkPhotoPreparation(pixels=48), path)
    assert found.note == NO_FACE_NOTE
    np.testing.assert_array_equal(found.sample, np.full((48, 48, 3), (30, 20, 10)))
    with pytest.raises(MediaError, match=r"^no face found$"):
        prepared(NetworkPhotoPreparation(on_no_face="fail"), path)


@pytest.mark.usefixtures("needs_dlib")
def test_eyes_and_nose_of_a_face_lie_where_the_template_has_them(chimera24):
    import dlib

    from vfsearch.encoders.dlib_faces import model_file

    landmarks = dlib.shape_predictor(str(model_file("shape_predictor_5_face_landmarks.dat")))
    errors = []
    for path in sorted((chimera24 / "face").glob("*/*.pgm"))[::10]:
        found = prepared(NetworkPhotoPreparation(pixels=112), path)
        if not found.note:
            face = np.ascontiguousarray(found.sample[:, :, ::-1])
            points = landmarks(face, dlib.rectangle(10, 20, 102, 112)).parts()
            errors.append([(point.x, point.y) for point in points] - landmark_template(112))
    assert len(errors) >= 20
    assert np.abs(np.mean(errors, axis=0)).max() < 3, "pixels of 112"


def test_the_template_has_the_eyes_of_the_field():
    points = landmark_template(112)
    left, right = points[2:4].mean(axis=0), points[:2].mean(axis=0)
    np.testing.assert_allclose((left + right) / 2, (55.913, 51.599), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(right - left), 35.237, atol=1e-6)
    np.testing.assert_allclose(landmark_template(56), points / 2)


def test_a_clip_is_scaled_to_16_bits_and_cut(tmp_path):
    samples = np.arange(-16_000, 16_000, dtype=np.int16)
    path = clip(tmp_path / "a.wav", samples)
    found = prepared(NetworkClipPreparation(seconds=1.5), path)
    assert found.sample.dtype == np.float32
    np.testing.assert_array_equal(found.sample, samples[:24_000])
    np.testing.assert_array_equal(prepared(NetworkClipPreparation(), path).sample, samples)


@pytest.mark.parametrize(
    "start, end, first, last",
    [(0.5, None, 8000, 24_000), (0.5, 1.0, 8000, 16_000), (None, 1.75, 0, 16_000), (1.5, 9.0, 24_000, 32_000)],
)
def test_a_part_of_a_clip(start, end, first, last, tmp_path):
    samples = np.arange(-16_000, 16_000, dtype=np.int16)
    found = prepared(NetworkClipPreparation(seconds=1.0), clip(tmp_path / "a.wav", samples), start, end)
    np.testing.assert_array_equal(found.sample, samples[first:last])


def test_another_rate_and_several_channels(tmp_path):
    time = np.arange(48_000) / 48_000
    tone = (0.25 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    path = clip(tmp_path / "a.wav", np.stack([tone, tone], axis=1), 48_000)
    found = prepared(NetworkClipPreparation(seconds=0.5), path).sample
    assert found.shape == (8000,)
    np.testing.assert_allclose(found[100:-100], 32768 * tone[::3][100:7900], atol=30)


def test_silence_is_refused(tmp_path):
    with pytest.raises(MediaError, match="silent: every sample is zero"):
        prepared(NetworkClipPreparation(), clip(tmp_path / "a.wav", np.zeros(8000, np.int16)))


def test_both_run_in_the_processes_that_decode(tmp_path):
    face = photo(tmp_path / "a.png", np.full((20, 20, 3), 9, np.uint8))
    voice = clip(tmp_path / "a.wav", np.ones(8000, np.int16))
    for preparation, good in ((NetworkPhotoPreparation(aligned=True), face), (NetworkClipPreparation(), voice)):
        with PreparationWorkers(preparation, Limits(), 1) as workers:
            first, second = workers.prepare([Task(path=good), Task(path=tmp_path / "nothing")])
        assert isinstance(first, Prepared) and isinstance(second, Failure)


@pytest.mark.parametrize(
    "kind, settings, message",
    [
        (NetworkPhotoPreparation, {"pixels": 0}, "pixels: got 0, wanted 1 or more"),
        (NetworkPhotoPreparation, {"on_no_face": "skip"}, "on_no_face: got 'skip', wanted one of crop, fail"),
        (NetworkClipPreparation, {"seconds": 0}, "seconds: got 0, wanted more than 0"),
    ],
)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(SettingsError, match=message):
        kind(**settings)
