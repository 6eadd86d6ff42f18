"""Mel spectrogram on Slaney's scale, equal to librosa's defaults."""

from functools import cache

import numpy as np

_BLOCK_FRAMES = 4096
_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_LOG_FROM_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27.0


def mel_spectrogram(samples: np.ndarray, rate_hz: int, window: int, step: int, channels: int) -> np.ndarray:
    """Power in each mel band, frame by frame; no logarithm.

    Frame t is centred at sample t * step; the samples are padded with zeros at both ends; periodic Hann window.

    Args:
        samples: (n,) float32.
        rate_hz: sampling rate.
        window: samples in a frame, also the length of its Fourier transform.
        step: samples between frames.
        channels: mel bands between 0 Hz and half the rate.
    Returns:
        (1 + n // step, channels) float32.
    Source: M. Slaney, Auditory Toolbox, Interval Research report 1998-010; librosa.feature.melspectrogram.
    """
    padded = np.pad(samples.astype(np.float32, copy=False), window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::step]
    bands = mel_bands(rate_hz, window, channels).T
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    blocks = [frames[i : i + _BLOCK_FRAMES] * hann for i in range(0, len(frames), _BLOCK_FRAMES)]
    return np.concatenate([(np.abs(np.fft.rfft(block)) ** 2).astype(np.float32) @ bands for block in blocks])


@cache
def mel_bands(rate_hz: int, window: int, channels: int) -> np.ndarray:
    """(channels, 1 + window // 2) float32: triangles of equal area, evenly spaced in mel."""
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate_hz / 2), channels + 2))
    bins_hz = np.arange(1 + window // 2) * (rate_hz / window)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)).clip(0.0)
    return (triangles * (2.0 / (high - low))).astype(np.float32)


def _hz_to_mel(hz: float) -> float:
    if hz < _LOG_FROM_HZ:
        return hz / _LINEAR_HZ_PER_MEL
    return (_LOG_FROM_HZ / _LINEAR_HZ_PER_MEL) + np.log(hz / _LOG_FROM_HZ) / _LOG_STEP


def _mel_to_hz(mel: np.ndarray) -> np.ndarray:
    log_from = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
    return np.where(mel < log_from, mel * _LINEAR_HZ_PER_MEL, _LOG_FROM_HZ * np.exp(_LOG_STEP * (mel - log_from)))
