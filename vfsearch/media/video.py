"""Video file -> RGB pixels of one of its frames."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vfsearch.errors import MediaError
from vfsearch.media.container import container_format, opened, origin_seconds, stamp
from vfsearch.media.limits import Limits
from vfsearch.media.source import require_regular_file
from vfsearch.media.truncation import require_whole

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# a time that was written with few digits is still that of its frame
_ROUNDED_SECONDS = 0.001
_COVER = 1024
_MOST_TIMES = 10_000_000


def is_video(path: Path) -> bool:
    """Whether a file is a container that may hold moving pictures, by its content; what cannot be opened is none."""
    try:
        require_regular_file(path)
        return container_format(Path(path)) not in (None, "aac")
    except (MediaError, OSError):
        return False


def read_frame(path: Path, seconds: float | None, limits: Limits) -> np.ndarray:
    """The pixels of the frame that is seen at a time, upright.

    Decodes from the key frame before. The display matrix is applied, as the EXIF orientation is to photos.

    Args:
        path: the file.
        seconds: from the start of the file; None: its first frame.
        limits: `pixels` is compared with the header, before anything is decoded, and with the stream itself.
    Returns:
        (height, width, 3) uint8, RGB.
    Raises:
        MediaError: it cannot be read, is truncated or too large, has no pictures, or ends before that time.
    """
    path = Path(path)
    require_whole(path, require_regular_file(path))
    with opened(path, "a video") as container:
        stream = _picture_stream(container, limits)
        frame = _frame_at(container, stream, seconds or 0.0)
        return _upright(frame.to_ndarray(format="rgb24"), _display_matrix(frame))


def frame_times(path: Path, rate_hz: float, start: float = 0.0, end: float | None = None) -> list[float]:
    """Times of frames, evenly spaced, as a manifest's `start_seconds` wants them: one row a frame.

    Args:
        path: a video.
        rate_hz: how many a second.
        start: the first time, in seconds.
        end: where the part ends, in seconds; None, or past the end: at the end of the video, as its header says.
    Returns:
        The times; none where the part is empty.
    Raises:
        MediaError: no video, or one that does not say how long it is, with no `end`; or no such rate.
    """
    if not (math.isfinite(rate_hz) and rate_hz > 0):
        raise MediaError(f"frames at {rate_hz:g} a second: the rate must be more than 0")
    if not 0 <= start < math.inf:
        raise MediaError(f"frames from {start:g} s on: the first time must be 0 or more")
    stop = min(_length_seconds(Path(path)), math.inf if end is None else end)
    if stop == math.inf:
        raise MediaError("does not say how long it is: give the end of the part")
    count = max(0, math.ceil((stop - start) * rate_hz - 1e-6))
    if count > _MOST_TIMES:
        raise MediaError(f"{count:,} frames, more than {_MOST_TIMES:,}: want a lower rate or a shorter part")
    return [start + number / rate_hz for number in range(count)]


def _length_seconds(path: Path) -> float:
    require_whole(path, require_regular_file(path))
    if container_format(path) is None:
        raise MediaError("not a video that can be decoded")
    with opened(path, "a video") as container:
        stream = _picture_stream(container, None)
        if stream.duration:
            return float(stream.duration * stream.time_base)
        return container.duration / 1e6 if container.duration else math.inf


def _picture_stream(container: "InputContainer", limits: Limits | None) -> "VideoStream":
    streams = [each for each in container.streams.video if not int(each.disposition) & _COVER]
    if not streams:
        raise MediaError("has no pictures: there is no video stream in it")
    stream, codec = streams[0], streams[0].codec_context
    if codec is None:
        raise MediaError("not a video that can be decoded: its codec is not known, or it is encrypted")
    if limits and codec.width * codec.height > limits.pixels:
        raise MediaError(f"{codec.width} x {codec.height} pixels, more than the limit of {limits.pixels:,}")
    if limits:
        # the pictures themselves may be larger than the header says
        codec.options = {"max_pixels": str(limits.pixels)}
    codec.thread_count = 1
    return stream


def _frame_at(container: "InputContainer", stream: "VideoStream", seconds: float) -> "VideoFrame":
    if seconds < 0:
        raise MediaError(f"the frame at {seconds:g} s: before the video")
    wanted = seconds + origin_seconds(container) + _ROUNDED_SECONDS
    if seconds > 0:
        container.seek(stamp(wanted, stream.time_base), stream=stream)
    found, end = _last_until(container.decode(stream), wanted)
    if found is None and seconds > 0:
        # an index that leads too far
        container.seek(stream.start_time or 0, stream=stream)
        found, end = _last_until(container.decode(stream), wanted)
    if found is None:
        raise MediaError("has no pictures")
    if wanted > end + 2 * _ROUNDED_SECONDS:
        raise MediaError(f"the frame at {seconds:g} s, but the video ends at {end - origin_seconds(container):.6g} s")
    return found


def _last_until(frames: Iterator["VideoFrame"], wanted: float) -> tuple["VideoFrame | None", float]:
    """The frame that is seen at that time (before the first: the first), and when the last that was looked at ends."""
    found, last, step, end = None, None, 0.0, math.inf
    for frame in frames:
        begins = frame.time if frame.time is not None else 0.0
        if found is not None and begins > wanted:
            break
        step = begins - last if last is not None else step
        found, last = frame, begins
        if begins > wanted:
            break
    else:
        end = math.inf if found is None else last + (_duration(found) or step)
    return found, end


def _duration(frame: "VideoFrame") -> float:
    return float((getattr(frame, "duration", 0) or 0) * (frame.time_base or 0))


def _display_matrix(frame: "VideoFrame") -> tuple[int, int, int, int] | None:
    """The four numbers of the matrix that turn and mirror, of which a picture's x and y are multiplied."""
    found = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return None
    a, b, _, c, d, *_ = np.frombuffer(found, np.int32).tolist()
    return a, b, c, d


def _upright(pixels: np.ndarray, matrix: tuple[int, int, int, int] | None) -> np.ndarray:
    """Quarter turns and mirrors; x becomes a x + c y, and y becomes b x + d y."""
    if matrix is None:
        return pixels
    a, b, c, d = matrix
    if abs(b) > abs(a):
        pixels, a, d = pixels.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(pixels[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])
