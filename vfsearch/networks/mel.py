"""The front end of the voice network: waveforms to log-mel bands."""

import math

import torch
from torch import nn
from torch.nn import functional

RATE_HZ = 16_000
FFT_SAMPLES = 512
WINDOW_SAMPLES = 400
STEP_SAMPLES = 160
BANDS = 40
LEAST_POWER = 1e-6


class LogMel(nn.Module):
    """Logarithm of the power in each mel band, frame by frame.

    Frame t is centred at sample 160 t; the clip is reflected at both ends; periodic Hamming window of 400 samples;
    Fourier transform of 512; 40 triangles on the HTK scale from 0 to 8 kHz, each 1 high; log(power + 1e-6).
    Everything is float32 (or the double of a network in double), under autocast too: bfloat16 has 8 bits for powers
    that differ by a factor of 1e12.

    In an export the Fourier transform is a product with a fixed matrix, which every runtime has; elsewhere it is
    torch's, which is several times as fast.
    """

    def __init__(self) -> None:
        super().__init__()
        # computed, so not a part of the weights
        self.register_buffer("window", _padded_window(), persistent=False)
        self.register_buffer("bands", mel_bands(), persistent=False)
        self.register_buffer("waves", _windowed_waves(), persistent=False)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Logarithms of the mel powers.

        Args:
            samples: (n, m) 16 kHz, int16 range, m > 256.
        Returns:
            (n, 40, 1 + m // 160).
        """
        return torch.log(self.power(samples) + LEAST_POWER)

    def power(self, samples: torch.Tensor) -> torch.Tensor:
        """(n, 40, frames): the power in each mel band."""
        padded = functional.pad(samples.to(self.window.dtype)[:, None], (FFT_SAMPLES // 2,) * 2, mode="reflect")
        if _exporting():
            return self._power_by_product(padded)
        with torch.autocast(samples.device.type, enabled=False):
            return self._power_by_fft(padded[:, 0])

    def _power_by_fft(self, padded: torch.Tensor) -> torch.Tensor:
        frames = padded.unfold(1, FFT_SAMPLES, STEP_SAMPLES) * self.window
        # real and imaginary parts lie beside one another: the product with the bands adds their squares up
        parts = torch.view_as_real(torch.fft.rfft(frames)).flatten(2)
        return (parts.square() @ self.bands.repeat_interleave(2, dim=0)).transpose(1, 2)

    def _power_by_product(self, padded: torch.Tensor) -> torch.Tensor:
        cosine, sine = functional.conv1d(padded, self.waves, stride=STEP_SAMPLES).chunk(2, dim=1)
        return self.bands.T @ (cosine.square() + sine.square())


def normalise_over_time(log_mel: torch.Tensor) -> torch.Tensor:
    """Each band of each clip with mean 0 and variance 1 over time: (n, 40, frames) to the same shape.

    Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization", arXiv 1607.08022.
    """
    variance, mean = torch.var_mean(log_mel, dim=2, correction=0, keepdim=True)
    return (log_mel - mean) * torch.rsqrt(variance + 1e-5)


def _exporting() -> bool:
    # torch before 2.7 cannot tell an export from a compilation
    is_exporting = getattr(torch.compiler, "is_exporting", torch.compiler.is_compiling)
    return torch.onnx.is_in_onnx_export() or is_exporting()


def mel_bands() -> torch.Tensor:
    """(257, 40) float32: triangles, evenly spaced on the HTK scale 2595 log10(1 + f / 700), each 1 high.

    Source: S. Young et al., The HTK Book (version 3.4), section 5.4.
    """
    top = 2595.0 * math.log10(1.0 + RATE_HZ / 2 / 700.0)
    edges_hz = 700.0 * (10.0 ** (torch.linspace(0.0, top, BANDS + 2, dtype=torch.float64) / 2595.0) - 1.0)
    bins_hz = torch.linspace(0.0, RATE_HZ / 2, 1 + FFT_SAMPLES // 2, dtype=torch.float64)[:, None]
    low, centre, high = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising, falling = (bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre)
    return torch.minimum(rising, falling).clamp_min(0.0).float()


def _padded_window() -> torch.Tensor:
    """(512,) float32: the window, in the middle of a frame."""
    window = torch.hamming_window(WINDOW_SAMPLES, periodic=True, dtype=torch.float64)
    return functional.pad(window, ((FFT_SAMPLES - WINDOW_SAMPLES) // 2,) * 2).float()


def _windowed_waves() -> torch.Tensor:
    """(514, 1, 512) float32: the cosines and the sines of the Fourier transform, times the window."""
    turns = torch.outer(torch.arange(1 + FFT_SAMPLES // 2), torch.arange(FFT_SAMPLES)) % FFT_SAMPLES
    angles = turns.double() * (2 * math.pi / FFT_SAMPLES)
    return (torch.cat([angles.cos(), angles.sin()]) * _padded_window().double()).float()[:, None]
