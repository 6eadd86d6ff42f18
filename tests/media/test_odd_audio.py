"""Sound as archives have it: each file is right, or refused with a reason; and none takes much memory."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr
from builders import rounds
from containers import noise, write_sound

from vfsearch.errors import MediaError
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits

RATE = 16_000


def read(path, rate=RATE, **limits):
    return read_audio(path, rate, None, None, Limits(**limits))


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("seconds", [0.001, 0.37, 50.0])
def test_blocks_are_resampled_to_the_same_samples_as_the_whole(tmp_path, rate, seconds):
    samples = noise(seconds, rate)
    soundfile.write(tmp_path / "a.wav", samples, rate, subtype="FLOAT")
    wanted = soxr.resample(samples, rate, RATE, quality="HQ")
    length = -(-len(samples) * RATE // rate)
    found = read(tmp_path / "a.wav")
    assert len(found) == length
    np.testing.assert_array_equal(found[: len(wanted)], wanted[:length])
    assert not found[len(wanted) :].any()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff", "a.m4a"])
def test_a_clip_cut_anywhere_is_right_or_refused(tmp_path, name):
    path, samples = tmp_path / name, noise(1.5, RATE)
    write_sound(path, samples, rate=RATE) if name == "a.m4a" else soundfile.write(path, samples, RATE)
    data, whole = path.read_bytes(), read(path)
    drawn = np.random.default_rng(0).integers(1, len(data), rounds(40, 400))
    for cut in sorted({1, 3, 4, 8, 12, 20, 44, 45, 60, len(data) - 2, *drawn.tolist()}):
        path.write_bytes(data[:cut])
        try:
            found = read(path)
        except MediaError as error:
            assert "\n" not in str(error)
        else:
            # less than a frame is missing, or the padding of the last one
            assert len(whole) - len(found) <= 1152, (cut, len(data))
            np.testing.assert_allclose(found, whole[: len(found)], atol=1e-6)


@pytest.mark.parametrize("name, rate, channels, subtype", [
    ("a.wav", 8_000, 1, "PCM_U8"), ("a.wav", 8_000, 1, "ULAW"), ("a.wav", 16_000, 1, "MS_ADPCM"),
    ("a.wav", 96_000, 6, "PCM_24"), ("a.wav", 192_000, 2, "DOUBLE"), ("a.flac", 96_000, 6, "PCM_24"),
    ("a.au", 44_100, 2, "PCM_32"), ("a.caf", 44_100, 1, "ALAC_16"), ("a.w64", 48_000, 1, "FLOAT"),
])  # fmt: skip
def test_odd_rates_depths_and_channels(tmp_path, name, rate, channels, subtype):
    parts = np.repeat(noise(1.0, rate)[:, None], channels, axis=1)
    soundfile.write(tmp_path / name, parts, rate, subtype=subtype)
    wanted = soxr.resample(parts[:, 0], rate, RATE, quality="HQ")
    found = read(tmp_path / name)
    assert abs(len(found) - len(wanted)) <= 520, "ADPCM fills its last block"
    length = min(len(found), len(wanted))
    assert np.corrcoef(found[:length], wanted[:length])[0, 1] > (0.95 if subtype in ("PCM_U8", "MS_ADPCM") else 0.999)


def test_silence_is_read_as_it_is(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1000), RATE)
    assert not read(tmp_path / "a.wav").any()


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.m4a"])
def test_a_small_file_of_very_long_silence_is_refused(tmp_path, name):
    path, second = tmp_path / name, np.zeros(8000, np.float32)
    if name == "a.m4a":
        write_sound(path, np.tile(second, 500), rate=8000)
    else:
        # second by second: libsndfile's Ogg writer dies of long arrays
        with soundfile.SoundFile(path, "w", 8000, 1) as file:
            for _ in range(500):
                file.write(second)
    assert path.stat().st_size < 200_000
    with pytest.raises(MediaError, match=r"more than the limit of 100 s|more audio than the limit of 100 s"):
        read(path, audio_seconds=100.0)


def test_a_name_that_is_no_text_is_read(tmp_path):
    name = b"a\xff\xfe\n.wav".decode("utf-8", "surrogateescape")
    soundfile.write(tmp_path / "a.wav", noise(0.1, RATE), RATE, subtype="FLOAT")
    (tmp_path / "a.wav").rename(tmp_path / name)
    np.testing.assert_array_equal(read(tmp_path / name), noise(0.1, RATE))
    write_sound(tmp_path / "a.m4a", noise(0.1, RATE), rate=RATE).rename(tmp_path / name)
    assert len(read(tmp_path / name)) >= RATE // 10


PEAK = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from pathlib import Path
from memory_peak import peak_bytes
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits
before = peak_bytes()
samples = read_audio(Path(sys.argv[2]), 16_000, None, None, Limits())
print(len(samples) * 4, peak_bytes() - before)
"""


def test_a_long_file_with_many_channels_takes_little_memory(tmp_path):
    seconds, path = rounds(300, 3600), tmp_path / "a.wav"
    with soundfile.SoundFile(path, "w", 96_000, 6, "PCM_16", format="RF64") as file:
        second = np.repeat(noise(1.0, 96_000)[:, None], 6, axis=1)
        for _ in range(seconds):
            file.write(second)
    found = subprocess.run(
        [sys.executable, "-c", PEAK, json.dumps(sys.path), path], capture_output=True, text=True, check=True
    )
    result, peak = map(int, found.stdout.split())
    assert result == seconds * 16_000 * 4
    # the result twice, while its parts are joined, and a block with all its channels
    assert peak < 2 * result + 120 * 2**20
