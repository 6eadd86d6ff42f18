"""Containers (MP4, MKV, WebM, ...) with a sound, a moving picture, or both, written by PyAV."""

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np

RATE = 44_100


def noise(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """(n,) float32: soft low-passed noise, no two parts of which are alike."""
    white = np.random.default_rng(seed).standard_normal(round(seconds * rate))
    return (0.2 * np.convolve(white, np.ones(8) / 8, "same")).astype(np.float32)


def write_sound(path: Path, samples: np.ndarray, codec: str = "aac", rate: int = RATE, **how: object) -> Path:
    """A container with samples (n,) or (channels, n); `how` goes to `av.open`."""
    samples = np.atleast_2d(samples).astype(np.float32)
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[len(samples)]
    with av.open(str(path), "w", **how) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = layout
        if codec == "aac":
            # else noise is only described, and each decoding draws another
            stream.options = {"aac_pns": "0"}
        stream.codec_context.open()
        _encode(container, stream, _sound_frames(stream, samples, layout, rate))
    return path


def _sound_frames(stream, samples, layout, rate):
    convert = av.AudioResampler(format=stream.codec_context.format.name)
    step = stream.codec_context.frame_size or 1024
    for start in range(0, samples.shape[1], step):
        part = np.ascontiguousarray(samples[:, start : start + step])
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, start
        yield from convert.resample(frame)


def write_pictures(path: Path, pictures: Sequence[np.ndarray], rate: int = 10, codec: str = "libx264", **how) -> Path:
    """A container with pictures (h, w, 3) uint8, RGB, `rate` a second, key frames ten pictures apart."""
    with av.open(str(path), "w", **how) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.gop_size = "yuv420p", 10
        stream.bit_rate = 4_000_000
        _encode(container, stream, _picture_frames(pictures))
    return path


def _picture_frames(pictures):
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts = number
        yield frame


def _encode(container, stream, frames):
    for frame in frames:
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
