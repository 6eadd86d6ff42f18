"""The pickled lists of vfal-eva and sl_icmr2022, read without unpickling.

A file is a dict with one list: `list` of [wav, jpg, label]; `match_list` of (name, wav, jpg, name, wav, jpg), the first
three the probe's, or of [[wavs], [jpgs]], the same people in both, the first the probe's; `retrieval_lists`, galleries
of (wav, jpg, name) each. A bare list is fine, too. Pickles cannot be streamed: the whole list is in memory.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vfsearch.data.trial_list import MATCHING, RETRIEVAL, VERIFICATION, Names, RetrievalSides, TrialBlock, TrialList
from vfsearch.errors import InputError, TrialListError
from vfsearch.restricted_pickle import read_pickle
from vfsearch.trials.formats.base import Format, Head

_KEYS = {"list": VERIFICATION, "match_list": MATCHING, "retrieval_lists": RETRIEVAL}
_OTHER = "other_probe"
_PROTOCOLS = (2, 3, 4, 5)
_WRITTEN_PROTOCOL = 4
_LARGEST_ARRAY = 10_000_000


class VfalEva(Format):
    """Pickled lists of verification, 1:N matching and retrieval; voices are the probes."""

    name = "vfal-eva"
    summary = "a pickle: [wav, jpg, label]; (name, wav, jpg, name, wav, jpg); [[wavs], [jpgs]]; or (wav, jpg, name)"
    kinds = (VERIFICATION, MATCHING, RETRIEVAL)
    source = "github.com/my-yy/vfal-eva: scripts/1_verification.py, 2_matching.py, 3_retrieval.py"
    suffix = ".pkl"
    faces_are_probes = False

    def recognise(self, head: Head) -> int:
        """Any pickle since protocol 2: no other list is one."""
        return 2 if len(head.data) > 2 and head.data[0] == 0x80 and head.data[1] in _PROTOCOLS else 0

    def read(self, path: Path) -> TrialList:
        """The list in a file; a retrieval file must have one gallery, see `galleries`."""
        kind, rows = _content(path)
        if kind == RETRIEVAL:
            found = list(self._galleries(path, rows))
            if len(found) > 1:
                raise TrialListError(
                    f"{path} has {len(found)} galleries, each to be searched on its own; `VfalEva().galleries(path)` "
                    "gives them one by one"
                )
            return found[0]
        return self._pairs(path, rows) if kind == VERIFICATION else self._matching(path, rows)

    def galleries(self, path: Path) -> list[TrialList]:
        """The retrieval lists in a file, one for each gallery.

        Raises:
            TrialListError: it is no retrieval file.
        """
        kind, rows = _content(path)
        if kind != RETRIEVAL:
            raise TrialListError(f"{path} is a list of {kind}, wanted one of retrieval")
        return list(self._galleries(path, rows))

    def _turned(self, voice: Sequence[str], face: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        """The probe's side, then the other."""
        return (face, voice) if self.faces_are_probes else (voice, face)

    def _list(self, path: Path, kind: str, names: Names, blocks: Sequence[TrialBlock], **more: object) -> TrialList:
        return TrialList(
            kind=kind, format=self.name, where=str(path), names=names, blocks=lambda: iter(blocks), **more
        )  # fmt: skip

    def _pairs(self, path: Path, rows: Sequence) -> TrialList:
        for number, row in enumerate(rows, start=1):
            if not _is_row(row, 3) or not _are_names(row[:2]) or _label(row[2]) is None:
                raise _bad(path, number, "[wav, jpg, 1 or 0]")
        probes, items = self._turned([row[0] for row in rows], [row[1] for row in rows])
        names = Names()
        block = _block(names, probes, [items], [_label(row[2]) for row in rows])
        return self._list(path, VERIFICATION, names, [block])

    def _matching(self, path: Path, rows: Sequence) -> TrialList:
        if not rows:
            raise TrialListError(f"{path} holds no trial")
        identities: dict[str, str] = {}
        people = [_people(path, number, row, identities) for number, row in enumerate(rows, start=1)]
        count = len(people[0][0])
        for number, (voices, _) in enumerate(people, start=1):
            if len(voices) != count:
                raise _bad(path, number, f"{count} voices and faces, as in the first")
        mine, theirs = self._turned(*(list(zip(*(pair[side] for pair in people), strict=True)) for side in (0, 1)))
        names = Names()
        extra = {f"{_OTHER}_{column}": list(mine[column]) for column in range(1, count)}
        block = _block(names, mine[0], theirs, [1] * len(rows), extra)
        tell = identities.get if identities else None
        return self._list(path, MATCHING, names, [block], candidates=count, identities=tell)

    def _galleries(self, path: Path, groups: Sequence) -> Iterator[TrialList]:
        for group in groups:
            if not isinstance(group, list | tuple):
                raise TrialListError(f"{path}: wanted lists of (wav, jpg, name), got a {type(group).__name__}")
            identities: dict[str, str] = {}
            for number, row in enumerate(group, start=1):
                if not _is_row(row, 3) or not _are_names(row):
                    raise _bad(path, number, "(wav, jpg, name)")
                _learn(path, number, identities, row[:2], row[2])
            yield self._gallery(path, group, identities)

    def _gallery(self, path: Path, rows: Sequence, identities: dict[str, str]) -> TrialList:
        names = Names()
        probes, gallery = self._turned([row[0] for row in rows], [row[1] for row in rows])
        sides = RetrievalSides(probes=names.numbers(probes), gallery=names.numbers(gallery))
        return self._list(
            path, RETRIEVAL, names, [], sides=lambda: sides, labelled=False, identities=identities.get
        )  # fmt: skip

    def write(self, trials: TrialList) -> Iterator[bytes]:
        """The pickle, in one piece: a dict with the list and the sets of all clips and photos in it.

        1:N matching needs the others' items on the probe's side, too, which only lists of this format have; retrieval
        needs both sides aligned, item by item of the same people.
        """
        self.require_holds(trials)
        made = {VERIFICATION: self._pair_rows, MATCHING: self._match_rows, RETRIEVAL: self._retrieval_rows}
        yield pickle.dumps(made[trials.kind](trials).content(), protocol=_WRITTEN_PROTOCOL)

    def _pair_rows(self, trials: TrialList) -> "_Rows":
        texts, rows = trials.names.texts, []
        for block in trials.blocks():
            texts = trials.names.texts
            triples = zip(block.probes.tolist(), block.items[:, 0].tolist(), block.mated.tolist(), strict=True)
            for place, (probe, item, label) in enumerate(triples):
                if label not in (0, 1):
                    where = f"{trials.where}, line {block.lines[place]},"
                    raise self.cannot_write(where, "its rows need a label, and this trial has none")
                voice, face = self._turned(texts[probe], texts[item])
                rows.append([voice, face, label])
        return _Rows(key="list", rows=rows, voices={row[0] for row in rows}, faces={row[1] for row in rows})

    def _match_rows(self, trials: TrialList) -> "_Rows":
        rows, columns = [], range(1, trials.candidates or 0)
        for block in trials.blocks():
            texts = trials.names.texts
            if any(f"{_OTHER}_{column}" not in block.extra for column in columns):
                raise self.cannot_write(
                    trials.where, "its trials name an item of each person on both sides, and this list on one alone"
                )
            mine = [
                [texts[number] for number in block.probes],
                *(block.extra[f"{_OTHER}_{column}"] for column in columns),
            ]
            theirs = [[texts[number] for number in column] for column in block.items.T]
            voices, faces = self._turned(mine, theirs)
            rows += zip(zip(*voices, strict=True), zip(*faces, strict=True), strict=True)
        return _Rows(
            key="match_list",
            rows=[_match_row(voices, faces, trials.identities) for voices, faces in rows],
            voices={name for voices, _ in rows for name in voices},
            faces={name for _, faces in rows for name in faces},
        )

    def _retrieval_rows(self, trials: TrialList) -> "_Rows":
        sides, texts = trials.sides(), trials.names.texts
        tell = trials.identities or (lambda name: None)
        voices, faces = self._turned(*([texts[number] for number in side] for side in (sides.probes, sides.gallery)))
        names = [tell(voice) for voice in voices]
        if len(voices) != len(faces) or None in names or names != [tell(face) for face in faces]:
            problem = "its rows hold a clip and a photo of one person, and the two sides of this list are no such pairs"
            raise self.cannot_write(trials.where, problem)
        group = list(zip(voices, faces, names, strict=True))
        return _Rows(key="retrieval_lists", rows=[group], voices=set(voices), faces=set(faces))


class VfalEvaF2V(VfalEva):
    """The same files; faces are the probes."""

    name = "vfal-eva-f2v"
    summary = "as vfal-eva, with faces as probes"
    faces_are_probes = True

    def recognise(self, head: Head) -> int:
        """Only where nothing else is: the file does not tell which side is the probe's."""
        return min(1, super().recognise(head))


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """What is written."""

    key: str
    rows: list
    voices: set[str]
    faces: set[str]

    def content(self) -> dict:
        """As the authors' programs want it; sorted, so that the same list gives the same bytes."""
        return {"wav_set": sorted(self.voices), "jpg_set": sorted(self.faces), self.key: self.rows}


def _match_row(voices: Sequence[str], faces: Sequence[str], tell: Callable[[str], str | None] | None) -> Sequence:
    people = [tell(voice) for voice in voices] if tell else []
    if len(people) != 2 or None in people:
        return [list(voices), list(faces)]
    return (people[0], voices[0], faces[0], people[1], voices[1], faces[1])


def _content(path: Path) -> tuple[str, Sequence]:
    """The kind of list, and the list."""
    try:
        value = read_pickle(path)
    except InputError as error:
        raise TrialListError(str(error)) from error
    if isinstance(value, dict):
        keys = [key for key in _KEYS if key in value]
        if len(keys) != 1:
            raise TrialListError(f"{path}: wanted a dict with one of {', '.join(_KEYS)}, got {len(keys)} of them")
        return _KEYS[keys[0]], _as_list(path, value[keys[0]])
    rows = _as_list(path, value)
    return _kind_of(path, rows), rows


def _as_list(path: Path, value: object) -> Sequence:
    value = _unpacked(value)
    if not isinstance(value, list | tuple):
        raise TrialListError(f"{path}: wanted a list of trials, got a {type(value).__name__}")
    if not value:
        raise TrialListError(f"{path} holds no trial")
    return [_unpacked(row) for row in value]


def _unpacked(value: object) -> object:
    """The lists in an array of texts; other values as they are."""
    texts = isinstance(value, np.ndarray) and value.dtype.kind == "U" and 0 < value.size <= _LARGEST_ARRAY
    return value.tolist() if texts else value


def _label(value: object) -> int | None:
    """1, 0, or None for what is no label; arrays of rows hold texts alone."""
    if isinstance(value, str):
        return {"1": 1, "0": 0}.get(value)
    return int(value) if isinstance(value, int | float) and value in (0, 1) else None


def _kind_of(path: Path, rows: Sequence) -> str:
    first = rows[0]
    if not isinstance(first, list | tuple) or not first:
        raise _bad(path, 1, "a trial")
    if len(first) == 3 and _are_names(first[:2]):
        return VERIFICATION
    # Rows of a gallery are tuples, those of 1:3 matching are two lists.
    two_lists = len(first) == 2 and isinstance(first[0], list)
    return RETRIEVAL if _is_row(first[0], 3) and not two_lists else MATCHING


def _is_row(row: object, count: int) -> bool:
    return isinstance(row, list | tuple) and len(row) == count


def _are_names(values: object) -> bool:
    return isinstance(values, list | tuple) and all(isinstance(value, str) and value for value in values)


def _bad(path: Path, number: int, wanted: str) -> TrialListError:
    return TrialListError(f"{path}, trial {number}: wanted {wanted}")


def _people(path: Path, number: int, row: object, identities: dict[str, str]) -> tuple[Sequence[str], Sequence[str]]:
    """The clips of a 1:N trial and the photos, both in the order of the people."""
    if _is_row(row, 6) and _are_names(row):
        for place in (0, 3):
            _learn(path, number, identities, row[place + 1 : place + 3], row[place])
        return (row[1], row[4]), (row[2], row[5])
    if _is_row(row, 2) and all(map(_are_names, row)) and len(row[0]) == len(row[1]) >= 2:
        return row[0], row[1]
    raise _bad(path, number, "(name, wav, jpg, name, wav, jpg), or [[wavs], [jpgs]] of as many people, at least two")


def _learn(path: Path, number: int, identities: dict[str, str], items: Sequence[str], identity: str) -> None:
    for item in items:
        if identities.setdefault(item, identity) != identity:
            raise _bad(path, number, f"the identity {identities[item]!r} for {item!r}, as in a trial before")


def _block(
    names: Names, probes: Sequence[str], items: Sequence[Sequence[str]], mated: list[int], extra: dict | None = None
) -> TrialBlock:
    return TrialBlock(
        probes=names.numbers(probes),
        items=np.stack([names.numbers(column) for column in items], axis=1),
        mated=np.array(mated, dtype=np.int64),
        lines=np.arange(1, len(probes) + 1),
        extra=extra or {},
    )
