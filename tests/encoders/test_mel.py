import numpy as np
import pytest

from vfsearch.encoders import mel
from vfsearch.encoders.mel import mel_bands, mel_spectrogram


def plain_spectrogram(samples, window, step):
    """Frame by frame, with the Fourier sum written out."""
    padded = np.concatenate([np.zeros(window // 2), samples, np.zeros(window // 2)])
    n = np.arange(window)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / window)
    powers = []
    for start in range(0, len(samples) + 1, step):
        frame = padded[start : start + window] * hann
        powers.append([abs(np.sum(frame * np.exp(-2j * np.pi * k * n / window))) ** 2 for k in range(window // 2 + 1)])
    return np.array(powers)


@pytest.mark.parametrize("length", [40, 320, 333, 800])
def test_against_the_sum_written_out(length):
    samples = np.random.default_rng(0).standard_normal(length).astype(np.float32)
    wanted = plain_spectrogram(samples, 80, 40) @ mel_bands(16_000, 80, 10).T
    got = mel_spectrogram(samples, 16_000, 80, 40, 10)
    assert got.dtype == np.float32 and got.shape == (1 + length // 40, 10)
    np.testing.assert_allclose(got, wanted, rtol=2e-5, atol=1e-9)


def test_blocks_do_not_show(monkeypatch):
    samples = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    whole = mel_spectrogram(samples, 16_000, 400, 160, 40)
    monkeypatch.setattr(mel, "_BLOCK_FRAMES", 7)
    np.testing.assert_allclose(mel_spectrogram(samples, 16_000, 400, 160, 40), whole, rtol=1e-5)


def test_bands_are_those_of_librosa():
    bands = mel_bands(16_000, 400, 40)
    # librosa.filters.mel(sr=16000, n_fft=400, n_mels=40), version 0.11.0
    np.testing.assert_allclose(bands[0, :4], [0, 0.00739021, 0.01240452, 0.00501431], atol=1e-8)
    assert (bands[20].argmax(), bands[39].argmax()) == (44, 185)
    np.testing.assert_allclose([bands[20].max(), bands[39].max()], [0.0071919174, 0.0017249404], rtol=1e-6)


def test_all_bands_against_librosa():
    librosa = pytest.importorskip("librosa")
    np.testing.assert_allclose(
        mel_bands(16_000, 400, 40), librosa.filters.mel(sr=16_000, n_fft=400, n_mels=40), atol=1e-8
    )
