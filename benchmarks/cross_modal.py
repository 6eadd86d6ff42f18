"""Rows like those of a trained voice-face space, block by block, so that ten million need no memory.

A person is a point: the centre of one of 200 groups and an offset of its own, both with standard deviations that fall
as one by the square root of the dimension, as those of trained spaces do. A face adds a little noise and the shift of
its modality, a voice twice the noise and another shift: voices do not follow the distribution of faces. All is rotated
so that no axis is special, and brought to length one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from vfsearch.data.embeddings import Embeddings
from vfsearch.data.row_source import RowSource
from vfsearch.data.shard import Shard
from vfsearch.data.space import Space
from vfsearch.store.store import Store, open_store
from vfsearch.store.writer import writing

GROUPS = 200
OF_GROUPS, OF_PEOPLE, OF_FACES, OF_VOICES, OF_MODALITIES = 0.7, 0.8, 0.6, 1.2, 0.4
PEOPLE_OF_BLOCK = 5000
_COMMON, _PEOPLE, _FACES, _VOICES = range(4)


@dataclass(frozen=True, kw_only=True)
class CrossModal:
    """Faces to be searched, and voices to search with.

    Args:
        rows: faces; a multiple of `faces_of_person`.
        dimension: of the space.
        faces_of_person: each person has as many.
        seed: of everything.
    """

    rows: int
    dimension: int = 128
    faces_of_person: int = 10
    seed: int = 1
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        if self.rows < self.faces_of_person or self.rows % self.faces_of_person:
            raise SystemExit(f"{self.rows} rows: wanted a multiple of {self.faces_of_person}")
        name = f"cross-modal {self.dimension} {self.seed}"
        mark = name.encode().hex().ljust(64, "0")[:64]
        object.__setattr__(self, "space", Space(name="cross-modal", fingerprint=mark, dimension=self.dimension))

    @property
    def people(self) -> int:
        """How many people there are."""
        return self.rows // self.faces_of_person

    @property
    def sizes(self) -> tuple[int, ...]:
        """Faces in each block."""
        starts = range(0, self.people, PEOPLE_OF_BLOCK)
        return tuple(min(PEOPLE_OF_BLOCK, self.people - start) * self.faces_of_person for start in starts)

    @cached_property
    def _spread(self) -> np.ndarray:
        spread = (1.0 + np.arange(self.dimension)) ** -0.5
        return (spread / np.sqrt((spread**2).sum())).astype(np.float32)

    @cached_property
    def _common(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rotation, centres of the groups, shifts of the two modalities."""
        random = self._random(_COMMON)
        rotation = np.linalg.qr(random.standard_normal((self.dimension, self.dimension)))[0].astype(np.float32)
        centres = self._drawn(random, GROUPS, OF_GROUPS)
        return rotation, centres, self._drawn(random, 2, OF_MODALITIES)

    def _random(self, *what: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, *what])

    def _drawn(self, random: np.random.Generator, count: int, size: float) -> np.ndarray:
        return random.standard_normal((count, self.dimension), np.float32) * (self._spread * np.float32(size))

    def _people_of(self, block: int) -> np.ndarray:
        """(p, d) the points of the people of a block."""
        count = self.sizes[block] // self.faces_of_person
        random = self._random(_PEOPLE, block)
        groups = random.integers(0, GROUPS, count)
        return self._common[1][groups] + self._drawn(random, count, OF_PEOPLE)

    def _rows(self, points: np.ndarray, random: np.random.Generator, noise: float, modality: int) -> np.ndarray:
        rotation, _, shifts = self._common
        rows = (points + self._drawn(random, len(points), noise) + shifts[modality]) @ rotation
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def faces(self, block: int) -> Embeddings:
        """The faces of a block of people."""
        points = np.repeat(self._people_of(block), self.faces_of_person, axis=0)
        people = np.repeat(np.arange(len(points) // self.faces_of_person), self.faces_of_person)
        return self._named(
            "face", self._rows(points, self._random(_FACES, block), OF_FACES, 0), people + block * PEOPLE_OF_BLOCK,
            range(block * PEOPLE_OF_BLOCK * self.faces_of_person, self.rows), "test",
        )  # fmt: skip

    def voices(self, count: int, part: int, split: str = "val") -> Embeddings:
        """Voices of people drawn at random.

        Args:
            count: how many.
            part: another number, other voices.
            split: what their column says.
        """
        random = self._random(_VOICES, part)
        people = np.sort(random.integers(0, self.people, count))
        points = np.empty((count, self.dimension), np.float32)
        for block in range(len(self.sizes)):
            here = slice(*np.searchsorted(people, [block * PEOPLE_OF_BLOCK, (block + 1) * PEOPLE_OF_BLOCK]))
            if here.start < here.stop:
                points[here] = self._people_of(block)[people[here] - block * PEOPLE_OF_BLOCK]
        order = random.permutation(count)
        rows = self._rows(points, random, OF_VOICES, 1)[order]
        return self._named("voice", rows, people[order], range(part * 10**6, (part + 1) * 10**6), split)

    def _named(self, modality: str, rows: np.ndarray, people: np.ndarray, numbers: range, split: str) -> Embeddings:
        return Embeddings(
            ids=[f"{modality}/{number:08}" for number in numbers[: len(rows)]],
            identities=[f"person{person:07}" for person in people],
            vectors=np.ascontiguousarray(rows, np.float32),
            modality=modality,
            space=self.space,
            columns={"split": [split] * len(rows)},
        )

    def source(self) -> RowSource:
        """The faces as an index takes them; each block is made when it is asked for."""
        return RowSource(
            modality="face", space=self.space, origin=self.space.fingerprint, sizes=self.sizes, read=self.faces
        )


def write_store(folder: Path, problem: CrossModal, voices: int) -> Store:
    """The faces, and voices of the splits val and test, in a store; what is there already is kept.

    Args:
        folder: of the store.
        problem: what is in it.
        voices: of each split.
    """
    parts = dict(_shards(problem, voices))
    about = {"parts": list(parts), "spaces": {name: problem.space.to_json() for name in ("voice", "face")},
             "rows": problem.rows}  # fmt: skip
    with writing(folder, about, "float32") as writer:
        for name, make in parts.items():
            if not writer.holds(name):
                writer.add(name, make())
        if not writer.complete:
            writer.finish(list(parts))
    return open_store(folder)


def _shards(problem: CrossModal, voices: int) -> Iterator[tuple[str, object]]:
    for block in range(len(problem.sizes)):
        yield f"face-{block:05}-{block:08x}.h5", lambda block=block: _shard(problem.faces(block), "test")
    for part, split in enumerate(("val", "test")):
        name = f"voice-{part:05}-{part:08x}.h5"
        yield name, lambda part=part, split=split: _shard(problem.voices(voices, part, split), split)


def _shard(rows: Embeddings, split: str) -> Shard:
    return Shard(embeddings=rows, failures=(), split=split)
