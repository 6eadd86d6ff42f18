import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from vfsearch.encoders.dlib_resnet import NO_FACE_NOTE, DlibPreparation, DlibResnet, model_file
from vfsearch.errors import MediaError, SettingsError
from vfsearch.media.limits import Limits


@pytest.fixture(scope="module")
def encoder():
    return DlibResnet()


@pytest.fixture(scope="module")
def photos(chimera24):
    return sorted((chimera24 / "face").glob("*/*.pgm"))


def prepared(path, **settings):
    return DlibPreparation(**settings)(path, None, None, Limits())


def saved(path, pixels):
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.usefixtures("needs_dlib")
def test_the_rows_that_dlib_gives(encoder, photos):
    import dlib

    detector = dlib.get_frontal_face_detector()
    landmarks = dlib.shape_predictor(str(model_file("shape_predictor_5_face_landmarks.dat")))
    network = dlib.face_recognition_model_v1(str(model_file("dlib_face_recognition_resnet_model_v1.dat")))
    samples, wanted = [], []
    for path in photos[::5]:
        photo = np.array(Image.open(path).convert("RGB"))
        faces = detector(photo, 1)
        if faces:
            largest = max(faces, key=lambda face: face.area())
            wanted.append(network.compute_face_descriptor(photo, landmarks(photo, largest)))
            samples.append(prepared(path).sample)
    wanted = np.array(wanted) / np.linalg.norm(wanted, axis=1, keepdims=True)
    assert len(samples) >= 40
    assert (encoder.encode(samples) * wanted).sum(axis=1).min() >= 0.9999


@pytest.mark.usefixtures("needs_dlib")
def test_a_face_finds_another_photo_of_the_same_person(encoder, photos):
    results = [prepared(path) for path in photos]
    rows = encoder.encode([result.sample for result in results])
    names = np.array([path.parent.name for path in photos])
    nearest = (rows @ rows.T - 2 * np.eye(len(rows))).argmax(axis=1)
    assert (names[nearest] == names).mean() >= 0.99
    assert sum(result.note != "" for result in results) <= 12


@pytest.mark.usefixtures("needs_dlib")
def test_rows_do_not_depend_on_the_batch(encoder):
    chips = list(np.random.default_rng(0).integers(0, 256, (19, 150, 150, 3)).astype(np.uint8))
    alone = np.concatenate([encoder.encode([chip]) for chip in chips])
    together = encoder.encode(chips)
    assert together.dtype == np.float32 and together.shape == (19, 128)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert encoder.encode([]).shape == (0, 128)


@pytest.mark.usefixtures("needs_dlib")
def test_the_largest_of_several_faces_is_taken(photos, tmp_path):
    small = np.array(Image.open(photos[0]).convert("RGB"))
    large = np.array(Image.open(photos[1]).convert("RGB").resize((184, 224)))
    both = np.full((224, 300, 3), 128, np.uint8)
    both[:112, :92], both[:, 100:284] = small, large
    chip = prepared(saved(tmp_path / "both.png", both)).sample.astype(float)
    wanted = prepared(saved(tmp_path / "large.png", large)).sample.astype(float)
    assert np.corrcoef(chip.ravel(), wanted.ravel())[0, 1] > 0.95


@pytest.mark.usefixtures("needs_dlib")
def test_a_photo_larger_than_the_detector_wants_gives_the_same_face(photos, tmp_path):
    large = np.array(Image.open(photos[1]).convert("RGB").resize((920, 1120), Image.Resampling.BICUBIC))
    path = saved(tmp_path / "large.png", large)
    reduced, whole = (prepared(path, detect_pixels=pixels, upsample=0) for pixels in (400, 1600))
    assert (reduced.note, whole.note) == ("", "")
    assert np.corrcoef(reduced.sample.ravel(), whole.sample.ravel())[0, 1] > 0.95


@pytest.mark.usefixtures("needs_dlib")
def test_a_photo_without_a_face(tmp_path):
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = 200
    path = saved(tmp_path / "a.png", pixels)
    result = prepared(path)
    assert result.note == NO_FACE_NOTE == "no face found: centre crop"
    np.testing.assert_array_equal(result.sample, np.full((150, 150, 3), 200))
    with pytest.raises(MediaError, match=r"^no face found$"):
        prepared(path, on_no_face="fail")


def test_an_aligned_photo_is_only_scaled(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    result = prepared(saved(tmp_path / "a.png", pixels), aligned=True, on_no_face="fail")
    np.testing.assert_array_equal(result.sample, pixels)
    assert result.note == ""


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"on_no_face": "skip"}, "on_no_face: got 'skip', wanted one of crop, fail"),
        ({"upsample": -1}, "upsample: got -1, wanted 0 to 4"),
        ({"detect_pixels": 10}, "detect_pixels: got 10, wanted 80 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(SettingsError, match=message):
        DlibPreparation(**settings)


@pytest.mark.usefixtures("needs_dlib")
def test_preparation_counts_in_the_space(encoder):
    assert encoder.space == DlibResnet(on_no_face="crop").space
    assert encoder.space != DlibResnet(aligned=True).space


def test_importing_it_loads_neither_torch_nor_dlib():
    program = "import sys, vfsearch.encoders.dlib_resnet; sys.exit(bool({'torch', 'dlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0
