"""Loudness and silence, as the voice encoder was trained with them."""

import numpy as np

from vfsearch.errors import MediaError

RATE_HZ = 16_000
FULL_SCALE_16_BIT = 32_767
WANTED_DBFS = -30.0
VAD_WINDOW_SAMPLES = RATE_HZ * 30 // 1000
VAD_MODE = 3
VAD_AVERAGED_WINDOWS = 8
VAD_KEPT_WINDOWS = 6


def raise_volume(samples: np.ndarray) -> np.ndarray:
    """The samples, made louder up to -30 dBFS (root mean square); never softer.

    Args:
        samples: (n,) float32, full scale is 1.
    Raises:
        MediaError: silent.
    """
    level = np.sqrt(np.mean(np.square(samples, dtype=np.float64)))
    if level == 0:
        raise MediaError("silent: every sample is zero")
    return samples * np.float32(max(1.0, 10 ** (WANTED_DBFS / 20) / level))


def trim_silence(samples: np.ndarray) -> np.ndarray:
    """The samples without their long silences.

    A 30 ms window is kept if more than half of the 8 around it have speech (WebRTC's detector, mode 3), or if such a
    window is at most 3 away.

    Args:
        samples: (n,) float32 at 16 kHz.
    Returns:
        (m,) float32, m a multiple of 480.
    Raises:
        MediaError: shorter than one window, or no speech in it.
    Source: Resemblyzer 0.1.4, `trim_long_silences`; we clip where it lets 16-bit samples wrap around.
    """
    windows = samples[: len(samples) // VAD_WINDOW_SAMPLES * VAD_WINDOW_SAMPLES].reshape(-1, VAD_WINDOW_SAMPLES)
    if not len(windows):
        raise MediaError(f"only {len(samples) / RATE_HZ:.3f} s of audio; 0.03 s is the least")
    kept = _near_speech(_has_speech(windows))
    if not kept.any():
        raise MediaError(f"no speech found in {len(samples) / RATE_HZ:.1f} s of audio")
    return windows[kept].reshape(-1)


def _has_speech(windows: np.ndarray) -> np.ndarray:
    import _webrtcvad  # the package around it may import pkg_resources, which setuptools has removed

    detector = _webrtcvad.create()
    _webrtcvad.init(detector)
    _webrtcvad.set_mode(detector, VAD_MODE)
    pcm = np.rint(windows * FULL_SCALE_16_BIT).clip(-32768, 32767).astype(np.int16)
    return np.array([_webrtcvad.process(detector, RATE_HZ, row.tobytes(), len(row)) for row in pcm], dtype=bool)


def _near_speech(speech: np.ndarray) -> np.ndarray:
    n, width = len(speech), VAD_AVERAGED_WINDOWS
    counts = np.convolve(speech, np.ones(width, int))[width // 2 :][:n]
    # round half to even: exactly half the windows count as silence
    mostly = 2 * counts > width
    reach = VAD_KEPT_WINDOWS // 2
    return np.convolve(mostly, np.ones(2 * reach + 1, int))[reach:][:n] > 0
