"""The scores that a file gives to pairs of names, read in order or looked up."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vfsearch.data.trial_list import TrialList
from vfsearch.errors import TrialListError
from vfsearch.protocol.parted_rows import PartedRows, TemporaryPlace

MOST_IN_MEMORY = 2**20
"""Scores; more of them are looked up through temporary files."""
_PARTS = 2**8
_SCORE = np.dtype([("key", "<i8"), ("score", "<f8")])
_QUESTION = np.dtype([("key", "<i8"), ("place", "<i8")])
_ANSWER = np.dtype([("place", "<i8"), ("score", "<f8")])
_NO_KEY = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Asked:
    """Pairs whose scores are wanted.

    Args:
        probes, items: (t,) int64 numbers of the names in the file of scores, -1 for those that it does not have.
    """

    probes: np.ndarray
    items: np.ndarray


class FlatScores:
    """The scored pairs of a list in its order, as many at a time as are wanted.

    Args:
        scores: a list with scores; those of a trial of 1:N matching are N pairs, one after the other.
    """

    def __init__(self, scores: TrialList) -> None:
        self._blocks = flat_scores(scores)
        self._waiting: tuple[np.ndarray, ...] = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))

    def take(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probes, items and scores of the next pairs; fewer where the list ends.

        Raises:
            TrialListError: it has no scores, or no trials.
        """
        while len(self._waiting[0]) < count and (more := next(self._blocks, None)) is not None:
            self._waiting = tuple(map(np.concatenate, zip(self._waiting, more, strict=True)))
        taken = tuple(column[:count] for column in self._waiting)
        self._waiting = tuple(column[count:] for column in self._waiting)
        return taken


def flat_scores(scores: TrialList) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Probes, items and scores of the pairs of a list, block by block.

    Raises:
        TrialListError: it has no scores, or no trials.
    """
    empty = True
    for block in scores.blocks():
        empty = False
        if block.scores is None:
            raise TrialListError(f"{scores.where} has no scores")
        yield np.repeat(block.probes, block.items.shape[1]), block.items.ravel(), block.scores.ravel()
    if empty:
        raise TrialListError(f"{scores.where} has no trials")


class PairScores:
    """The scores that a file gives to pairs of names, to be looked up.

    A pair may be there again if its score is the same, as published lists have pairs twice. Up to a million scores
    are kept in memory; more go to temporary files (see TMPDIR), parted by pair, of which one is in memory at a time.

    Args:
        scores: a list of scored pairs; it is read whole, when it is asked first.
        most: scores to keep in memory.
    """

    def __init__(self, scores: TrialList, most: int | None = None) -> None:
        self._list, self._most = scores, MOST_IN_MEMORY if most is None else most
        self._whole: np.ndarray | None = None
        self._place: TemporaryPlace | None = None
        self._parts: PartedRows | None = None
        self._made = 0

    def read(self) -> None:
        """Read the file, unless it was read before.

        Raises:
            TrialListError: it has no scores, no trials, or a pair has two scores.
            VfsearchError: the disk is full.
        """
        if self._whole is not None or self._parts is not None:
            return
        waiting, count = [], 0
        for probes, items, scores in flat_scores(self._list):
            waiting.append((probes, items, scores))
            count += len(scores)
            if count > self._most:
                self._to_disk(waiting)
        if self._parts is None:
            self._whole = _by_key(np.concatenate([_rows(*each) for each in waiting]))
            self._refuse_two_scores(self._whole)
            return
        self._to_disk(waiting)
        for part in range(_PARTS):
            self._refuse_two_scores(_by_key(self._parts.take(part)))

    def _to_disk(self, waiting: list[tuple[np.ndarray, ...]]) -> None:
        if self._parts is None:
            self._place = TemporaryPlace()
            self._parts = PartedRows(self._place.folder, "scores", _SCORE)
        for each in waiting:
            rows = _rows(*each)
            self._parts.add(rows, _part_of(rows["key"]))
        waiting.clear()

    def _refuse_two_scores(self, rows: np.ndarray) -> None:
        ours, theirs = rows["score"][1:], rows["score"][:-1]
        same = rows["key"][1:] == rows["key"][:-1]
        differ = same & (ours != theirs) & ~(np.isnan(ours) & np.isnan(theirs))
        if differ.any():
            place = int(differ.argmax())
            probe, item = (self._list.names.texts[number] for number in _names_of(int(rows["key"][place])))
            raise TrialListError(
                f"{self._list.where} gives {probe!r} and {item!r} the scores {theirs[place]} and {ours[place]}: one "
                "is wanted"
            )

    def of(self, asked: Callable[[], Iterator[Asked]]) -> Callable[[], Iterator[np.ndarray]]:
        """The scores of pairs, after `read`.

        Args:
            asked: gives the pairs, block by block.
        Returns:
            What gives the scores in the same blocks, NaN where there is none.
        """
        if self._whole is not None:
            return lambda: (_found(self._whole, _keys(each.probes, each.items)) for each in asked())
        self._made += 1
        return _Answers(self._parts, self._place, f"{self._made}", asked, self._most)


class _Answers:
    """The scores of pairs, found part by part, put back into the order of the pairs.

    Args:
        parts: of the scores.
        place: where files go.
        name: that they begin with.
        asked: gives the pairs, block by block.
        most: answers in memory at a time.
    """

    def __init__(
        self, parts: PartedRows, place: TemporaryPlace, name: str, asked: Callable[[], Iterator[Asked]], most: int
    ) -> None:
        self._place, self._most, self._sizes = place, max(most, 1), []
        questions = PartedRows(place.folder, f"{name}-questions", _QUESTION)
        count = 0
        for each in asked():
            rows = np.empty(len(each.probes), _QUESTION)
            rows["key"], rows["place"] = _keys(each.probes, each.items), np.arange(count, count + len(rows))
            # What is not known is nowhere: spread out, it fills no part.
            unknown = rows["key"] == _NO_KEY
            questions.add(rows, np.where(unknown, rows["place"] % _PARTS, _part_of(rows["key"])))
            self._sizes.append(len(rows))
            count += len(rows)
        self._answers = PartedRows(place.folder, f"{name}-answers", _ANSWER)
        for part in range(_PARTS):
            if part in questions:
                rows = questions.take(part)
                found = np.empty(len(rows), _ANSWER)
                found["place"] = rows["place"]
                found["score"] = _found(_by_key(parts.take(part)), rows["key"])
                self._answers.add(found, rows["place"] // self._most)
        questions.remove()

    def __call__(self) -> Iterator[np.ndarray]:
        waiting, first = np.zeros(0), 0
        for size in self._sizes:
            while len(waiting) < size:
                waiting = np.concatenate([waiting, self._ordered(first)])
                first += 1
            yield waiting[:size]
            waiting = waiting[size:]

    def _ordered(self, number: int) -> np.ndarray:
        """The scores of the pairs of a stretch of places."""
        rows = self._answers.take(number)
        scores = np.empty(len(rows))
        scores[rows["place"] - number * self._most] = rows["score"]
        return scores


def _keys(probes: np.ndarray, items: np.ndarray) -> np.ndarray:
    """(t,) int64, a number for each pair; -1 where a side is not known. There are less than 2^31 names."""
    return np.where((probes < 0) | (items < 0), _NO_KEY, (probes << 31) | items)


def _names_of(key: int) -> tuple[int, int]:
    return key >> 31, key & (2**31 - 1)


def _rows(probes: np.ndarray, items: np.ndarray, scores: np.ndarray) -> np.ndarray:
    rows = np.empty(len(scores), _SCORE)
    rows["key"], rows["score"] = _keys(probes, items), scores
    return rows


def _by_key(rows: np.ndarray) -> np.ndarray:
    return rows[np.argsort(rows["key"], kind="stable")]


def _part_of(keys: np.ndarray) -> np.ndarray:
    """Which part each key is in: pairs of any list are spread evenly."""
    mixed = keys.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - 8)).astype(np.int64)


def _found(table: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """The scores of keys in a table by key, NaN where there is none."""
    if not len(table):
        return np.full(len(keys), np.nan)
    ordered = table["key"]
    places = np.minimum(np.searchsorted(ordered, keys), len(table) - 1)
    return np.where((ordered[places] == keys) & (keys != _NO_KEY), table["score"][places], np.nan)
