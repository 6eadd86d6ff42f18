import io

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from vfsearch.errors import MediaError
from vfsearch.media.limits import Limits
from vfsearch.media.page_media import RATE_HZ, PageClip, PagePhoto


def clip(path, seconds=2.0, rate=16000):
    t = np.arange(int(seconds * rate)) / rate
    samples = 0.5 * np.sin(2 * np.pi * 220 * t) * (t > seconds / 2)
    soundfile.write(path, samples, rate)
    return path


def decoded(data):
    with av.open(io.BytesIO(data.tobytes())) as container:
        stream = container.streams.audio[0]
        return np.concatenate([f.to_ndarray()[0] for f in container.decode(stream)]), stream.rate


def test_a_clip_is_an_mp3_of_its_length_with_its_outline(tmp_path):
    made = PageClip(bins=10)(clip(tmp_path / "c.wav"), None, None, Limits())
    samples, rate = decoded(made.sample)
    assert rate == RATE_HZ and len(samples) == pytest.approx(2.0 * RATE_HZ, abs=2) and made.seconds == 2.0
    half = len(samples) // 2
    assert np.abs(samples[: half - 2000]).max() < 0.02 < 0.45 < np.abs(samples[half + 2000 :]).max()
    outline = made.others[0].sample
    assert outline.dtype == np.uint8 and outline[:4].max() == 0 and outline[6:].min() > 240 and outline.max() == 255


def test_a_part_and_the_first_of_a_long_one(tmp_path):
    path = clip(tmp_path / "c.wav")
    assert PageClip()(path, 0.5, 1.0, Limits()).seconds == 0.5
    assert PageClip(most_seconds=1.0)(path, 0.25, None, Limits()).seconds == 1.0


def test_equal_clips_give_equal_bytes(tmp_path):
    first, second = (PageClip()(clip(tmp_path / name), None, None, Limits()) for name in ("a.wav", "b.wav"))
    assert (first.sample == second.sample).all()


def test_a_short_and_a_silent_clip(tmp_path):
    soundfile.write(tmp_path / "s.wav", np.zeros(5), 16000)
    made = PageClip()(tmp_path / "s.wav", None, None, Limits())
    assert len(made.sample) > 100 and made.others[0].sample.max() == 0


def test_a_photo_is_a_small_jpeg(tmp_path):
    Image.new("RGB", (300, 200), (200, 20, 20)).save(tmp_path / "p.png")
    made = PagePhoto(pixels=64)(tmp_path / "p.png", None, None, Limits())
    image = Image.open(io.BytesIO(made.sample.tobytes()))
    assert image.format == "JPEG" and image.size == (64, 64) and np.asarray(image)[32, 32, 0] > 190


def test_what_cannot_be_decoded(tmp_path):
    (tmp_path / "x.png").write_text("no photo")
    for way in (PagePhoto(), PageClip()):
        with pytest.raises(MediaError):
            way(tmp_path / "x.png", None, None, Limits())
