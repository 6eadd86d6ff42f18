"""Clips for networks with their silence cut out."""

import importlib.util

import numpy as np
import pytest
import soundfile

from vfsearch.corpus.generated import GeneratedCorpus, generate
from vfsearch.encoders.network import ThinResNet34, parse_network_settings
from vfsearch.encoders.network_preparation import FULL_SCALE, RATE_HZ, NetworkClipPreparation
from vfsearch.encoders.speech import raise_volume, trim_silence
from vfsearch.errors import MediaError, MissingExtraError, SettingsError
from vfsearch.media.audio import read_audio
from vfsearch.media.limits import Limits

needs_webrtcvad = pytest.mark.skipif(not importlib.util.find_spec("_webrtcvad"), reason="webrtcvad is not installed")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """(n,) of one generated voice."""
    folder = tmp_path_factory.mktemp("people")
    generate(folder, GeneratedCorpus(people=2, clips=1, photos=1))
    return read_audio(next(folder.rglob("*.wav")), RATE_HZ, None, None, Limits())


def prepared(path, start=None, end=None, **settings):
    return NetworkClipPreparation(**settings)(path, start, end, Limits()).sample


@needs_webrtcvad
def test_the_first_seconds_of_speech_are_taken(speech, tmp_path):
    late = np.concatenate([np.zeros(5 * RATE_HZ, np.float32), speech])
    soundfile.write(tmp_path / "a.wav", late, RATE_HZ, subtype="FLOAT")
    found = prepared(tmp_path / "a.wav", seconds=0.5, vad=True)
    assert found.shape == (RATE_HZ // 2,) and found.dtype == np.float32
    np.testing.assert_array_equal(found, trim_silence(raise_volume(late))[: RATE_HZ // 2] * np.float32(FULL_SCALE))
    assert np.sqrt(np.mean(np.square(found))) > 300
    with pytest.raises(MediaError, match="silent: every sample is zero"):
        prepared(tmp_path / "a.wav", seconds=0.5)


@needs_webrtcvad
def test_only_the_part_counts(speech, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.concatenate([speech, speech * 0]), RATE_HZ, subtype="FLOAT")
    end = len(speech) / RATE_HZ
    part = prepared(tmp_path / "a.wav", None, end, vad=True)
    np.testing.assert_array_equal(part, trim_silence(raise_volume(speech))[: 10 * RATE_HZ] * np.float32(FULL_SCALE))
    with pytest.raises(MediaError, match="silent: every sample is zero"):
        prepared(tmp_path / "a.wav", end, None, vad=True)


@needs_webrtcvad
def test_no_speech_is_a_reason(tmp_path):
    hum = 1e-4 * np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000)
    soundfile.write(tmp_path / "a.wav", hum, RATE_HZ, subtype="FLOAT")
    with pytest.raises(MediaError, match=r"^no speech found in 1\.0 s of audio$"):
        prepared(tmp_path / "a.wav", vad=True)


@needs_webrtcvad
def test_it_counts_in_the_fingerprint_only_where_it_is_wanted():
    assert NetworkClipPreparation().settings() == NetworkClipPreparation(vad=False).settings() == {"seconds": 10.0}
    assert NetworkClipPreparation(vad=True).settings() == {"seconds": 10.0, "vad": True}
    assert ThinResNet34(vad=True).preparation == NetworkClipPreparation(seconds=10.0, vad=True)
    assert not ThinResNet34().preparation.vad
    assert parse_network_settings("thin-resnet34", {"vad": True})[1]["vad"] is True


@pytest.mark.parametrize("value", [1, "yes", None])
def test_it_is_true_or_false(value):
    with pytest.raises(SettingsError, match=f"^vad: got {value!r}, wanted true or false$"):
        NetworkClipPreparation(vad=value)


def test_without_the_detector_the_package_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"^vad: looking for speech needs webrtcvad; install with: pip install"):
        NetworkClipPreparation(vad=True)
