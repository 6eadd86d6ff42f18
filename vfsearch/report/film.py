"""A film of answers: each probe's clip sounds while the best of the gallery appear, in rank order, with their marks.

Source: Wen et al., "Seeking the Shape of Sound", CVPR 2021, supplement, section 4.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

FRAMES_PER_SECOND = 10
RATE_HZ = 48_000
WIDTH, HEIGHT = 1280, 720
FIRST_SECONDS, STEP_SECONDS, LAST_SECONDS = 0.5, 0.3, 1.5
"""When the first face appears, how much later each next one, and how long all are seen at least."""
LONGEST_SECONDS = 20.0
TILE, ACROSS, LEFT, TOP, GAP = 200, 5, 60, 230, 34
MATCHED, MISMATCHED = (0, 114, 178), (213, 94, 0)
DARK, WHITE, GREY = (24, 24, 28), (245, 245, 245), (150, 150, 155)
MOST_TILES = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """One probe.

    Args:
        title: of its chapter, and seen above it.
        samples: (n,) float32, the clip at `RATE_HZ`; of a longer one the first `LONGEST_SECONDS` sound.
        tiles: (TILE, TILE, 3) uint8 of each hit, best first; None: no picture. The first `MOST_TILES` are shown.
        mated: of each hit.
        scores: of each hit.
    """

    title: str
    samples: np.ndarray
    tiles: Sequence[np.ndarray | None]
    mated: Sequence[bool]
    scores: Sequence[float]

    @property
    def frames(self) -> int:
        """How many frames it takes: until the clip has ended and all tiles have been seen."""
        shown = FIRST_SECONDS + STEP_SECONDS * min(MOST_TILES, len(self.tiles)) + LAST_SECONDS
        sounds = min(LONGEST_SECONDS, len(self.samples) / RATE_HZ)
        return int(np.ceil(max(shown, sounds) * FRAMES_PER_SECOND))

    def sound(self) -> np.ndarray:
        """(frames * RATE_HZ / FRAMES_PER_SECOND,) float32: the clip, then silence."""
        length = self.frames * RATE_HZ // FRAMES_PER_SECOND
        samples = self.samples[: min(length, int(LONGEST_SECONDS * RATE_HZ))]
        return np.concatenate([samples, np.zeros(length - len(samples), np.float32)]).astype(np.float32)


def write_film(path: Path, scenes: Iterable[Scene]) -> list[tuple[str, float, float]]:
    """Encode scenes as MP4 (H.264, AAC) that plays in browsers, with a chapter each.

    Args:
        path: to be written, in place.
        scenes: at least one; each is drawn when its turn comes.
    Returns:
        Of each chapter its title, start and end in seconds.
    """
    import av

    scenes = list(scenes)
    edges = np.cumsum([0, *(scene.frames for scene in scenes)]).tolist()
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options={"preset": "veryfast", "crf": "23"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        sound = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        sound.bit_rate = 96_000
        container.set_chapters([
            {"id": number, "start": edges[number], "end": edges[number + 1],
             "time_base": Fraction(1, FRAMES_PER_SECOND), "metadata": {"title": scene.title}}
            for number, scene in enumerate(scenes)
        ])  # fmt: skip
        for scene, first in zip(scenes, edges, strict=False):
            blocks = scene.sound().reshape(scene.frames, -1)
            for place, (picture, block) in enumerate(zip(_pictures(scene), blocks, strict=True), start=first):
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = place, Fraction(1, FRAMES_PER_SECOND)
                container.mux(video.encode(frame))
                container.mux(sound.encode(_sound_frame(av, block, place)))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return [
        (scene.title, edges[number] / FRAMES_PER_SECOND, edges[number + 1] / FRAMES_PER_SECOND)
        for number, scene in enumerate(scenes)
    ]


def _sound_frame(av, block: np.ndarray, place: int):
    """The sound of one picture."""
    frame = av.AudioFrame.from_ndarray(block[None, :], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, place * len(block), Fraction(1, RATE_HZ)
    return frame


def _pictures(scene: Scene) -> Iterator[np.ndarray]:
    """(HEIGHT, WIDTH, 3) uint8 of each frame."""
    from PIL import Image, ImageDraw, ImageFont

    canvas = Image.new("RGB", (WIDTH, HEIGHT), DARK)
    draw = ImageDraw.Draw(canvas)
    draw.text((LEFT, 26), scene.title, font=ImageFont.load_default(26), fill=WHITE)
    columns = _outline(scene)
    drawn = 0
    for number in range(scene.frames):
        seconds = number / FRAMES_PER_SECOND
        due = 1 + int((seconds - FIRST_SECONDS) / STEP_SECONDS + 1e-9) if seconds >= FIRST_SECONDS else 0
        while drawn < min(due, len(scene.tiles), MOST_TILES):
            _draw_tile(canvas, draw, scene, drawn, ImageFont.load_default(20))
            drawn += 1
        _draw_outline(draw, columns, seconds / (scene.frames / FRAMES_PER_SECOND))
        yield np.asarray(canvas)


def _outline(scene: Scene) -> np.ndarray:
    """(columns,) heights of the clip's outline, 0 to 1."""
    parts = np.array_split(np.abs(scene.sound()), WIDTH - 2 * LEFT)
    heights = np.array([part.max(initial=0.0) for part in parts])
    return heights / max(1e-6, float(heights.max()))


def _draw_outline(draw, heights: np.ndarray, share: float) -> None:
    """The clip, what has sounded in white."""
    middle, reach = 130, 55
    draw.rectangle([LEFT, middle - reach - 1, WIDTH - LEFT, middle + reach + 1], fill=DARK)
    for column, height in enumerate(heights.tolist()):
        colour = WHITE if column <= share * len(heights) else GREY
        half = max(1, int(reach * height))
        draw.line([LEFT + column, middle - half, LEFT + column, middle + half], fill=colour)


def _draw_tile(canvas, draw, scene: Scene, number: int, font) -> None:
    from PIL import Image

    x = LEFT + (number % ACROSS) * (TILE + GAP)
    y = TOP + (number // ACROSS) * (TILE + GAP + 6)
    colour = MATCHED if scene.mated[number] else MISMATCHED
    draw.rectangle([x - 6, y - 6, x + TILE + 5, y + TILE + 5], fill=colour)
    tile = scene.tiles[number]
    if tile is None:
        draw.rectangle([x, y, x + TILE - 1, y + TILE - 1], fill=GREY)
    else:
        canvas.paste(Image.fromarray(tile), (x, y))
    draw.rectangle([x, y, x + 106, y + 27], fill=colour)
    _draw_sign(draw, x + 6, y + 5, bool(scene.mated[number]))
    draw.text((x + 32, y + 2), f"{scene.scores[number]:z.2f}", font=font, fill=(255, 255, 255))


def _draw_sign(draw, x: int, y: int, mated: bool) -> None:
    """A tick or a cross, told apart without colours."""
    white = (255, 255, 255)
    if mated:
        draw.line([x, y + 9, x + 6, y + 16, x + 18, y], fill=white, width=4)
    else:
        draw.line([x, y, x + 16, y + 16], fill=white, width=4)
        draw.line([x, y + 16, x + 16, y], fill=white, width=4)
