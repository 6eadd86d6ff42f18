import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits
from vfsearch.media.views import Outline, Sound, Thumbnail


def photo(path, width=40, height=20):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 4], pixels[:, -(width // 4) :] = (255, 0, 0), (0, 0, 255)
    pixels[:, width // 2 - 3 : width // 2 + 3] = 255
    Image.fromarray(pixels).save(path)
    return path


def test_a_picture_is_the_square_in_the_middle(tmp_path):
    shown = Thumbnail(pixels=20)(photo(tmp_path / "p.png"), None, None, Limits()).sample
    assert shown.shape == (20, 20, 3) and shown.dtype == np.uint8
    assert shown[:, 10].mean() == 255 and shown[:, :6].max() == 0


def test_blurred_it_has_no_details(tmp_path):
    random = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(random).save(tmp_path / "p.png")
    plain, blurred = (
        Thumbnail(pixels=64, blurred=each)(tmp_path / "p.png", None, None, Limits()).sample.astype(float)
        for each in (False, True)
    )
    detail = [np.abs(np.diff(shown, axis=1)).mean() for shown in (plain, blurred)]
    assert blurred.shape == (64, 64, 3) and detail[1] < detail[0] / 20


def test_the_outline_of_a_clip(tmp_path):
    samples = np.concatenate([np.zeros(8000), 0.5 * np.ones(4000), -0.25 * np.ones(4000)]).astype(np.float32)
    soundfile.write(tmp_path / "c.wav", samples, 16000, subtype="FLOAT")
    made = Outline(bins=4)(tmp_path / "c.wav", None, None, Limits())
    assert made.sample.tolist() == [[0, 0], [0, 0], [0.5, 0.5], [-0.25, -0.25]] and made.seconds == 1.0
    part = Outline(bins=2)(tmp_path / "c.wav", 0.5, 0.75, Limits())
    assert part.sample.tolist() == [[0.5, 0.5]] * 2


def test_a_clip_of_fewer_samples_than_bins(tmp_path):
    soundfile.write(tmp_path / "c.wav", np.array([0.5, -0.5, 0.25], np.float32), 16000, subtype="FLOAT")
    assert Outline(bins=200)(tmp_path / "c.wav", None, None, Limits()).sample.shape == (200, 2)


def test_what_cannot_be_decoded(tmp_path):
    (tmp_path / "x.png").write_text("no photo")
    with pytest.raises(MediaError, match="not a photo"):
        Thumbnail()(tmp_path / "x.png", None, None, Limits())


def test_the_first_of_a_clip(tmp_path):
    soundfile.write(tmp_path / "c.wav", np.sin(np.arange(32000) / 7), 16000)
    whole = Sound(rate_hz=16000, most_seconds=9)(tmp_path / "c.wav", None, None, Limits())
    assert len(whole.sample) == 32000 and whole.seconds == 2.0
    for start, end, length in ((None, None, 16000), (0.25, None, 16000), (0.5, 0.75, 4000), (1.5, None, 8000)):
        part = Sound(rate_hz=16000, most_seconds=1)(tmp_path / "c.wav", start, end, Limits()).sample
        first = round((start or 0) * 16000)
        assert np.abs(part - whole.sample[first : first + length]).max() == 0
