"""Sources of samples for tests of training on media: some that do what a test says, and two that read real files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vfsearch.media.limits import Limits
from vfsearch.media.preparation import Failure, Preparation, Prepared, Task, attempt


class Workers:
    """Answers with the row number that the path is, or with a failure; writes down what it was asked."""

    def __init__(self, bad: Iterable[int] = ()):
        self.bad, self.asked = set(bad), []

    def prepare(self, tasks):
        for task in tasks:
            row = int(str(task.path))
            self.asked.append(row)
            if row in self.bad:
                yield Failure(stage="decode", reason=f"broken {row}")
            else:
                yield Prepared(sample=np.array([row], np.float32))


class InProcess:
    """A preparation in this process; counts the files."""

    def __init__(self, preparation: Preparation):
        self.preparation, self.asked = preparation, []

    def prepare(self, tasks):
        for task in tasks:
            self.asked.append(task.path)
            yield attempt(self.preparation, task, Limits())


def tasks(rows: int) -> list[Task]:
    return [Task(path=Path(str(row))) for row in range(rows)]


class Inputs:
    """Input that shows what it was made of: [sample, what its own generator gives, what the batch's gives]."""

    def training(self, samples, length_random, randoms):
        common = length_random.integers(10_000)
        rows = [[sample[0], random.integers(10_000), common] for sample, random in zip(samples, randoms, strict=True)]
        return torch.tensor(rows, dtype=torch.float32).reshape(-1, 3)

    def evaluation(self, samples):
        return torch.tensor(np.stack(samples))


@dataclass(frozen=True)
class SmallPhoto(Preparation):
    """Photo -> (h, w, 3) uint8 BGR, its shorter side `pixels` long."""

    pixels: int = 16

    def __call__(self, path, start_seconds, end_seconds, limits):
        from PIL import Image

        from vfsearch.media.photo import read_photo

        photo = Image.fromarray(read_photo(path, limits))
        scale = self.pixels / min(photo.size)
        photo = photo.resize([max(self.pixels, round(side * scale)) for side in photo.size])
        return Prepared(sample=np.ascontiguousarray(np.asarray(photo)[:, :, ::-1]))


@dataclass(frozen=True)
class ShortClip(Preparation):
    """Clip -> (m,) float32, 16 kHz, int16 range, its first second."""

    def __call__(self, path, start_seconds, end_seconds, limits):
        from vfsearch.media.audio import read_audio

        return Prepared(sample=read_audio(path, 16_000, start_seconds, end_seconds, limits)[:16_000] * 32_768.0)
