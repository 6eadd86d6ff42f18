import numpy as np
import pytest

from vfsearch.encoders.speech import _near_speech, raise_volume, trim_silence
from vfsearch.errors import MediaError


def plain_near_speech(speech):
    """Each window by itself: the mean of the windows from 3 before to 4 after, then any such window 3 around."""
    n = len(speech)
    mostly = [round(sum(speech[j] for j in range(i - 3, i + 5) if 0 <= j < n) / 8) for i in range(n)]
    return [any(mostly[max(0, i - 3) : i + 4]) for i in range(n)]


@pytest.mark.parametrize("length", [1, 2, 5, 8, 9, 40, 300])
@pytest.mark.parametrize("share", [0.0, 0.4, 0.6, 1.0])
def test_windows_near_speech_against_a_plain_loop(length, share):
    speech = np.random.default_rng(length).random(length) < share
    assert _near_speech(speech).tolist() == plain_near_speech(speech.tolist())


def test_soft_is_made_louder_and_loud_stays():
    soft = np.array([0.001, -0.001] * 50, np.float32)
    loud = np.array([0.5, -0.5] * 50, np.float32)
    assert np.sqrt(np.mean(raise_volume(soft) ** 2)) == pytest.approx(10 ** (-30 / 20))
    np.testing.assert_array_equal(raise_volume(loud), loud)
    assert raise_volume(soft).dtype == np.float32


def test_silence_is_refused():
    with pytest.raises(MediaError, match=r"^silent: every sample is zero$"):
        raise_volume(np.zeros(16_000, np.float32))


def test_a_clip_shorter_than_one_window_is_refused():
    with pytest.raises(MediaError, match=r"^only 0\.025 s of audio; 0\.03 s is the least$"):
        trim_silence(np.ones(400, np.float32))


@pytest.mark.usefixtures("needs_resemblyzer")
def test_a_clip_without_speech_is_refused():
    hum = 1e-4 * np.sin(2 * np.pi * 50 * np.arange(16_000) / 16_000)
    with pytest.raises(MediaError, match=r"^no speech found in 1\.0 s of audio$"):
        trim_silence(hum.astype(np.float32))
