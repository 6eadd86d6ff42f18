"""Many texts in little memory, or in none: a file that is mapped holds them."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

_AT_ONCE = 65_536
"""Texts that are copied at a time."""


class Texts(Sequence[str]):
    """A list of texts kept as their bytes one after another.

    Args:
        ends: (n,) int64, where each text ends in `data`.
        data: uint8, the UTF-8 of all texts.

    Example:
        >>> names = Texts.of(["ann", "béa"])
        >>> names[1], len(names), list(names)
        ('béa', 2, ['ann', 'béa'])
    """

    def __init__(self, ends: np.ndarray, data: np.ndarray) -> None:
        self.ends = ends
        self.data = data

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        """Keep texts; file names that are no UTF-8 keep their bytes."""
        if isinstance(texts, cls):
            return texts
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        ends = np.cumsum([len(each) for each in encoded], dtype=np.int64)
        return cls(ends, np.frombuffer(b"".join(encoded), np.uint8))

    @classmethod
    def joined(cls, parts: Sequence["Texts"]) -> "Texts":
        """The texts of several, one after another."""
        if not parts:
            return cls.of(())
        starts = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
        ends = np.concatenate([part.ends + start for part, start in zip(parts, starts, strict=True)])
        return cls(ends, np.concatenate([part.data for part in parts]))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, place):
        """One text, or a list of those of a slice."""
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        start = int(self.ends[place - 1]) if place else 0
        return self.data[start : int(self.ends[place])].tobytes().decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        start, whole = 0, memoryview(np.ascontiguousarray(self.data))
        for end in self.ends.tolist():
            yield bytes(whole[start:end]).decode("utf-8", "surrogatepass")
            start = end

    def __eq__(self, other: object) -> bool:
        """Equal to any sequence of the same texts."""
        if isinstance(other, Texts):
            return np.array_equal(self.ends, other.ends) and np.array_equal(self.data, other.data)
        if isinstance(other, (list, tuple)):
            return len(self) == len(other) and all(mine == yours for mine, yours in zip(self, other, strict=True))
        return NotImplemented

    __hash__ = None

    def take(self, rows: np.ndarray) -> "Texts":
        """The chosen texts, in the order given.

        Args:
            rows: (m,) row numbers.
        """
        rows = np.asarray(rows, np.int64)
        starts = np.where(rows > 0, self.ends[rows - 1], 0)
        lengths = self.ends[rows] - starts
        ends = np.cumsum(lengths)
        data = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
        # In pieces: the places of bytes take sixteen times the memory of the bytes.
        for part in (slice(first, first + _AT_ONCE) for first in range(0, len(rows), _AT_ONCE)):
            begin, stop = int(ends[part.start] - lengths[part.start]), int(ends[part][-1])
            shifts = np.repeat(starts[part] - ends[part] + lengths[part], lengths[part])
            data[begin:stop] = self.data[np.arange(begin, stop) + shifts]
        return Texts(ends, data)

    def __repr__(self) -> str:
        return f"Texts.of({list(self[:3])!r}{'...' if len(self) > 3 else ''})"
