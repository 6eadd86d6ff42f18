"""Speech-like audio from a source-filter synthesiser: who speaks comes from a voice latent, what is said is random."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from vfsearch.corpus.people import SHARED
from vfsearch.corpus.phones import PHONES, draw_sentence

SAMPLE_RATE_HZ = 16000
_HOP = 128
_WINDOW = 384
_FFT = 512
_FRAME_RATE_HZ = SAMPLE_RATE_HZ / _HOP
_UPPER_FORMANTS_HZ = np.array([3450.0, 4400.0, 5500.0])
_UPPER_BANDWIDTHS_HZ = np.array([180.0, 250.0, 400.0])
_LOWER_BANDWIDTHS_HZ = np.array([65.0, 90.0, 130.0])


@dataclass(frozen=True, kw_only=True)
class VoiceTraits:
    """What makes one voice.

    Attributes:
        pitch_hz: middle of the fundamental frequency.
        formant_scale: factor on every formant; above 1 for a shorter vocal tract.
        breathiness: share of noise in the source, 0 to 1.
        tilt: fall of the source spectrum beyond that of the pulses, in dB an octave.
        jitter: relative spread of the length of neighbouring periods.
        shimmer: relative spread of their amplitudes.
        roughness: how much weaker every other period is, 0 to 1.
        rate: speaking rate, 1 for average.
        nasality: depth of the nasal dip and strength of the nasal murmur, 0 to 1.
        bandwidth_scale: factor on the formant bandwidths.
        open_quotient: share of a period in which the glottis is open.
        formant_offsets: (4,) own factors on the first three formants and on all above.
        liveliness: spread of the pitch contour, in octaves.
    """

    pitch_hz: float
    formant_scale: float
    breathiness: float
    tilt: float
    jitter: float
    shimmer: float
    roughness: float
    rate: float
    nasality: float
    bandwidth_scale: float
    open_quotient: float
    formant_offsets: tuple[float, float, float, float]
    liveliness: float


def voice_traits(latent: tuple[float, ...]) -> VoiceTraits:
    """Traits of the voice that a latent stands for; smooth and monotone in each number.

    Args:
        latent: the voice latent of a `Person`.
    """
    z = np.clip(latent, -2.5, 2.5)
    own = z[SHARED:]
    return VoiceTraits(
        pitch_hz=float(152 * 2 ** (-0.38 * z[0] + 0.32 * z[2] - 0.05 * z[1])),
        formant_scale=float(np.exp(-0.07 * z[0] - 0.09 * z[3])),
        breathiness=_squash(-1.3 + 1.5 * z[4]),
        tilt=float(1.5 - 1.6 * z[5]),
        jitter=float(0.015 * np.exp(0.8 * z[1])),
        shimmer=float(0.08 * np.exp(0.5 * z[1])),
        roughness=_squash(-1.8 + 1.4 * z[1]),
        rate=float(np.exp(-0.16 * z[1] + 0.08 * own[4])),
        nasality=_squash(-0.5 + 1.3 * z[6]),
        bandwidth_scale=float(np.exp(0.3 * z[6])),
        open_quotient=float(0.6 + 0.08 * own[3] + 0.04 * z[4]),
        formant_offsets=tuple(
            float(np.exp(step))
            for step in (
                0.08 * z[7] + 0.03 * own[0],
                -0.09 * z[7] + 0.04 * own[1],
                0.045 * own[2] - 0.05 * z[2],
                0.05 * own[5] - 0.03 * z[2],
            )
        ),
        liveliness=float(0.13 * np.exp(0.25 * own[4])),
    )


def _squash(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def synthesise(traits: VoiceTraits, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """One clip of a voice saying a random sentence, with its own level, channel tilt and background noise.

    Args:
        traits: the voice.
        seconds: length of the clip.
        rng: decides the sentence and all that varies from clip to clip.
    Returns:
        (n,) float32 samples at `SAMPLE_RATE_HZ`, within [-1, 1].
    """
    samples = round(seconds * SAMPLE_RATE_HZ)
    frames = samples // _HOP + _WINDOW // _HOP + 1
    phones = draw_sentence(frames, _FRAME_RATE_HZ, traits.rate, rng)
    table = _smooth(PHONES[phones])
    pulses, opening = _glottis(_pitch_contour(traits, frames, rng), traits, rng)
    noise = rng.standard_normal(len(pulses)).astype(np.float32)
    breath = noise * (0.3 + opening) * (0.02 + 1.0 * traits.breathiness**1.5)
    source = (1 - 0.5 * traits.breathiness) * pulses * _per_sample(table[:, 3]) + breath * _per_sample(table[:, 4])
    tract = _tract(table, traits)
    speech = _filter(source, tract) + _filter(noise, _frication(table, traits.formant_scale))
    return _record(speech[:samples], rng)


def _smooth(table: np.ndarray) -> np.ndarray:
    """Let the mouth move: formants glide over about 50 ms, amplitudes over about 25 ms."""
    smooth = table.copy()
    smooth[:, :3] = gaussian_filter1d(table[:, :3], 2.2, axis=0)
    smooth[:, 3:6] = gaussian_filter1d(table[:, 3:6], 0.9, axis=0)
    smooth[:, 8] = gaussian_filter1d(table[:, 8], 1.5)
    return smooth


def _per_sample(values: np.ndarray) -> np.ndarray:
    """Stretch (frames,) values to one a sample, straight lines between them."""
    at = np.arange(len(values) * _HOP, dtype=np.float32) / _HOP
    return np.interp(at, np.arange(len(values)), values).astype(np.float32)


def _pitch_contour(traits: VoiceTraits, frames: int, rng: np.random.Generator) -> np.ndarray:
    """(frames,) fundamental frequency in Hz: it falls over the sentence, with accents and a slow drift."""
    accents = gaussian_filter1d(rng.standard_normal(frames + 60), 11)[30:-30] * 5.5
    fall = np.linspace(0.5, -0.5, frames)
    octaves = traits.liveliness * (accents + fall) + 0.02 * rng.standard_normal()
    return traits.pitch_hz * 2 ** np.clip(octaves, -0.5, 0.5)


def _glottis(pitch_hz: np.ndarray, traits: VoiceTraits, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Glottal pulses, (samples,) of about unit height, and how far the glottis is open, (samples,) in [0, 1].

    The pulse in the open phase is the polynomial x^2 (1 - x) of Rosenberg (1971); the differences of the flow between
    samples stand for its derivative, which keeps aliasing low.
    """
    step = _per_sample(pitch_hz) / SAMPLE_RATE_HZ
    cycle = np.floor(np.cumsum(step, dtype=np.float64)).astype(int)
    varied = step * (1 + traits.jitter * rng.standard_normal(cycle[-1] + 1)[cycle]).clip(0.6, 1.4)
    phase = np.cumsum(varied, dtype=np.float64)
    cycle = np.floor(phase).astype(int)
    height = (1 + traits.shimmer * rng.standard_normal(cycle[-1] + 1)[cycle]).clip(0.2, 1.8) * (
        1 - traits.roughness * (cycle % 2)
    )
    opened = np.clip((phase - cycle) / traits.open_quotient, 0, 1)
    flow = height * 6.75 * opened**2 * (1 - opened)
    pulses = np.diff(flow, prepend=0.0) * (0.25 * SAMPLE_RATE_HZ / traits.pitch_hz)
    return pulses.astype(np.float32), np.clip(flow, 0, 1).astype(np.float32)


def _tract(table: np.ndarray, traits: VoiceTraits) -> np.ndarray:
    """(frames, bins) complex response of the vocal tract: all formants, the nasal dip and the tilt of the source."""
    scale = traits.formant_scale * np.array(traits.formant_offsets)
    lower = _resonances(table[:, :3] * scale[:3], _LOWER_BANDWIDTHS_HZ * traits.bandwidth_scale)
    upper = _resonances((_UPPER_FORMANTS_HZ * scale[3])[None], _UPPER_BANDWIDTHS_HZ * traits.bandwidth_scale)
    frequency_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)
    octaves = np.log2(np.maximum(frequency_hz, 150) / 500)
    tilt = 10 ** (-traits.tilt * octaves / 20)
    murmur = np.clip(traits.nasality + table[:, 8:], 0, 1)
    dip = 1 - 0.85 * murmur * np.exp(-(((frequency_hz - 950 * traits.formant_scale) / 260) ** 2))
    hum = 1 + 1.0 * murmur * np.exp(-(((frequency_hz - 260) / 110) ** 2))
    return (lower * (upper * tilt) * (dip * hum)).astype(np.complex64)


def _resonances(centres_hz: np.ndarray, bandwidths_hz: np.ndarray) -> np.ndarray:
    """(frames, bins) response of two-pole resonators in series, each of gain 1 at 0 Hz.

    Args:
        centres_hz: (frames, r).
        bandwidths_hz: (r,).
    """
    radius = np.exp(-np.pi * bandwidths_hz / SAMPLE_RATE_HZ).astype(np.float32)
    angle = 2 * np.pi / SAMPLE_RATE_HZ * np.minimum(centres_hz, 7200)
    linear, square = (-2 * radius * np.cos(angle)).astype(np.float32), radius**2
    delay = np.exp(-1j * np.linspace(0, np.pi, _FFT // 2 + 1)).astype(np.complex64)
    response = np.ones((len(centres_hz), len(delay)), np.complex64)
    for number in range(len(bandwidths_hz)):
        gain = (1 + linear[:, number] + square[number])[:, None]
        response *= gain / (1 + delay * linear[:, number][:, None] + delay**2 * square[number])
    return response


def _frication(table: np.ndarray, formant_scale: float) -> np.ndarray:
    """(frames, bins) response for the noise of fricatives and bursts: one hump each, higher in a shorter tract."""
    frequency_hz = np.linspace(0, SAMPLE_RATE_HZ / 2, _FFT // 2 + 1)
    hump = np.exp(-0.5 * ((frequency_hz - table[:, 6:7] * formant_scale) / table[:, 7:8]) ** 2)
    return (2.5 * table[:, 5:6] * hump).astype(np.float32)


def _filter(source: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Pass a source through a response that changes from frame to frame, by overlapping windows that add up to one.

    Args:
        source: (frames * hop,) samples.
        response: (frames, bins).
    """
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32) * (2 * _HOP / _WINDOW)
    padded = np.pad(source, (_WINDOW // 2, _WINDOW))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][: len(response)] * window
    filtered = np.fft.irfft(np.fft.rfft(pieces, _FFT) * response, _FFT).astype(np.float32)
    out = np.zeros((len(response) + _FFT // _HOP, _HOP), np.float32)
    for part in range(_FFT // _HOP):
        out[part : part + len(response)] += filtered[:, part * _HOP : (part + 1) * _HOP]
    return out.ravel()[_WINDOW // 2 :]


def _record(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a microphone makes of it: a slightly tilted channel, room noise and a level of its own."""
    tilt = rng.normal(0, 0.06)
    toned = speech + tilt * (np.roll(speech, 1) - uniform_filter1d(speech, 5))
    toned = toned / np.sqrt(np.mean(toned**2) + 1e-12)
    noise = rng.standard_normal(len(toned)) * 10 ** (-rng.uniform(28, 42) / 20)
    level = 10 ** (rng.uniform(-27, -21) / 20)
    return np.clip(level * (toned + noise), -1, 1).astype(np.float32)
