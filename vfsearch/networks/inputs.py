"""From prepared photos and clips to what a network takes, in evaluation and in training.

In training every item is augmented with a random generator of its own, so that what becomes of it does not depend on
how a batch is divided among processes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from vfsearch.errors import InputError, SettingsError

RATE_HZ = 16_000


@dataclass(frozen=True, kw_only=True)
class PhotoInputs:
    """Photos to (n, 3, pixels, pixels) float32 tensors with (p - 127.5) / 127.5 for each value.

    A photo is (h, w, 3) uint8, BGR, its shorter side `pixels` long.

    Args:
        pixels: height and width of what comes out.
        flip: half of the photos are mirrored in training.
        rotation_degrees: a photo is turned by at most this in training, to either side.
    """

    pixels: int
    flip: bool = True
    rotation_degrees: float = 15.0

    def __post_init__(self) -> None:
        if self.pixels < 1:
            raise SettingsError(f"pixels: got {self.pixels}, wanted 1 or more")
        if not 0.0 <= self.rotation_degrees <= 45.0:
            raise SettingsError(f"rotation_degrees: got {self.rotation_degrees}, wanted 0 to 45")

    def evaluation(self, samples: Sequence[np.ndarray]) -> torch.Tensor:
        """The middle square of each photo."""
        return self._tensor([self._cut(photo, *(side // 2 for side in self._room(photo))) for photo in samples])

    def training(
        self, samples: Sequence[np.ndarray], length_random: np.random.Generator, randoms: Sequence[np.random.Generator]
    ) -> torch.Tensor:
        """A square of each photo at a random place, mirrored and turned at random.

        Args:
            samples: n photos.
            length_random: not used; clips need it.
            randoms: n generators, one an item.
        """
        return self._tensor([self._augmented(*pair) for pair in zip(samples, randoms, strict=True)])

    def _room(self, photo: np.ndarray) -> tuple[int, int]:
        """How far a square can move down and to the right."""
        if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8 or min(photo.shape[:2]) != self.pixels:
            raise InputError(
                f"a photo of shape {photo.shape}, {photo.dtype}; wanted (h, w, 3) uint8 with a shorter side of "
                f"{self.pixels} pixels; prepare it with the same `pixels` as the network has"
            )
        return photo.shape[0] - self.pixels, photo.shape[1] - self.pixels

    def _cut(self, photo: np.ndarray, top: int, left: int) -> np.ndarray:
        return photo[top : top + self.pixels, left : left + self.pixels]

    def _augmented(self, photo: np.ndarray, random: np.random.Generator) -> np.ndarray:
        # everything is drawn whatever the settings, so that switching one off leaves the others as they were
        top, left = (int(random.integers(room + 1)) for room in self._room(photo))
        degrees = random.uniform(-1.0, 1.0) * self.rotation_degrees
        mirrored = random.random() < 0.5 and self.flip
        square = self._turned(photo, top, left, degrees)
        return square[:, ::-1] if mirrored else square

    def _turned(self, photo: np.ndarray, top: int, left: int, degrees: float) -> np.ndarray:
        """A square of the photo, the photo being turned about the square's middle first.

        What the turned square shows beyond the photo's edge is the photo reflected. Black corners, as they are usual,
        would tell the network the angle by something that no photo in evaluation has.
        """
        if not degrees:
            return self._cut(photo, top, left)
        angle = math.radians(abs(degrees))
        margin = 1 + math.ceil(self.pixels / 2 * (math.cos(angle) + math.sin(angle) - 1))
        padded = np.pad(photo, ((margin, margin), (margin, margin), (0, 0)), mode="symmetric")
        around = padded[top : top + self.pixels + 2 * margin, left : left + self.pixels + 2 * margin]
        turned = Image.fromarray(np.ascontiguousarray(around)).rotate(degrees, Image.Resampling.BILINEAR)
        return self._cut(np.asarray(turned), margin, margin)

    def _tensor(self, squares: list[np.ndarray]) -> torch.Tensor:
        stacked = np.stack(squares) if squares else np.empty((0, self.pixels, self.pixels, 3), np.uint8)
        # the channels stay innermost in memory, where convolutions want them
        return torch.from_numpy(stacked).permute(0, 3, 1, 2).float().sub_(127.5).div_(127.5)


@dataclass(frozen=True, kw_only=True)
class ClipInputs:
    """Clips to (n, m) float32 tensors, every clip repeated until it is long enough.

    A clip is (m,) float32, 16 kHz, int16 range.

    Args:
        seconds: length of what comes out in evaluation.
        shortest_seconds, longest_seconds: range of the length in training, where it is random and the same for all
            clips of a batch; never more than `seconds`.
    """

    seconds: float
    shortest_seconds: float = 2.5
    longest_seconds: float = 5.0

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise SettingsError(f"seconds: got {self.seconds}, wanted more than 0")
        if not 0 < self.shortest_seconds <= self.longest_seconds:
            raise SettingsError(
                f"shortest_seconds and longest_seconds: got {self.shortest_seconds} and {self.longest_seconds}, "
                "wanted both above 0, in this order"
            )

    def evaluation(self, samples: Sequence[np.ndarray]) -> torch.Tensor:
        """(n, seconds * 16000): each clip from its start."""
        return _stacked([_part(clip, 0, self._samples(self.seconds)) for clip in samples], self._samples(self.seconds))

    def training(
        self, samples: Sequence[np.ndarray], length_random: np.random.Generator, randoms: Sequence[np.random.Generator]
    ) -> torch.Tensor:
        """(n, m): a part of each clip, from a random start; m is random and the same for all.

        Args:
            samples: n clips.
            length_random: decides m, so the same for all processes that share a batch.
            randoms: n generators, one an item.
        """
        shortest, longest = (self._samples(seconds) for seconds in (self.shortest_seconds, self.longest_seconds))
        length = int(length_random.integers(shortest, longest + 1))
        parts = [
            _part(clip, _random_start(len(clip), length, random), length)
            for clip, random in zip(samples, randoms, strict=True)
        ]
        return _stacked(parts, length)

    def _samples(self, seconds: float) -> int:
        return round(min(seconds, self.seconds) * RATE_HZ)


def _random_start(have: int, wanted: int, random: np.random.Generator) -> int:
    # a clip that must be repeated can begin anywhere
    return int(random.integers(have - wanted + 1 if have >= wanted else max(have, 1)))


def _part(clip: np.ndarray, start: int, length: int) -> np.ndarray:
    if clip.ndim != 1 or not len(clip):
        raise InputError(f"a clip of shape {clip.shape}; wanted (m,) samples, one at least")
    if start + length <= len(clip):
        return clip[start : start + length]
    return np.resize(np.roll(clip, -start), length)


def _stacked(clips: list[np.ndarray], length: int) -> torch.Tensor:
    return torch.from_numpy(np.stack(clips) if clips else np.empty((0, length))).float()
