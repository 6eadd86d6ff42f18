"""The sound of a container, in blocks; a part of it without decoding what lies before."""

import math
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.errors import MediaError
from vfsearch.media.container import opened, origin_seconds, stamp
from vfsearch.media.limits import Limits

if TYPE_CHECKING:
    from av import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

# What codecs look back on: a frame in AAC, up to nine in MP3, 80 ms in Opus.
_BEFORE_SECONDS = 0.5
# Timestamps that differ by less were rounded; they do not mean another place.
_ROUNDED_SECONDS = 0.01
_MISSING_SECONDS = 0.25
Placed = tuple[int, "AudioFrame"]


def container_blocks(
    path: Path, start_seconds: float | None, end_seconds: float | None, limits: Limits
) -> Iterator[tuple[int, np.ndarray]]:
    """The first sound stream of a file, or a part of it.

    Seconds count from the start of the file, its pictures included. What an encoder put before the sound (the codec's
    delay) is left out where the container says how much it is. A part has the samples of that slice of the whole, but
    for the noise that some AAC files only describe: each decoding draws it anew.

    Args:
        path: a file of which `container_format` knows the kind.
        start_seconds: where the part starts; None: at the start.
        end_seconds: where it ends; None, or past the end: at the end.
        limits: `audio_seconds` bounds the part, by samples that are decoded, not by what a header says.
    Returns:
        Rate in Hz and (n,) float32 samples, again and again, channels averaged.
    Raises:
        MediaError: it cannot be decoded, has no sound, is truncated, too long or empty in that part.
    """
    with opened(path, "audio") as container:
        stream = _sound_stream(container)
        decoded = container.decode(stream)
        head = list(islice(decoded, 2))
        if not head:
            raise MediaError("has no samples")
        timing = _Timing(stream, head, origin_seconds(container))
        start, stop = timing.part(start_seconds, end_seconds)
        near = _frames_near(container, stream, timing, start)
        frames = timing.placed(chain(head, decoded)) if near is None else near
        count = 0
        for block in _blocks_of_part(frames, timing, start, stop):
            count += len(block)
            if count > limits.audio_seconds * timing.rate_hz:
                raise MediaError(f"more audio than the limit of {limits.audio_seconds:,.0f} s")
            yield timing.rate_hz, block


def _sound_stream(container: "InputContainer") -> "AudioStream":
    if not container.streams.audio:
        raise MediaError("has no sound: there is no audio stream in it")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise MediaError("not audio that can be decoded: its codec is not known, or it is encrypted")
    stream.codec_context.thread_count = 1
    return stream


class _Timing:
    """At which sample of the file a frame starts.

    Matroska rounds timestamps to milliseconds. Frames of one length start at multiples of it, counted from where the
    first one ends (it may be cut short), so the rounding can be undone.
    """

    def __init__(self, stream: "AudioStream", head: list["AudioFrame"], origin: float) -> None:
        self.rate_hz, self.origin_seconds = head[0].sample_rate, origin
        self._tick = stream.time_base * self.rate_hz
        self._length = head[-1].samples if self._tick > 1 else 1
        self._after_first = self._stamp(head[0]) + head[0].samples
        self.promised = float((stream.duration or 0) * self._tick) if _says_its_length(stream) else 0.0

    def part(self, start_seconds: float | None, end_seconds: float | None) -> tuple[int, float]:
        """First sample, and the one after the last."""
        start = round((start_seconds or 0.0) * self.rate_hz)
        stop = math.inf if end_seconds is None else round(end_seconds * self.rate_hz)
        if start < 0:
            raise MediaError(f"the part starts at {start_seconds:g} s, before the file")
        if stop <= start:
            raise MediaError(f"the part from {start / self.rate_hz:g} s to {end_seconds:g} s has no samples")
        return start, stop

    def placed(self, frames: Iterable["AudioFrame"]) -> Iterator[Placed]:
        """Each frame with the place of its first sample."""
        expected = None
        for frame in frames:
            if frame.sample_rate != self.rate_hz:
                raise MediaError(f"changes its rate from {self.rate_hz} to {frame.sample_rate} Hz")
            place = self._place(frame)
            if expected is not None and abs(place - expected) < _ROUNDED_SECONDS * self.rate_hz:
                place = expected
            yield place, frame
            expected = place + frame.samples

    def _place(self, frame: "AudioFrame") -> int:
        stamp = self._stamp(frame)
        exact = self._after_first + round((stamp - self._after_first) / self._length) * self._length
        return exact if abs(exact - stamp) <= self._tick else stamp

    def _stamp(self, frame: "AudioFrame") -> int:
        return round((frame.pts or 0) * self._tick - self.origin_seconds * self.rate_hz)


def _says_its_length(stream: "AudioStream") -> bool:
    return stream.container.format.name.startswith("mov")


def _frames_near(
    container: "InputContainer", stream: "AudioStream", timing: _Timing, start: int
) -> Iterator[Placed] | None:
    """Frames from a little before the part on; None: the part is too near the start of the file for that."""
    before = start / timing.rate_hz - _BEFORE_SECONDS
    if before <= 0:
        return None
    found = timing.placed(_decoded_from(container, stream, before + timing.origin_seconds))
    first = next(found, None)
    if first is not None and first[0] <= start:
        return chain([first], found)
    # nothing there, or an index that leads too far: look at all of it
    return timing.placed(_decoded_from(container, stream, -math.inf))


def _decoded_from(container: "InputContainer", stream: "AudioStream", seconds: float) -> Iterator["AudioFrame"]:
    least = -math.inf if seconds == -math.inf else stamp(seconds, stream.time_base)
    container.seek(stream.start_time or 0 if seconds == -math.inf else least, stream=stream)
    for packet in container.demux(stream):
        # an index may lead to a place long before the one that was asked for
        if packet.pts is None or packet.pts >= least:
            yield from packet.decode()


def _blocks_of_part(frames: Iterator[Placed], timing: _Timing, start: int, stop: float) -> Iterator[np.ndarray]:
    end, empty = 0, True
    for place, frame in frames:
        if place >= stop:
            break
        end = place + frame.samples
        block = _mono(frame)[max(0, start - place) : int(min(stop - place, frame.samples))]
        empty = empty and not len(block)
        yield block
    else:
        _require_promised(end, timing)
    if empty:
        ended = end / timing.rate_hz
        raise MediaError(f"the part starts at {start / timing.rate_hz:g} s, but the audio ends at {ended:.6g} s")


def _require_promised(end: int, timing: _Timing) -> None:
    if end < timing.promised - _MISSING_SECONDS * timing.rate_hz:
        raise MediaError(f"truncated: {end / timing.rate_hz:,.1f} s of {timing.promised / timing.rate_hz:,.1f} s")


def _mono(frame: "AudioFrame") -> np.ndarray:
    """(n,) float32, full scale 1, of a frame in whatever form its codec gives."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype == np.uint8:
        samples = samples.astype(np.float32) / 128 - 1
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float32) / np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
    return samples.mean(axis=0, dtype=np.float32) if len(samples) > 1 else samples[0].astype(np.float32)
