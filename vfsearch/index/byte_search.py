"""Looking for texts and for rows of numbers in the bytes of files, wherever they begin."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

CHUNK_BYTES = 2**24
LEAST_TEXT_BYTES = 8
"""Shorter texts occur by chance among numbers: once in 256 MiB for four bytes."""
WINDOW_BYTES = 16
_CLOSE = {"float32": (2e-4, 1e-8), "float16": (2e-3, 1e-7)}
"""How far numbers may be from those looked for, relative and absolute: copies of a row that were scaled to length one
again, which an index's tolerance of lengths allows for, are found too."""
_KEY_BITS = {"float32": 21, "float16": 16}
_WORDS = {"float32": "<u4", "float16": "<u2"}


class Numbers:
    """Pieces of rows to be looked for, as numbers of one type.

    Args:
        kind: "float32" or "float16".
        pieces: (p, 16 bytes of numbers) what to look for.
        owners: (p,) whose each piece is.
    """

    def __init__(self, kind: str, pieces: np.ndarray, owners: np.ndarray) -> None:
        self.kind, self.pieces, self.owners = kind, pieces, owners
        self._tables = [_table(column, kind) for column in pieces.T]

    @classmethod
    def of(cls, vectors: np.ndarray, kind: str) -> "Numbers":
        """The first, the middle and the last 16 bytes of each row, less those that say too little.

        Args:
            vectors: (m, d) float32.
            kind: "float32" or "float16".
        """
        width = WINDOW_BYTES // np.dtype(kind).itemsize
        numbers = vectors.astype(kind)
        last = max(0, numbers.shape[1] - width)
        starts = sorted({0, last // 2, last})
        pieces = np.concatenate([numbers[:, start : start + width] for start in starts])
        owners = np.tile(np.arange(len(vectors)), len(starts))
        telling = np.array([_is_telling(piece, width) for piece in pieces], dtype=bool)
        return cls(kind, pieces[telling], owners[telling])

    def found_in(self, data: np.ndarray) -> set[int]:
        """Whose pieces some bytes have.

        Args:
            data: (n,) uint8.
        """
        found: set[int] = set()
        if len(self.pieces):
            for phase in range(np.dtype(self.kind).itemsize):
                found.update(self._found_at(data[phase:]))
        return found

    def _found_at(self, data: np.ndarray) -> list[int]:
        """Whose pieces there are among numbers that lie side by side from the first byte on."""
        words, width = _words(data, _WORDS[self.kind]), len(self._tables)
        if len(words) < width:
            return []
        keys = words >> np.uint32(8 * words.itemsize - _KEY_BITS[self.kind])
        places = np.flatnonzero(self._tables[0][keys[: len(words) - width + 1]])
        for step in range(1, width):
            places = places[self._tables[step][keys[places + step]]]
        if not len(places):
            return []
        numbers = words.view(self.kind)[places[:, None] + np.arange(width)].astype(np.float64)
        return [owner for owner, piece in zip(self.owners.tolist(), self.pieces, strict=True)
                if _close(numbers, piece, self.kind).all(axis=1).any()]  # fmt: skip


def _is_telling(piece: np.ndarray, width: int) -> bool:
    """Whether numbers are various enough to be recognised: zeros and round numbers are everywhere."""
    return len(piece) == width and len(np.unique(np.abs(piece[np.abs(piece) > 1e-6]))) >= min(3, width)


def _bounds(numbers: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    share, least = _CLOSE[kind]
    off = np.abs(numbers.astype(np.float64)) * share + least
    return numbers - off, numbers + off


def _close(found: np.ndarray, piece: np.ndarray, kind: str) -> np.ndarray:
    low, high = _bounds(piece, kind)
    return (found >= low) & (found <= high)


def _table(numbers: np.ndarray, kind: str) -> np.ndarray:
    """Which first bits a number has that is close to one of some."""
    bits = _KEY_BITS[kind]
    table = np.zeros(2**bits, dtype=bool)
    for low, high in zip(*_bounds(numbers, kind), strict=True):
        for sign, start, stop in ((0, low, high), (1, -high, -low)):
            if stop >= 0:
                first, last = (_key(max(0.0, value), kind) for value in (start, stop))
                table[first + sign * 2 ** (bits - 1) : last + sign * 2 ** (bits - 1) + 1] = True
    return table


def _key(value: float, kind: str) -> int:
    word = np.array([value]).astype(kind).view(_WORDS[kind])[0]
    return int(word) >> (8 * np.dtype(kind).itemsize - _KEY_BITS[kind])


class LongTexts:
    """Texts to be looked for among any bytes.

    Args:
        texts: UTF-8 of each, of 8 bytes at least.
    """

    def __init__(self, texts: Sequence[bytes]) -> None:
        self.texts = list(texts)
        self._heads = np.array([text[:LEAST_TEXT_BYTES] for text in self.texts], f"S{LEAST_TEXT_BYTES}").view("<u8")
        self._table = np.zeros(2**16, dtype=bool)
        self._table[(self._heads & np.uint64(2**16 - 1)).astype(np.int64)] = True

    def found_in(self, data: np.ndarray) -> set[int]:
        """The numbers of the texts that are there.

        Args:
            data: (n,) uint8.
        """
        found: set[int] = set()
        for place in self._heads_in(data).tolist():
            found.update(
                number for number, text in enumerate(self.texts) if data[place : place + len(text)].tobytes() == text
            )
        return found

    def _heads_in(self, data: np.ndarray) -> np.ndarray:
        """Where the first 8 bytes of one of the texts are."""
        if not self.texts:
            return np.empty(0, np.int64)
        pairs = [2 * np.flatnonzero(self._table[_words(data[phase:], "<u2")]) + phase for phase in (0, 1)]
        places = np.concatenate(pairs)
        places = places[places <= len(data) - LEAST_TEXT_BYTES]
        heads = data[places[:, None] + np.arange(LEAST_TEXT_BYTES)].view("<u8")[:, 0]
        return places[np.isin(heads, self._heads)]


def _words(data: np.ndarray, kind: str) -> np.ndarray:
    """Bytes as numbers that lie side by side from the first byte on."""
    # A copy, so that the numbers are aligned.
    return data[: len(data) // np.dtype(kind).itemsize * np.dtype(kind).itemsize].copy().view(kind)


def chunks(path: Path, overlap: int, read: Callable[[int], object] = lambda size: None) -> Iterator[bytes]:
    """The bytes of a file in pieces, each with the end of the one before, so that nothing falls between two.

    Args:
        path: of the file.
        overlap: bytes of what may be looked for, at most.
        read: told the bytes of each piece.
    """
    before = b""
    with path.open("rb", buffering=0) as file:
        while piece := file.read(CHUNK_BYTES):
            read(len(piece))
            before = before[len(before) - min(len(before), overlap) :] + piece
            yield before
