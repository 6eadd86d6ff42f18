import re
import shutil

import av
import numpy as np
import pytest
import soundfile
from containers import RATE, noise, write_pictures, write_sound

from vfsearch.errors import MediaError
from vfsearch.media import container_audio
from vfsearch.media.audio import read_audio
from vfsearch.media.container import container_format
from vfsearch.media.limits import Limits

KINDS = {
    "a.m4a": {},
    "a.mp4": {"codec": "mp3"},
    "alac.m4a": {"codec": "alac"},
    "pcm.mov": {"codec": "pcm_s16le"},
    "float.mov": {"codec": "pcm_f32le"},
    "byte.avi": {"codec": "pcm_u8"},
    "fragmented.mp4": {"options": {"movflags": "empty_moov+default_base_moof", "frag_duration": "1000000"}},
    "fast.m4a": {"options": {"movflags": "faststart"}},
    "a.mkv": {},
    "flac.mkv": {"codec": "flac"},
    "a.webm": {"codec": "libopus", "rate": 48_000},
    "a.aac": {"format": "adts"},
    "a.avi": {},
}  # fmt: skip
LOSSLESS = ("alac.m4a", "pcm.mov", "float.mov", "flac.mkv")


def made(folder, name, seconds=4.0, **more):
    how = {**KINDS[name], **more}
    return write_sound(folder / name, noise(seconds, how.get("rate", RATE)), **how)


def rate_of(name):
    return KINDS[name].get("rate", RATE)


def read(path, start=None, end=None, rate=RATE, **limits):
    return read_audio(path, rate, start, end, Limits(**limits))


def refused(reason: str):
    return pytest.raises(MediaError, match=f"^{re.escape(reason)}")


@pytest.mark.parametrize("name", KINDS)
def test_the_sound_comes_back(tmp_path, name):
    samples = read(made(tmp_path, name), rate=rate_of(name))
    assert samples.dtype == np.float32
    wanted = noise(4.0, rate_of(name))
    if name in LOSSLESS:
        np.testing.assert_allclose(samples, wanted, atol=1e-4)
        return
    # an encoder's delay is left out where the file says how much it is; its padding at the end may stay
    assert 0 <= len(samples) - len(wanted) <= 2 * 1024
    delay = 1024 if name in ("a.aac", "a.avi", "fragmented.mp4") else 0
    kept = samples[delay : delay + len(wanted)]
    assert np.corrcoef(kept, wanted[: len(kept)])[0, 1] > 0.9


@pytest.mark.parametrize("start, end", [(None, 0.5), (0.3, 0.9), (2.0, 3.0), (11.003, 12.3), (17.77, None), (19.9, 99)])
@pytest.mark.parametrize("name", KINDS)
def test_a_part_is_that_slice_of_the_whole(tmp_path, name, start, end):
    rate = rate_of(name)
    path = made(tmp_path, name, seconds=20)
    whole, part = read(path, rate=rate), read(path, start, end, rate=rate)
    wanted = whole[round((start or 0) * rate) : None if end is None else round(end * rate)]
    assert len(part) == len(wanted)
    np.testing.assert_allclose(part, wanted, atol=2e-5)


@pytest.mark.parametrize("name", ["a.m4a", "a.mkv", "a.webm", "pcm.mov", "a.avi", "a.aac"])
def test_a_late_part_of_a_long_file_decodes_few_frames(tmp_path, monkeypatch, name):
    path, seen = made(tmp_path, name, seconds=60), []
    mono = container_audio._mono
    monkeypatch.setattr(container_audio, "_mono", lambda frame: [seen.append(frame.samples), mono(frame)][1])
    read(path, 50.0, 51.0)
    assert sum(seen) < 2.5 * rate_of(name)


def test_channels_are_averaged(tmp_path):
    parts = np.stack([noise(1, seed=seed) for seed in range(6)])
    for name, codec in (("a.mov", "pcm_s16le"), ("a.mkv", "flac")):
        samples = read(write_sound(tmp_path / name, parts, codec))
        np.testing.assert_allclose(samples, parts.mean(axis=0), atol=1e-4)


def test_it_is_resampled_as_other_files_are(tmp_path):
    soundfile.write(tmp_path / "a.flac", noise(3), RATE, subtype="PCM_16")
    wanted = read(tmp_path / "a.flac", rate=16_000)
    samples = read(write_sound(tmp_path / "a.mov", noise(3), "pcm_s16le"), rate=16_000)
    np.testing.assert_allclose(samples, wanted, atol=1e-4)


@pytest.mark.parametrize("name", ["a.wav", "a.txt", "a"])
def test_the_content_decides_not_the_name(tmp_path, name):
    path = made(tmp_path, "a.m4a")
    whole = read(path)
    shutil.copy(path, tmp_path / name)
    np.testing.assert_array_equal(read(tmp_path / name), whole)


def test_a_wav_that_is_named_m4a_is_read(tmp_path):
    soundfile.write(tmp_path / "a.m4a", noise(1), RATE, format="WAV", subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.m4a"), noise(1))


def write_both(path, samples, sound_starts):
    with av.open(str(path), "w") as container:
        picture, sound = container.add_stream("libx264", rate=10), container.add_stream("aac", rate=RATE)
        picture.width = picture.height = 32
        picture.pix_fmt, sound.layout, sound.options = "yuv420p", "mono", {"aac_pns": "0"}
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 9, np.uint8), format="rgb24")
            frame.pts = number
            container.mux(picture.encode(frame))
        for start in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE, start + round(sound_starts * RATE)
            container.mux(sound.encode(frame))
        container.mux([*picture.encode(None), *sound.encode(None)])
    return path


@pytest.mark.parametrize("sound_starts", [0.0, 1.5])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_the_sound_of_a_video_is_read_by_the_time_of_its_pictures(tmp_path, name, sound_starts):
    path = write_both(tmp_path / name, noise(4), sound_starts)
    part, samples = read(path, 3.0, 3.5), noise(4)
    first = round((3.0 - sound_starts) * RATE)
    # MP4 says in milliseconds when a stream begins
    alike = {lag: np.corrcoef(part, samples[first + lag :][: len(part)])[0, 1] for lag in range(-44, 45)}
    assert max(alike.values()) > 0.9
    assert sound_starts or alike[0] > 0.9
    assert len(read(path)) >= 4 * RATE


def test_a_video_without_sound_says_so(tmp_path):
    path = write_pictures(tmp_path / "a.mp4", [np.zeros((32, 32, 3), np.uint8)] * 3)
    with refused("has no sound: there is no audio stream in it"):
        read(path)


@pytest.mark.parametrize(
    "start, end, reason",
    [
        (4.5, None, "the part starts at 4.5 s, but the audio ends at 4"),
        (1e300, None, "the part starts at 1e+300 s, but the audio ends at 4"),
        (900, 901, "the part starts at 900 s, but the audio ends at 4"),
        (0.5, 0.5, "the part from 0.5 s to 0.5 s has no samples"),
        (-1.0, None, "the part starts at -1 s, before the file"),
    ],
)
@pytest.mark.parametrize("name", ["a.m4a", "a.mkv", "a.webm"])
def test_a_part_without_samples_is_refused(tmp_path, name, start, end, reason):
    with refused(reason):
        read(made(tmp_path, name), start, end)


def test_the_limit_is_of_the_part(tmp_path):
    path = made(tmp_path, "a.m4a", seconds=20)
    assert len(read(path, 15.0, 16.0, audio_seconds=2.0)) == RATE
    with refused("more audio than the limit of 2 s"):
        read(path, audio_seconds=2.0)


def test_numbers_that_are_none_are_refused(tmp_path):
    samples = noise(1)
    samples[20_000] = np.nan
    with refused("has samples that are NaN or infinite"):
        read(write_sound(tmp_path / "a.mov", samples, "pcm_f32le"))


@pytest.mark.parametrize("name", KINDS)
def test_a_cut_file_is_refused_wherever_it_is_cut(tmp_path, name):
    data = made(tmp_path, name).read_bytes()
    path = tmp_path / "cut"
    for part in (0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9995):
        path.write_bytes(data[: round(len(data) * part)])
        with pytest.raises(MediaError) as caught:
            read(path)
        if part > 0.01:
            assert "truncated" in str(caught.value), (part, str(caught.value))


def test_an_mp4_of_which_the_data_are_missing_is_truncated(tmp_path):
    data = made(tmp_path, "fast.m4a").read_bytes()
    path = tmp_path / "cut.m4a"
    path.write_bytes(data[: data.index(b"mdat") - 4])
    with refused("truncated: it has an index, but no data (mdat)"):
        read(path)
    start = data.index(b"mdat") - 4
    # as one that repairs the box, but not what the index promises
    path.write_bytes(data[:start] + (2000).to_bytes(4) + data[start + 4 : start + 2000])
    with pytest.raises(MediaError, match=r"truncated|not audio that can be decoded"):
        read(path)


@pytest.mark.parametrize("tail", [b"\0" * 500, b"\xff\xfe\x00\x10\x99\x03\x01\x02\x04\x05", b"abc"])
def test_what_stands_after_the_last_box_does_not_matter(tmp_path, tail):
    path = made(tmp_path, "a.m4a")
    whole = read(path)
    path.write_bytes(path.read_bytes() + tail)
    np.testing.assert_array_equal(read(path), whole)


def test_an_mp4_without_an_index_says_so(tmp_path):
    data = made(tmp_path, "a.m4a").read_bytes()
    (tmp_path / "cut.m4a").write_bytes(data[: data.index(b"moov") - 4])
    with refused("truncated or never finished: it has no index (moov)"):
        read(tmp_path / "cut.m4a")


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "ffconcat version 1.0\nfile /etc/passwd\n"])
def test_a_list_of_other_files_is_not_followed(tmp_path, text):
    (tmp_path / "a.m4a").write_text(text * 9)
    assert container_format(tmp_path / "a.m4a") is None
    with refused("not audio that can be decoded: "):
        read(tmp_path / "a.m4a")


@pytest.mark.parametrize("name", ["a.m4a", "a.mkv", "a.aac", "a.avi", "fragmented.mp4"])
def test_bytes_drawn_at_random_raise_nothing_but_media_errors(tmp_path, name):
    rng, good = np.random.default_rng(3), made(tmp_path, name, seconds=0.5).read_bytes()
    for trial in range(40):
        data = bytearray(good)
        for position in rng.integers(0, len(data), 8):
            data[position] = rng.integers(256)
        (tmp_path / "b").write_bytes(data)
        try:
            assert read(tmp_path / "b", None if trial % 2 else 0.2).dtype == np.float32
        except MediaError as error:
            assert "\n" not in str(error)
