import re
import shutil
import struct

import av
import numpy as np
import pytest
from containers import noise, write_pictures, write_sound

from vfsearch.encoders.dlib_resnet import DlibPreparation
from vfsearch.errors import MediaError
from vfsearch.media import video
from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Task
from vfsearch.media.video import frame_times, is_video, read_frame
from vfsearch.media.workers import PreparationWorkers

COUNT, RATE = 40, 10
PLAIN = [np.full((48, 64, 3), 6 * number, np.uint8) for number in range(COUNT)]
KINDS = {"a.mp4": {}, "a.mov": {}, "a.mkv": {}, "a.avi": {"codec": "mpeg4"}, "a.webm": {"codec": "libvpx-vp9"}}


def refused(reason: str):
    return pytest.raises(MediaError, match=f"^{re.escape(reason)}")


def number_at(path, seconds, **limits) -> int:
    pixels = read_frame(path, seconds, Limits(**limits))
    assert pixels.dtype == np.uint8 and pixels.shape == (48, 64, 3)
    return round(pixels.mean() / 6)


@pytest.mark.parametrize("name", KINDS)
def test_the_frame_that_is_seen_at_a_time(tmp_path, name):
    path = write_pictures(tmp_path / name, PLAIN, RATE, **KINDS[name])
    asked = (None, 0.0, 0.05, 0.1, 0.99, 1.0, 2.55, 3.9, 3.99)
    assert [number_at(path, seconds) for seconds in asked] == [0, 0, 0, 1, 9, 10, 25, 39, 39]


def test_only_what_follows_the_key_frame_is_decoded(tmp_path, monkeypatch):
    path = write_pictures(tmp_path / "a.mp4", PLAIN, RATE)
    seen, last_until = [], video._last_until

    def counted(frames, wanted):
        return last_until((seen.append(frame.pts) or frame for frame in frames), wanted)

    monkeypatch.setattr(video, "_last_until", counted)
    assert number_at(path, 3.5) == 35
    assert len(seen) <= 7


@pytest.mark.parametrize("seconds", [4.2, 100.0, 1e9])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_time_after_the_end_is_refused(tmp_path, name, seconds):
    path = write_pictures(tmp_path / name, PLAIN, RATE, **KINDS[name])
    with refused(f"the frame at {seconds:g} s, but the video ends at 4 s"):
        read_frame(path, seconds, Limits())


def rotated(path, matrix, turned):
    """A file whose display matrix is (a, b, c, d); pictures are stored as `turned` gives them."""
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32], picture[:24, 32:], picture[24:, :32] = 240, 160, 80
    write_pictures(path, [np.ascontiguousarray(turned(picture))] * 3)
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    a, b, c, d = (number * 0x10000 for number in matrix)
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    return picture


@pytest.mark.parametrize(
    "matrix, turned",
    [
        ((1, 0, 0, 1), lambda p: p),
        ((0, 1, -1, 0), lambda p: np.rot90(p)),
        ((-1, 0, 0, -1), lambda p: p[::-1, ::-1]),
        ((0, -1, 1, 0), lambda p: np.rot90(p, -1)),
        ((-1, 0, 0, 1), lambda p: p[:, ::-1]),
        ((1, 0, 0, -1), lambda p: p[::-1]),
        ((0, 1, 1, 0), lambda p: p.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda p: p[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_the_display_matrix_is_applied(tmp_path, matrix, turned):
    picture = rotated(tmp_path / "a.mp4", matrix, turned)
    pixels = read_frame(tmp_path / "a.mp4", None, Limits())
    assert pixels.shape == picture.shape
    assert np.abs(pixels.astype(int) - picture).mean() < 6


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = write_pictures(tmp_path / "a.mp4", PLAIN[:3], RATE)
    monkeypatch.setattr(video, "_frame_at", None)
    with refused("64 x 48 pixels, more than the limit of 3,000"):
        read_frame(path, None, Limits(pixels=3000))


def test_pictures_larger_than_the_header_says_are_refused(tmp_path):
    path = write_pictures(tmp_path / "a.mp4", [np.zeros((480, 640, 3), np.uint8)] * 3, RATE)
    data = bytearray(path.read_bytes())
    start = data.index(b"avc1", data.index(b"stsd")) + 28
    assert struct.unpack_from(">2H", data, start) == (640, 480)
    struct.pack_into(">2H", data, start, 32, 32)
    path.write_bytes(data)
    with refused("640 x 480 pixels, more than the limit of 20,000"):
        read_frame(path, None, Limits(pixels=20_000))


def test_a_file_with_sound_alone_has_no_pictures(tmp_path):
    path = write_sound(tmp_path / "a.m4a", noise(1))
    with refused("has no pictures: there is no video stream in it"):
        read_frame(path, None, Limits())
    with refused("has no pictures: there is no video stream in it"):
        frame_times(path, 1.0)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_cut_video_is_refused(tmp_path, name):
    data = write_pictures(tmp_path / name, PLAIN, RATE, **KINDS[name]).read_bytes()
    for part in (0.01, 0.3, 0.6, 0.95):
        (tmp_path / "cut").write_bytes(data[: round(len(data) * part)])
        with refused("truncated"):
            read_frame(tmp_path / "cut", 0.0, Limits())


def test_bytes_drawn_at_random_raise_nothing_but_media_errors(tmp_path):
    good = write_pictures(tmp_path / "a.mp4", PLAIN[:8], RATE).read_bytes()
    rng = np.random.default_rng(4)
    for _ in range(60):
        data = bytearray(good)
        for position in rng.integers(0, len(data), 6):
            data[position] = rng.integers(256)
        (tmp_path / "b").write_bytes(data)
        try:
            read_frame(tmp_path / "b", 0.3, Limits(pixels=10_000))
        except MediaError as error:
            assert "\n" not in str(error)


def test_the_content_says_what_is_a_video(tmp_path):
    path = write_pictures(tmp_path / "a.mp4", PLAIN[:3], RATE)
    shutil.copy(path, tmp_path / "a.png")
    assert is_video(path) and is_video(tmp_path / "a.png")
    (tmp_path / "b.mp4").write_bytes(b"\x89PNG\r\n\x1a\n" * 9)
    (tmp_path / "c.mp4").write_bytes(b"\0\0\0\x1cftypavif" + bytes(90))
    assert not any(is_video(tmp_path / name) for name in ("b.mp4", "c.mp4", "none.mp4", ""))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_face_item_may_be_a_frame_of_a_video(tmp_path, workers):
    path = write_pictures(tmp_path / "a.mp4", PLAIN, RATE)
    tasks = [Task(path=path), Task(path=path, start_seconds=2.0, end_seconds=3.0), Task(path=path, start_seconds=9.0)]
    with PreparationWorkers(DlibPreparation(aligned=True), Limits(), workers) as running:
        first, later, after = running.prepare(tasks)
    assert (round(first.sample.mean() / 6), round(later.sample.mean() / 6)) == (0, 20)
    assert after == Failure(stage="decode", reason="the frame at 9 s, but the video ends at 4 s")


@pytest.mark.parametrize("name", KINDS)
def test_times_of_frames_at_a_rate(tmp_path, name):
    path = write_pictures(tmp_path / name, PLAIN, RATE, **KINDS[name])
    assert frame_times(path, 2.0) == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
    assert frame_times(path, 1.0, 0.5, 3.0) == [0.5, 1.5, 2.5]
    assert frame_times(path, 1.0, 3.5, 99.0) == [3.5]
    assert frame_times(path, 1.0, 7.0) == []
    times = frame_times(path, RATE)
    assert [number_at(path, seconds) for seconds in times] == list(range(COUNT))


@pytest.mark.parametrize(
    "rate, start, reason",
    [
        (0.0, 0.0, "frames at 0 a second: the rate must be more than 0"),
        (float("nan"), 0.0, "frames at nan a second: the rate must be more than 0"),
        (1.0, -1.0, "frames from -1 s on: the first time must be 0 or more"),
        (1e9, 0.0, "4,000,000,000 frames, more than 10,000,000: want a lower rate or a shorter part"),
    ],
)
def test_times_that_make_no_sense_are_refused(tmp_path, rate, start, reason):
    path = write_pictures(tmp_path / "a.mp4", PLAIN, RATE)
    with refused(reason):
        frame_times(path, rate, start)


def test_a_photo_has_no_times(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" * 9)
    with refused("not a video that can be decoded"):
        frame_times(tmp_path / "a.png", 1.0)


def test_a_cover_is_no_video(tmp_path):
    assert int(av.stream.Disposition.attached_pic) == video._COVER
