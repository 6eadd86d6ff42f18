import os
import re
import struct

import numpy as np
import pytest
import soundfile
import soxr

from vfsearch.errors import MediaError
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits

RATE = 16_000


def tone(seconds: float, rate: int = RATE, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def read(path, start=None, end=None, rate=RATE, **limits):
    return read_audio(path, rate, start, end, Limits(**limits))


def written(path, samples, rate=RATE, **how):
    soundfile.write(path, samples, rate, **how)
    return path


def refused(reason: str):
    return pytest.raises(MediaError, match=f"^{re.escape(reason)}")


def test_samples_at_the_rate_wanted_are_untouched(tmp_path):
    path = written(tmp_path / "a.wav", tone(1), subtype="FLOAT")
    samples = read(path)
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(samples, tone(1))


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(tmp_path, channels):
    parts = np.stack([tone(0.5, hz=200 * (i + 1)) for i in range(channels)], axis=1)
    path = written(tmp_path / "a.wav", parts, subtype="FLOAT")
    np.testing.assert_allclose(read(path), parts.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("subtype, step", [("PCM_U8", 1 / 128), ("PCM_16", 1 / 32768), ("PCM_24", 2**-23)])
def test_any_depth_is_read_at_full_scale_1(tmp_path, subtype, step):
    path = written(tmp_path / "a.wav", tone(0.5), subtype=subtype)
    np.testing.assert_allclose(read(path), tone(0.5), atol=step)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_another_rate_is_resampled_with_soxr(tmp_path, rate):
    both = np.stack([tone(1.01, rate), tone(1.01, rate)], axis=1)
    samples = read(written(tmp_path / "a.wav", both, rate, subtype="FLOAT"))
    assert len(samples) == -(-len(both) * RATE // rate)
    oracle = soxr.resample(both[:, 0], rate, RATE, quality="HQ")[: len(samples)]
    np.testing.assert_allclose(samples[: len(oracle)], oracle, atol=1e-6)
    middle = slice(2000, -2000)
    np.testing.assert_allclose(samples[middle], tone(1.1)[: len(samples)][middle], atol=2e-3)


@pytest.mark.parametrize("format, tolerance", [("flac", 1e-4), ("ogg", 0.1), ("mp3", 0.1), ("aiff", 1e-4)])
def test_other_formats(tmp_path, format, tolerance):
    samples = read(written(tmp_path / f"a.{format}", tone(1)))
    assert abs(len(samples) - RATE) < 100
    np.testing.assert_allclose(samples[1000:15000], tone(1)[1000:15000], atol=tolerance)


@pytest.mark.parametrize(
    "start, end, first, last",
    [(0.5, None, 8000, 16000), (None, 0.25, 0, 4000), (0.1, 0.2, 1600, 3200), (0.9, 7.0, 14400, 16000)],
)
@pytest.mark.parametrize("format", ["wav", "flac"])
def test_a_part_is_those_samples(tmp_path, format, start, end, first, last):
    path = written(tmp_path / f"a.{format}", tone(1))
    np.testing.assert_array_equal(read(path, start, end), read(path)[first:last])


def test_a_part_of_a_long_file_may_be_short(tmp_path):
    path = written(tmp_path / "a.wav", np.zeros(RATE * 30, np.int16))
    assert len(read(path, 20.0, 21.0, audio_seconds=2.0)) == RATE
    with refused("30 s of audio, more than the limit of 2 s"):
        read(path, audio_seconds=2.0)


@pytest.mark.parametrize(
    "start, end, reason",
    [
        (1.0, None, "the part starts at 1 s, but the audio ends at 1 s"),
        (9.5, 11.0, "the part starts at 9.5 s, but the audio ends at 1 s"),
        (0.5, 0.5, "the part from 0.5 s to 0.5 s has no samples"),
        (0.5, 0.2, "the part from 0.5 s to 0.2 s has no samples"),
        (-1.0, None, "the part starts at -1 s, before the file"),
    ],
)
def test_a_part_without_samples_is_refused(tmp_path, start, end, reason):
    with refused(reason):
        read(written(tmp_path / "a.wav", tone(1)), start, end)


def _missing(folder):
    return folder / "none.wav"


def _empty(folder):
    (folder / "a.wav").touch()
    return folder / "a.wav"


def _pipe(folder):
    os.mkfifo(folder / "a.wav")
    return folder / "a.wav"


def _text(folder):
    (folder / "a.wav").write_text("path,modality,identity\n" * 50)
    return folder / "a.wav"


def _no_samples(folder):
    return written(folder / "a.wav", np.zeros(0, np.int16))


def _nan(folder):
    return written(folder / "a.wav", np.array([0, np.nan, 0.1], np.float32), subtype="FLOAT")


def _infinite(folder):
    return written(folder / "a.wav", np.array([0, np.inf, 0.1], np.float32), subtype="FLOAT")


def _device(folder):
    (folder / "a.wav").symlink_to("/dev/zero")
    return folder / "a.wav"


def _loop(folder):
    (folder / "a.wav").symlink_to(folder / "a.wav")
    return folder / "a.wav"


@pytest.mark.parametrize(
    "make, reason",
    [
        (_missing, "no such file"),
        (lambda folder: folder, "is a directory, not a file"),
        (_pipe, "is a pipe, a socket or a device, not a regular file"),
        (_device, "is a pipe, a socket or a device, not a regular file"),
        (_loop, "cannot be opened: "),
        (lambda folder: folder / "a\0.wav", "cannot be opened: "),
        (_empty, "is empty (0 bytes)"),
        (_text, "not audio that can be decoded: "),
        (_no_samples, "has no samples"),
        (_nan, "has samples that are NaN or infinite"),
        (_infinite, "has samples that are NaN or infinite"),
    ],
)
def test_what_is_no_audio_is_refused_with_its_reason(tmp_path, make, reason):
    with refused(reason) as caught:
        read(make(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name, how, reason",
    [
        ("a.wav", {}, "truncated: 19,226 bytes of 32,044"),
        ("a.aiff", {}, "truncated: 19,232 bytes of "),
        ("a.rf64", {"format": "RF64"}, "truncated: "),
        ("a.w64", {"format": "W64"}, "truncated: "),
        ("a.ogg", {}, "truncated: the last page of the Ogg stream is missing"),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}, "truncated: the last page of the Ogg stream is missing"),
        ("a.mp3", {}, "truncated: "),
        ("a.flac", {}, "not audio that can be decoded: "),
    ],
)
def test_a_cut_file_is_refused(tmp_path, name, how, reason):
    noise = np.random.default_rng(0).standard_normal(RATE) * 0.1
    path = written(tmp_path / name, noise, **how)
    read(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    with refused(reason):
        read(path)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0])
def test_a_wav_written_to_a_pipe_has_no_size_and_is_read(tmp_path, size):
    path = written(tmp_path / "a.wav", tone(1))
    data = bytearray(path.read_bytes())
    data[4:8] = struct.pack("<I", size)
    data[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    assert len(read(path)) == RATE


@pytest.mark.parametrize("head", [b"RIFF", b"RIFF\xff\xff\xff\x00WAVEfmt ", b"OggS", b"ID3\x04", b"fLaC", b"FORM" * 9])
def test_a_head_without_a_body_is_refused(tmp_path, head):
    path = tmp_path / "a.wav"
    path.write_bytes(head)
    with pytest.raises(MediaError):
        read(path)


def test_bytes_drawn_at_random_raise_nothing_but_media_errors(tmp_path):
    rng = np.random.default_rng(1)
    wav = written(tmp_path / "a.wav", tone(0.2)).read_bytes()
    for trial in range(150):
        data = bytearray(wav)
        for position in rng.integers(0, 60, 4):
            data[position] = rng.integers(256)
        path = tmp_path / "b.wav"
        path.write_bytes(data)
        try:
            assert read(path).dtype == np.float32, trial
        except MediaError as error:
            assert "\n" not in str(error)
