from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from vfsearch.corpus.people import PRIVATE, SHARED
from vfsearch.corpus.phones import PHONES, draw_sentence
from vfsearch.corpus.speech import SAMPLE_RATE_HZ, synthesise, voice_traits

AVERAGE = voice_traits((0.0,) * (SHARED + PRIVATE))


def latent(**values: float) -> tuple[float, ...]:
    row = [0.0] * (SHARED + PRIVATE)
    for name, value in values.items():
        row[int(name[1:])] = value
    return tuple(row)


def clip(traits, seed: int = 0, seconds: float = 3.0) -> np.ndarray:
    return synthesise(traits, seconds, np.random.default_rng(seed))


def spectrum(samples: np.ndarray) -> np.ndarray:
    pieces = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::256] * np.hanning(1024)
    return (np.abs(np.fft.rfft(pieces)) ** 2).mean(axis=0)


def middle_pitch_hz(samples: np.ndarray) -> float:
    """Median over the louder windows of the best lag of the autocorrelation, 60 to 400 Hz."""
    pieces = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::512]
    loud = pieces[(pieces**2).mean(axis=1) > (samples**2).mean()]
    power = np.abs(np.fft.rfft(loud * np.hanning(1024), 2048)) ** 2
    lags = np.fft.irfft(power)[:, : SAMPLE_RATE_HZ // 60]
    lags[:, : SAMPLE_RATE_HZ // 400] = 0
    return float(SAMPLE_RATE_HZ / np.median(lags.argmax(axis=1)))


def test_same_generator_same_clip_and_another_sentence_otherwise():
    assert np.array_equal(clip(AVERAGE, 1), clip(AVERAGE, 1))
    assert not np.allclose(clip(AVERAGE, 1), clip(AVERAGE, 2))


@pytest.mark.parametrize("seconds", [0.5, 2.5, 3.017])
def test_length_type_and_level(seconds):
    samples = clip(AVERAGE, seconds=seconds)
    assert samples.shape == (round(seconds * 16000),)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    assert -30 < 20 * np.log10(np.sqrt(np.mean(samples**2))) < -18


@pytest.mark.parametrize("pitch_hz", [90.0, 130.0, 200.0, 260.0])
def test_measured_pitch_follows_the_trait(pitch_hz):
    samples = clip(replace(AVERAGE, pitch_hz=pitch_hz, roughness=0.0))
    assert middle_pitch_hz(samples) == pytest.approx(pitch_hz, rel=0.12)


@pytest.mark.parametrize("scale", [0.85, 1.15])
def test_shorter_tract_stretches_the_spectrum_by_its_scale(scale):
    def envelope(formant_scale: float) -> np.ndarray:
        voice = replace(AVERAGE, formant_scale=formant_scale, pitch_hz=90.0)
        return gaussian_filter1d(np.log(spectrum(clip(voice))), 6)

    bins = np.arange(25, 250)
    plain, scaled = envelope(1.0)[bins], envelope(scale)
    stretches = np.arange(0.7, 1.4, 0.01)
    likeness = [np.corrcoef(plain, np.interp(bins * stretch, np.arange(513), scaled))[0, 1] for stretch in stretches]
    assert stretches[np.argmax(likeness)] == pytest.approx(scale, rel=0.05)


def test_tilt_takes_from_the_high_frequencies():
    def high_share(tilt: float) -> float:
        power = spectrum(clip(replace(AVERAGE, tilt=tilt)))
        return power[130:].sum() / power.sum()

    assert high_share(5.0) < high_share(0.0)


def test_gender_moves_pitch_and_tract_together():
    low, high = voice_traits(latent(z0=1.0)), voice_traits(latent(z0=-1.0))
    assert low.pitch_hz < 0.7 * high.pitch_hz
    assert low.formant_scale < high.formant_scale


def test_each_latent_changes_the_voice():
    for number in range(SHARED + PRIVATE):
        assert voice_traits(latent(**{f"z{number}": 1.0})) != AVERAGE, number


@pytest.mark.parametrize("value", [-9.0, 9.0])
def test_extreme_voices_are_finite(value):
    assert np.isfinite(clip(voice_traits((value,) * (SHARED + PRIVATE)), seconds=0.5)).all()


def test_sentence_has_the_asked_length_and_varied_sounds():
    numbers = draw_sentence(400, 125.0, 1.0, np.random.default_rng(0))
    assert numbers.shape == (400,)
    assert numbers.min() >= 0 and numbers.max() < len(PHONES)
    assert len(np.unique(numbers)) > 8
