import numpy as np
import pytest
import torch

from vfsearch.networks import mel
from vfsearch.networks.mel import LogMel, mel_bands, normalise_over_time


def clips(n: int = 2, seconds: float = 0.1, seed: int = 0) -> torch.Tensor:
    rows = np.random.default_rng(seed).normal(0, 2000, (n, round(16000 * seconds)))
    return torch.tensor(rows, dtype=torch.float32)


def plain_power(clip: np.ndarray) -> np.ndarray:
    """(40, frames) float64: frame by frame, bin by bin, band by band."""
    clip, m = clip.astype(np.float64), len(clip)
    window = np.array([0.54 - 0.46 * np.cos(2 * np.pi * i / 400) for i in range(400)])
    edges = [700 * (10 ** (2840.023 * k / 41 / 2595) - 1) for k in range(42)]
    frames = []
    for centre in range(0, m + 1, 160):
        places = [abs(centre - 200 + i) for i in range(400)]
        frame = clip[[place if place < m else 2 * (m - 1) - place for place in places]] * window
        spectrum = [abs((frame * np.exp(-2j * np.pi * k * np.arange(400) / 512)).sum()) ** 2 for k in range(257)]
        bands = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            hz = [31.25 * k for k in range(257)]
            weights = [max(0.0, min((f - low) / (middle - low), (high - f) / (high - middle))) for f in hz]
            bands.append(np.dot(weights, spectrum))
        frames.append(bands)
    return np.array(frames).T


def test_it_is_what_a_plain_loop_gives():
    samples = clips()
    wanted = np.stack([plain_power(clip) for clip in samples.numpy()])
    assert wanted.shape == (2, 40, 11)
    np.testing.assert_allclose(LogMel().power(samples).numpy(), wanted, rtol=1e-4)
    np.testing.assert_allclose(LogMel()(samples).numpy(), np.log(wanted + 1e-6), atol=1e-4)


def test_the_two_ways_to_the_spectrum_agree(monkeypatch):
    samples, front = clips(seconds=1.0), LogMel()
    by_fft = front.power(samples)
    monkeypatch.setattr(mel, "_exporting", lambda: True)
    np.testing.assert_allclose(front.power(samples).numpy(), by_fft.numpy(), rtol=1e-4)


def test_an_exported_program_has_no_fourier_transform():
    samples, front = clips(seconds=0.5), LogMel().eval()
    program = torch.export.export(front, (samples,))
    assert "fft" not in str(program.graph)
    np.testing.assert_allclose(program.module()(samples).numpy(), front(samples).numpy(), atol=1e-4)


def test_neighbouring_triangles_add_up_to_one():
    bands = mel_bands()
    assert bands.shape == (257, 40) and bands.min() == 0 and bands.max() <= 1
    first, last = int(bands[:, 0].argmax()) + 1, int(bands[:, -1].argmax())
    np.testing.assert_allclose(bands[first:last].sum(dim=1).numpy(), 1, atol=1e-6)


def test_it_is_float32_under_autocast_and_double_in_a_double_network():
    samples = clips()
    wanted = LogMel()(samples)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(LogMel()(samples), wanted)
    double = LogMel().double()(samples)
    assert double.dtype == torch.float64
    np.testing.assert_allclose(double.numpy(), wanted.numpy(), atol=1e-4)


def test_silence_is_finite_and_normalised_to_nothing():
    log_mel = LogMel()(torch.zeros(1, 1600))
    np.testing.assert_allclose(log_mel.numpy(), np.log(1e-6), rtol=1e-6)
    np.testing.assert_allclose(normalise_over_time(log_mel).numpy(), 0, atol=1e-2)


def test_each_band_is_normalised_over_time():
    values = np.random.default_rng(1).normal(3, 2, (2, 4, 7))
    wanted = np.empty_like(values)
    for clip in range(2):
        for band in range(4):
            row = values[clip, band]
            variance = sum((value - row.mean()) ** 2 for value in row) / 7
            wanted[clip, band] = [(value - row.mean()) / (variance + 1e-5) ** 0.5 for value in row]
    np.testing.assert_allclose(normalise_over_time(torch.tensor(values)).numpy(), wanted, atol=1e-12)


def test_it_has_nothing_to_save():
    assert not LogMel().state_dict() and not list(LogMel().parameters())


def test_a_clip_shorter_than_half_a_frame_is_an_error():
    with pytest.raises(RuntimeError, match="Padding size should be less than"):
        LogMel()(torch.zeros(1, 256))
