"""Whether anything of a row is left in the folder of an index: its id, its identity, its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vfsearch.data.neighbors import NO_ROW
from vfsearch.data.text_places import places_of
from vfsearch.index.base import Opened
from vfsearch.index.byte_search import CHUNK_BYTES, LEAST_TEXT_BYTES, WINDOW_BYTES, LongTexts, Numbers, chunks
from vfsearch.index.layout import ITEMS, VECTORS
from vfsearch.index.vector_file import VectorFile
from vfsearch.progress import Progress

SAME = 1 - 1e-6
"""Inner product of unit rows from which on they are taken for one."""
_NUMBERS = ("float32", "float16")


@dataclass(frozen=True, kw_only=True, eq=False)
class Gone:
    """What must not be left of one person, or of one row.

    Args:
        what: "the identity 'p3'", for people.
        texts: of which no entry of an index may consist: the identity, the ids, the paths.
        ids: of the rows whose numbers are known.
        vectors: (m, d) float32 their numbers.
        unknown: why nothing is known of the rows, only the name of the person; "" where it is.
    """

    what: str
    texts: tuple[str, ...]
    ids: tuple[str, ...] = ()
    vectors: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    unknown: str = ""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What a search for somebody found.

    Args:
        faults: what is left.
        proved: what is not there.
        unproved: what could not be looked for, and why.
    """

    faults: tuple[str, ...]
    proved: tuple[str, ...]
    unproved: tuple[str, ...]


def look_for(gone: Gone, index: Opened, progress: Progress) -> Looked:
    """Look for what is left of somebody in every byte of every file.

    Args:
        gone: who.
        index: opened, its files checked.
        progress: called with bytes read.
    """
    faults = _entries_left(gone, index)
    equal = _other_rows(_equal_rows(gone.vectors, index), gone, index)
    alone = np.flatnonzero(equal == NO_ROW)
    search = _Search(gone, alone)
    for path in sorted(path for path in index.folder.rglob("*") if path.is_file()):
        # Texts stand one after another in that file, without a sign between; its entries were compared one by one.
        faults += search.left_in(path, path != index.paths[ITEMS], progress)
    plain = sorted(set(alone.tolist()) - search.telling)
    return Looked(
        faults=tuple(faults),
        proved=() if faults else tuple(_proved(gone, len(search.telling))),
        unproved=tuple(_unproved(gone, index, equal, plain)),
    )


def _entries_left(gone: Gone, index: Opened) -> list[str]:
    """Entries of the index that consist of one of the texts."""
    gallery, texts = index.gallery, list(dict.fromkeys(gone.texts))
    columns = {"ids": gallery.ids, "identities": gallery.identities, **gallery.columns}
    found = []
    for name, entries in columns.items():
        places = places_of(entries, texts)
        rows = np.flatnonzero(places != NO_ROW)
        if len(rows):
            first = texts[int(places[rows[0]])]
            found.append(f"{index.paths[ITEMS]}: {len(rows)} rows have {first!r} or the like as {name} ({gone.what})")
    return found


def _equal_rows(vectors: np.ndarray, index: Opened) -> np.ndarray:
    """(m,) a listed row that is all but equal to each; -1 where there is none."""
    best, where = np.full(len(vectors), -np.inf), np.full(len(vectors), NO_ROW, np.int64)
    for start, rows in VectorFile(index.paths[VECTORS]).blocks() if len(vectors) else ():
        scores = vectors @ rows.T
        near = scores.argmax(axis=1)
        value = scores[np.arange(len(vectors)), near]
        where = np.where(value > best, start + near, where)
        best = np.maximum(value, best)
    return np.where(best >= SAME, where, NO_ROW)


def _other_rows(equal: np.ndarray, gone: Gone, index: Opened) -> np.ndarray:
    """Equal rows less those that are the very rows that must be gone."""
    own = [row != NO_ROW and index.gallery.ids[row] == id_ for row, id_ in zip(equal.tolist(), gone.ids, strict=True)]
    return np.where(np.array(own, dtype=bool), NO_ROW, equal)


class _Search:
    """Everything of somebody that can be recognised among bytes.

    Args:
        gone: who.
        rows: (r,) those of the rows that no listed row is equal to.
    """

    def __init__(self, gone: Gone, rows: np.ndarray) -> None:
        self._what, self._ids = gone.what, [gone.ids[row] for row in rows.tolist()]
        texts = [text.encode("utf-8", "surrogatepass") for text in dict.fromkeys(gone.texts)]
        self._texts = LongTexts([text for text in texts if len(text) >= LEAST_TEXT_BYTES])
        self._numbers = [Numbers.of(gone.vectors[rows], kind) for kind in _NUMBERS] if len(rows) else []
        self._overlap = max([WINDOW_BYTES, *map(len, self._texts.texts)])
        owners = [set(numbers.owners.tolist()) for numbers in self._numbers]
        self.telling = {int(rows[owner]) for owner in set.intersection(*owners)} if owners else set()

    def left_in(self, path: Path, with_texts: bool, progress: Progress) -> list[str]:
        """What is left in a file."""
        texts: set[int] = set()
        numbers: set[int] = set()
        done, size = 0, path.stat().st_size
        for piece in chunks(path, self._overlap):
            data = np.frombuffer(piece, np.uint8)
            texts.update(self._texts.found_in(data) if with_texts else ())
            for each in self._numbers:
                numbers.update(each.found_in(data))
            done = min(size, done + CHUNK_BYTES)
            progress(f"bytes of {path.name} searched", done, size)
        said = [f"{path} holds the text {self._texts.texts[number].decode('utf-8', 'replace')!r} ({self._what})"
                for number in sorted(texts)[:1]]  # fmt: skip
        if numbers:
            named = self._ids[min(numbers)]
            said.append(f"{path} holds numbers of {len(numbers)} removed rows, the first is {named!r} ({self._what})")
        return said


def _proved(gone: Gone, rows: int) -> list[str]:
    said = [f"no entry of the index is {gone.what}" + (f", nor one of its {len(gone.ids)} ids" if gone.ids else "")]
    if rows:
        said.append(
            f"{gone.what}: no {WINDOW_BYTES} bytes of {rows} rows are in any file, as float32 or float16, at any place"
        )
    return said


def _unproved(gone: Gone, index: Opened, equal: np.ndarray, plain: Sequence[int]) -> list[str]:
    said = [f"{gone.what}: {gone.unknown}"] if gone.unknown else []
    twins = np.flatnonzero(equal != NO_ROW)
    if len(twins):
        row, twin = int(twins[0]), int(equal[twins[0]])
        said.append(
            f"{gone.what}: {len(twins)} rows cannot be told from rows that stay, such as {gone.ids[row]!r} from "
            f"{index.gallery.ids[twin]!r} of {index.gallery.identities[twin]!r}"
        )
    if plain:
        said.append(f"{gone.what}: {len(plain)} rows have too few different numbers to be recognised")
    short = [text for text in dict.fromkeys(gone.texts) if len(text.encode("utf-8", "replace")) < LEAST_TEXT_BYTES]
    if short:
        said.append(
            f"{gone.what}: short texts such as {short[0]!r} ({len(short)} of less than {LEAST_TEXT_BYTES} bytes) were "
            "looked for among entries only: among numbers they occur by chance"
        )
    return said
