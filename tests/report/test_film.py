import av
import numpy as np
import pytest

from vfsearch.report import film
from vfsearch.report.film import FRAMES_PER_SECOND, HEIGHT, RATE_HZ, TILE, WIDTH, Scene, write_film

RED, LIME = (220, 30, 30), (30, 200, 30)


def speech(seconds, seed):
    """A gliding tone with its harmonics that swells and falls, as a voice does."""
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * ((110 + 20 * seed) * t + 6 * np.sin(3 * t + seed))
    voiced = sum(np.sin(k * phase) / k for k in range(1, 13))
    return (0.2 * voiced * (1.1 + np.sin(2 * np.pi * 3 * t))).clip(-1, 1).astype(np.float32)


def tile(colour):
    return np.full((TILE, TILE, 3), colour, np.uint8)


def scene(title="a", seconds=2.0, seed=1, hits=3, **more):
    settings = {
        "title": title,
        "samples": speech(seconds, seed),
        "tiles": [tile(RED), None, tile(LIME), *[tile(RED)] * 9][:hits],
        "mated": [False, False, True, *[False] * 9][:hits],
        "scores": list(np.linspace(0.9, 0.1, 12)[:hits]),
    }
    return Scene(**{**settings, **more})


def read(path):
    """Frames, samples and chapters of a film."""
    with av.open(str(path)) as container:
        chapters = [
            (
                each["metadata"]["title"],
                float(each["start"] * each["time_base"]),
                float(each["end"] * each["time_base"]),
            )
            for each in container.chapters()
        ]
        codecs = [stream.codec_context.name for stream in (*container.streams.video, *container.streams.audio)]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
        container.seek(0)
        sound = [(frame.pts, frame.to_ndarray()[0]) for frame in container.decode(audio=0)]
    samples = np.zeros(max(start + len(block) for start, block in sound))
    for start, block in sound:
        samples[max(0, start) : max(0, start) + len(block[max(0, -start) :])] = block[max(0, -start) :]
    return frames, samples, chapters, codecs


def best_lag(first, second, most=4000):
    """How far one sound lies behind another, and how alike they are there."""
    n = 1 << (len(first) + len(second)).bit_length()
    found = np.fft.irfft(np.fft.rfft(first, n) * np.conj(np.fft.rfft(second, n)), n)
    lags = np.concatenate([np.arange(most), np.arange(-most, 0)])
    place = int(np.argmax(found[lags]))
    return int(lags[place]), float(found[lags][place] / np.linalg.norm(first) / np.linalg.norm(second))


def at(frames, seconds):
    return frames[round(seconds * FRAMES_PER_SECOND)]


def middle(number):
    x = film.LEFT + (number % film.ACROSS) * (TILE + film.GAP) + TILE // 2
    return film.TOP + (number // film.ACROSS) * (TILE + film.GAP + 6) + TILE // 2, x


def near(found, colour):
    return bool(np.abs(found.astype(int) - colour).max() <= 24)


def test_it_lasts_sounds_and_has_chapters(tmp_path):
    scenes = [scene("voice/ann.flac", 2.0, 1), scene("b 'q' <x>", 5.03, 2, hits=10)]
    chapters = write_film(tmp_path / "f.mp4", scenes)
    frames, samples, read_chapters, codecs = read(tmp_path / "f.mp4")
    assert codecs == ["h264", "aac"] and frames[0].shape == (HEIGHT, WIDTH, 3)
    assert [each.frames for each in scenes] == [29, 51] and len(frames) == 80
    assert chapters == [("voice/ann.flac", 0.0, 2.9), ("b 'q' <x>", 2.9, 8.0)]
    assert [title for title, *_ in read_chapters] == [title for title, *_ in chapters]
    assert [times for _, *times in read_chapters] == [pytest.approx(times) for _, *times in chapters]
    assert 8.0 <= len(samples) / RATE_HZ < 8.1
    for each, start in zip(scenes, (0.0, 2.9), strict=True):
        first = round(start * RATE_HZ)
        lag, alike = best_lag(samples[first : first + len(each.samples)], each.samples)
        assert lag == 0 and alike > 0.99


def test_faces_appear_in_their_order_with_their_marks(tmp_path):
    write_film(tmp_path / "f.mp4", [scene()])
    frames = read(tmp_path / "f.mp4")[0]
    for number, colour in enumerate((RED, film.GREY, LIME)):
        due = film.FIRST_SECONDS + number * film.STEP_SECONDS
        assert near(at(frames, due - 0.1)[middle(number)], film.DARK)
        assert near(at(frames, due + 0.1)[middle(number)], colour)
    marks = []
    for number, colour in ((0, film.MISMATCHED), (2, film.MATCHED)):
        row, column = (place - TILE // 2 for place in middle(number))
        assert near(frames[-1][row + TILE // 2, column - 3], colour)
        marks.append(frames[-1][row + 3 : row + 25, column + 4 : column + 26])
    shapes = [mark.min(axis=2) > 170 for mark in marks]
    assert all(30 < shape.sum() < 200 for shape in shapes) and (shapes[0] ^ shapes[1]).sum() > 60


def test_no_more_than_twenty_seconds_and_ten_faces_of_each(tmp_path):
    long = scene(seconds=21.0, hits=12)
    assert long.frames == 200 and len(long.sound()) == 20 * RATE_HZ
    assert scene(seconds=0.1, hits=12).frames == 50 == scene(seconds=0.1, hits=10).frames


def test_a_probe_without_hits_and_of_no_sound(tmp_path):
    write_film(tmp_path / "f.mp4", [scene(hits=0, samples=np.zeros(0, np.float32))])
    assert len(read(tmp_path / "f.mp4")[0]) == 20


def test_names_of_any_kind(tmp_path):
    titles = ["<img src=x onerror=alert(1)>", "עברית العربية 中文", "=;#\\ 'x'", "n" * 4000]
    write_film(tmp_path / "f.mp4", [scene(title, 0.2, hits=1) for title in titles])
    assert [title for title, *_ in read(tmp_path / "f.mp4")[2]] == titles


def test_the_same_bytes_twice(tmp_path):
    for name in ("a.mp4", "b.mp4"):
        write_film(tmp_path / name, [scene()])
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
